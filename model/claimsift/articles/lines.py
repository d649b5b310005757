"""Bytes into lines of text: compression, encodings and bounds."""

import codecs
import contextlib
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator

from claimsift.errors import InputError

# A line, a row or a page is held whole, and one without an end must not take all memory.
MAX_LINE = 64 * 2**20  # bytes
MAX_TEXT = 256 * 2**20  # bytes of a .txt file
MAX_PAGE = 4 * 2**20  # bytes of a .html file, whose tree takes many times as much memory
BUFFER_SIZE = 128 * 1024

NOT_UTF8 = "not UTF-8, or half of a surrogate pair, which is no character; convert it to UTF-8"
HOLDS_NUL = "holds a NUL, which no text does; it is binary, or UTF-16 without a byte order mark: convert it to UTF-8"
DAMAGED = "the file is damaged here or before"
TOO_LONG = f"longer than {MAX_LINE // 2**20} MiB; cut it up"

COMPRESSIONS = (".gz", ".zst")
WINDOWS_1252 = "Windows-1252"
READ_AS_1252 = f"read as {WINDOWS_1252}, it is not UTF-8"
# CAFÉ’s in Windows-1252. In UTF-8 it would be CAFɒs, a capital with a letter of another script behind it. Left out are
# leads of what does stand there: Œ, which follows C, and Greek and Cyrillic letters, which look alike or are symbols.
CAPITAL_AND_MARK = rb"(?<=[A-Z])[\xc6-\xcd\xd1-\xdf][\x85\x92\x94\x96\x97]"
UTF8_SEQUENCE = re.compile(
    rb"(?!" + CAPITAL_AND_MARK + rb")"
    rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
)


def read_lines(name: str, stream: io.BufferedReader, compression: str = "") -> Iterator[bytes | None]:
    """Yields the lines of a file, those of all members of a compressed one, with their ends.

    Lines of a file that begins with a byte order mark of UTF-16 come in UTF-8. None stands for a line longer than
    :data:`MAX_LINE`.

    Raises:
        InputError: with the line that could not be read whole, where the file is damaged. Checksums stand at the end of
            a compressed member, so lines before it may be wrong. Also where the first line holds a NUL.
    """
    unpacked, damages = unpack(stream, compression)
    number = 0
    try:
        if compression and not stream.peek(1):
            raise EOFError("it is empty")
        for line in _lines(unpacked):
            if number == 0 and line and b"\0" in line:
                raise InputError(f"{name}:1", HOLDS_NUL)
            yield line
            number += 1
    except damages as error:
        raise InputError(f"{name}:{number + 1}", f"{DAMAGED} ({error}); fetch it anew") from error


def read_bytes(name: str, stream: io.BufferedReader, compression: str, limit: int) -> bytes:
    """Returns the content of a file.

    Raises:
        InputError: it is damaged, or longer than the limit.
    """
    unpacked, damages = unpack(stream, compression)
    try:
        content = unpacked.read(limit + 1)
    except damages as error:
        raise InputError(name, f"the file is damaged ({error}); fetch it anew") from error
    if len(content) > limit:
        raise InputError(name, f"longer than {limit // 2**20} MiB; extract its text into a .txt file")
    return content


def unpack(stream: io.BufferedReader, compression: str) -> tuple[io.BufferedIOBase, tuple[type[Exception], ...]]:
    """Returns the stream of what is in a file, and what reading raises where the file is damaged."""
    if compression == ".gz":
        return gzip.GzipFile(fileobj=stream), (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError)
    if not compression:
        return stream, (UnicodeDecodeError,)
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    # By default, archives packed with zstd --long=31, as large ones often are, would pass for damaged.
    window = zstd.DecompressionParameter.window_log_max
    unpacked = zstd.ZstdFile(stream, options={window: window.bounds()[1]})
    return unpacked, (EOFError, zstd.ZstdError, UnicodeDecodeError)


def _lines(stream: io.BufferedIOBase) -> Iterator[bytes | None]:
    if stream.peek(2)[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        yield from _bounded(stream.readline, b"\n")
        return
    text = io.TextIOWrapper(stream, "utf-16", "surrogatepass", newline="\n")
    try:
        for line in _bounded(text.readline, "\n"):
            yield line if line is None else line.encode("utf-8", "surrogatepass")
    finally:
        with contextlib.suppress(ValueError):  # where a file is given up half-way, it is closed before this
            text.detach()  # else it would close the stream, which may be standard input


def _bounded(readline: Callable[[int], bytes | str], end: bytes | str) -> Iterator[bytes | str | None]:
    while line := readline(MAX_LINE + 1):
        if len(line) <= MAX_LINE:
            yield line
            continue
        while line and not line.endswith(end):
            line = readline(BUFFER_SIZE)
        yield None


def decode_lines(lines: Iterable[bytes | None], on_windows_1252: Callable[[], None]) -> Iterator[str | None]:
    """Decodes line by line, leaving line ends as they are: offsets refer to the text as it stands in the file.

    Lines are UTF-8, or, from the first one that cannot be, Windows-1252, which is reported. Where there are signs of
    both, bytes that fit neither become lone surrogates, so that only the row they stand in is refused. A line that can
    be both, such as ``CAFÉ’s owner`` in Windows-1252, is read as that and reported where none before it was UTF-8, and
    says nothing of those behind it.
    """
    is_utf8 = is_1252 = False
    for number, line in enumerate(lines):
        if line is None:
            yield None
            continue
        if number == 0:
            line = line.removeprefix(codecs.BOM_UTF8)
        if line.isascii():
            yield line.decode("ascii")
            continue
        has_sequence = bool(UTF8_SEQUENCE.search(line))
        is_utf8 |= has_sequence and not is_1252
        if is_utf8 or has_sequence:
            yield line.decode("ascii" if is_1252 else "utf-8", "surrogateescape")
            continue
        try:
            text = line.decode("cp1252")
        except UnicodeDecodeError:
            yield line.decode("ascii", "surrogateescape")
            continue
        if not is_1252:
            is_1252 = not re.sub(CAPITAL_AND_MARK, b"", line).isascii()
            on_windows_1252()
        yield text


def is_encodable(text: str) -> bool:
    """Whether a text can be written, which one with half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
