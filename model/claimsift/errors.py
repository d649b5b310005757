"""Errors whose message is meant for the user: it names the thing at fault and what to do next."""

import re

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class ClaimsiftError(Exception):
    """Something the user can mend; the command line prints it as one line, without a traceback.

    As a string it is without control characters, which the name of a file may hold.
    """

    def __str__(self) -> str:
        return without_controls(super().__str__())


def without_controls(text: str) -> str:
    """Leaves out of a text what could steer the terminal that it is shown on."""
    return CONTROL.sub("", text)


def first_line(error: BaseException) -> str:
    """What another library's error says, without the pages that may follow."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class InputError(ClaimsiftError):
    """One piece of input that cannot be read; the rest of the input is not affected.

    Args:
        place: where it is, as ``path`` or ``path:line``.
        reason: what is wrong and what to do about it.
    """

    def __init__(self, place: str, reason: str):
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason

    @property
    def record(self) -> dict[str, str]:
        """What a file of failures holds of it."""
        return {"input": self.place, "error": self.reason}


class InputNotice(InputError):
    """Input that was read, but on an assumption that the user should know of."""
