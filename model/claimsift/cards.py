"""Measured figures in Markdown: the commands that measure them write them, between two marks, into the text around."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from claimsift.errors import ClaimsiftError


def fill_block(path: Path, name: str, content: str) -> None:
    """Replaces what stands between ``<!-- name -->`` and ``<!-- /name -->`` in a Markdown file.

    Raises:
        ClaimsiftError: the file lacks the marks.
    """
    path.write_text(with_block(path.read_text(encoding="utf-8"), name, content, place=path), encoding="utf-8")


def with_block(markdown: str, name: str, content: str, place: Path | str = "text") -> str:
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in markdown or end not in markdown:
        raise ClaimsiftError(
            f"{place}: has no place for these figures; put the lines {start} and {end} where they belong"
        )
    before, rest = markdown.split(start, 1)
    return f"{before}{start}\n{content.strip()}\n{end}{rest.split(end, 1)[1]}"


def table(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """Returns a Markdown table; the first column holds text, the others figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def write_figures(path: Path, report: dict, markdown: str) -> None:
    """Writes measured figures as ``<path>.json`` and, for people, as ``<path>.md``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown, encoding="utf-8")
