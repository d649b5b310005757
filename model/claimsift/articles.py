"""Files and rows into articles.

A .txt file is one article; every row of a .jsonl, .csv or .parquet file is one. All but .parquet may be compressed, as
.gz or .zst. Files are streamed: none is ever unpacked or held whole, but for the text of a .txt file. Input that cannot
be read is handed to ``on_error`` with its file and line, and reading goes on behind it.
"""

import codecs
import contextlib
import csv
import glob
import gzip
import io
import itertools
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claimsift.errors import InputError

PLAIN_SUFFIXES = (".txt", ".jsonl", ".csv")
COMPRESSIONS = (".gz", ".zst")
SUFFIXES = (*(plain + packed for packed in ("", *COMPRESSIONS) for plain in PLAIN_SUFFIXES), ".parquet")
SUFFIXES_IN_WORDS = f"{', '.join(PLAIN_SUFFIXES)} (plain, {' or '.join(COMPRESSIONS)}) or .parquet"
STANDARD_INPUT = "-"
NOT_UTF8 = "not UTF-8, or half of a surrogate pair, which is no character; convert it to UTF-8"
DAMAGED = "the file is damaged here or before"

BUFFER_SIZE = 128 * 1024
PARQUET_BATCH = 256  # rows unpacked at a time: long articles times many other columns must fit in memory

# A row of a CSV file is one article; the default limit of 128 KiB is shorter than long reads are.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Article:
    """A text to score, and the other columns of its row, if it came in one."""

    id: str
    text: str
    metadata: dict = field(default_factory=dict)


def raise_error(error: InputError) -> None:
    """The ``on_error`` that stops at the first error."""
    raise error


@dataclass
class ArticleReader:
    """Reads articles from files, folders, globs and standard input.

    Args:
        text_column: the column of a row that holds the article.
        id_column: the column that names it. By default ``id`` where a row has one, else the row is named by
            ``path:line``.
        lines: whether each line of plain text is a text of its own, rather than the whole file one.
        on_error: called with an :class:`~claimsift.errors.InputError` for each file or row that cannot be read.
        exclude: resolved paths of files and folders that folders and globs are read without.

    Attributes:
        bytes_read: how much of the input files has been consumed, measured in the files as they are (compressed ones
            in compressed bytes, Parquet by the share of its rows). A file that is done with counts in full, whether
            it could be read or not; standard input does not count.
    """

    text_column: str = "text"
    id_column: str | None = None
    lines: bool = False
    on_error: Callable[[InputError], None] = raise_error
    exclude: frozenset[Path] = frozenset()
    bytes_read: int = field(default=0, init=False)

    def files(self, inputs: Iterable[str]) -> list[tuple[str, Path]]:
        """Returns the name and path of every file behind the inputs, in the order they are read in.

        Nothing is opened and no error reported: folders and globs without a file are left out, while a file given by
        name is listed even where there is none. Standard input is ``("-", Path("-"))``.
        """
        found = []
        for given in inputs:
            with contextlib.suppress(InputError, OSError):
                found.extend(self._expand(given))
        return found

    def read(self, inputs: Iterable[str]) -> Iterator[Article]:
        """Yields the articles of all inputs, in order; rows are read one at a time."""
        for given in inputs:
            for name, path in self._guarded(given, self._expand(given)):
                yield from self.read_file(name, path)

    def read_file(self, name: str, path: Path) -> Iterator[Article]:
        """Yields the articles of one file, which errors and ids call by this name."""
        before = self.bytes_read
        yield from self._guarded(name, self._read_file(name, path))
        # What was refused or given up half-way counts too. A pipe has no size, but what came through it counts.
        self.bytes_read = max(self.bytes_read, before + _size(name, path))

    def _guarded(self, name: str, items: Iterator) -> Iterator:
        """Passes items on until reading fails, which ends this input and no other."""
        try:
            yield from items
        except InputError as error:
            self.on_error(error)
        except OSError as error:
            self.on_error(InputError(_printable(name), error.strerror or str(error)))

    def _expand(self, given: str) -> Iterator[tuple[str, Path]]:
        """Yields the name to report and the file to open, for each file behind an input."""
        path = Path(given)
        if given == STANDARD_INPUT:
            yield given, path
        elif path.is_dir():
            # A folder may be called x.parquet: its files are listed themselves.
            files = sorted(file for file in path.rglob("*") if _is_readable(file) and self._is_wanted(file))
            if not files:
                raise InputError(given, f"no {SUFFIXES_IN_WORDS} file in this folder")
            yield from ((file.relative_to(path).as_posix(), file) for file in files)
        elif glob.has_magic(given) and not path.exists():
            matches = glob.glob(given, recursive=True)
            files = sorted(match for match in matches if not Path(match).is_dir() and self._is_wanted(match))
            if not files:
                raise InputError(given, "no file matches this pattern")
            yield from ((file, Path(file)) for file in files)
        else:
            yield given, path

    def _is_wanted(self, file: Path | str) -> bool:
        if not self.exclude:
            return True
        resolved = Path(os.path.realpath(file))  # Path.resolve raises where links run in a circle
        return self.exclude.isdisjoint((resolved, *resolved.parents))

    def _read_file(self, name: str, path: Path) -> Iterator[Article]:
        if not _is_encodable(name):
            raise InputError(_printable(name), "its name is not UTF-8; rename it")
        if name == STANDARD_INPUT:
            yield from self._read_standard_input()
            return
        kind, compression = _suffixes(path)
        if kind + compression not in SUFFIXES:
            raise InputError(name, f"not one of {SUFFIXES_IN_WORDS}; convert it, or pipe its text to -")
        if kind == ".parquet":
            yield from self._articles(name, self._parquet_rows(name, path))
            return
        with io.BufferedReader(_CountedFile(path, self), BUFFER_SIZE) as stream:
            lines = _unpacked_lines(name, stream, compression) if compression else stream
            if kind == ".txt":
                yield from self._plain_text(name, lines)
            else:
                yield from self._articles(name, _jsonl_rows(lines) if kind == ".jsonl" else _csv_rows(lines))

    def _read_standard_input(self) -> Iterator[Article]:
        """JSON lines when the first line that is not blank begins an object, else plain text."""
        start = []
        for line in sys.stdin.buffer:
            start.append(line)
            if line.strip():
                break
        lines = itertools.chain(start, sys.stdin.buffer)
        if start and start[-1].lstrip(codecs.BOM_UTF8 + b" \t").startswith(b"{"):
            yield from self._articles(STANDARD_INPUT, _jsonl_rows(lines))
        else:
            yield from self._plain_text(STANDARD_INPUT, lines)

    def _plain_text(self, name: str, lines: Iterable[bytes]) -> Iterator[Article]:
        if self.lines:
            rows = ((number, line.strip()) for number, line in enumerate(_decoded(lines), start=1))
            yield from self._articles(name, ((number, {self.text_column: line}) for number, line in rows if line))
            return
        text = "".join(_decoded(lines))
        if not _is_encodable(text):
            line = next(number for number, line in enumerate(text.split("\n"), start=1) if not _is_encodable(line))
            raise InputError(f"{name}:{line}", NOT_UTF8)
        yield Article(name, text)

    def _parquet_rows(self, name: str, path: Path) -> Iterator[tuple[int, dict | str]]:
        """Like :func:`_jsonl_rows`; the number is that of the row."""
        before = self.bytes_read
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            file = _open_parquet(name, stream)
            for number, row in _numbered_rows(name, file):
                self.bytes_read = before + size * number // file.metadata.num_rows
                yield number, row

    def _articles(self, name: str, rows: Iterable[tuple[int, dict | str]]) -> Iterator[Article]:
        for line, row in rows:
            place = f"{name}:{line}"
            if isinstance(row, str):
                self.on_error(InputError(place, row))
                continue
            try:
                yield self._article(place, row)
            except InputError as error:
                self.on_error(error)

    def _article(self, place: str, row: dict) -> Article:
        text = row.get(self.text_column)
        if not isinstance(text, str):
            found = (
                f"column {self.text_column!r} is {json.dumps(text, default=repr)}"
                if self.text_column in row
                else (f"no column {self.text_column!r} among {', '.join(map(repr, row))}")
            )
            raise InputError(place, f"{found}; it must hold the text (--text-column names it)")
        article_id = row.get(self.id_column or "id")
        article_id = "" if article_id is None else str(article_id)
        if not article_id and self.id_column:
            raise InputError(place, f"no {self.id_column!r} to name the article by (--id-column)")
        if not _is_encodable(text + article_id):
            raise InputError(place, NOT_UTF8)
        metadata = {key: value for key, value in row.items() if key != self.text_column}
        return Article(article_id or place, text, metadata)


class _CountedFile(io.FileIO):
    """Tells a reader how much has been read, at the cost of one call per buffer rather than one per line."""

    def __init__(self, path: Path, reader: ArticleReader):
        super().__init__(path)
        self._reader = reader

    def readinto(self, buffer) -> int | None:
        size = super().readinto(buffer)
        self._reader.bytes_read += size or 0
        return size


def _suffixes(path: Path) -> tuple[str, str]:
    """How a file is laid out and how it is compressed, as ``(".csv", ".gz")`` or ``(".csv", "")``."""
    suffix = path.suffix.lower()
    return (Path(path.stem).suffix.lower(), suffix) if suffix in COMPRESSIONS else (suffix, "")


def _is_readable(file: Path) -> bool:
    return "".join(_suffixes(file)) in SUFFIXES and not os.path.isdir(file)


def _size(name: str, path: Path) -> int:
    try:
        return 0 if name == STANDARD_INPUT else path.stat().st_size
    except OSError:  # it has been reported when it was to be read
        return 0


def _unpacked_lines(name: str, stream: io.BufferedReader, compression: str) -> Iterator[bytes]:
    """Yields the lines of all members of a compressed file.

    Raises:
        InputError: with the line that could not be read whole, where the file is damaged. Checksums stand at the end of
            a member, so lines before it may be wrong.
    """
    lines, damages = _gzip_lines(stream) if compression == ".gz" else _zstd_lines(stream)
    number = 0
    try:
        if not stream.peek(1):
            raise EOFError("it is empty")
        for line in lines:
            yield line
            number += 1
    except damages as error:
        raise InputError(f"{name}:{number + 1}", f"{DAMAGED} ({error}); fetch it anew") from error


def _gzip_lines(stream: io.BufferedReader) -> tuple[Iterable[bytes], tuple[type[Exception], ...]]:
    """Returns the lines and what is raised where the file is damaged."""
    return gzip.GzipFile(fileobj=stream), (EOFError, gzip.BadGzipFile, zlib.error)


def _zstd_lines(stream: io.BufferedReader) -> tuple[Iterable[bytes], tuple[type[Exception], ...]]:
    """Like :func:`_gzip_lines`."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    # By default, archives packed with zstd --long=31, as large ones often are, would pass for damaged.
    window = zstd.DecompressionParameter.window_log_max
    return zstd.ZstdFile(stream, options={window: window.bounds()[1]}), (EOFError, zstd.ZstdError)


def _open_parquet(name: str, stream: io.BufferedReader):
    """Returns the file as pyarrow's ParquetFile."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InputError(name, "reading Parquet needs pyarrow; run: pip install 'claimsift[parquet]'") from error
    try:
        # With its defaults, pyarrow fetches the whole file ahead.
        return parquet.ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER_SIZE, page_checksum_verification=True)
    except (ArrowException, OSError, UnicodeDecodeError) as error:  # the last one of column names
        raise InputError(name, f"not a Parquet file, or damaged ({_first_line(error)}); fetch it anew") from error


def _numbered_rows(name: str, file) -> Iterator[tuple[int, dict | str]]:
    """Yields the rows of a ParquetFile with their numbers, or what is wrong with them."""
    from pyarrow import ArrowException

    number = 0
    try:
        for batch in file.iter_batches(PARQUET_BATCH):
            for index in range(batch.num_rows):
                number += 1
                yield number, _parquet_row(batch, index)
    except (ArrowException, OSError) as error:
        raise InputError(f"{name}:{number + 1}", f"{DAMAGED} ({_first_line(error)}); fetch it anew") from error


def _parquet_row(batch, index: int) -> dict | str:
    try:
        return {name: batch.column(nr)[index].as_py() for nr, name in enumerate(batch.schema.names)}
    except UnicodeDecodeError:
        return NOT_UTF8
    except (ValueError, OverflowError) as error:  # such as a date outside Python's calendar
        return f"holds a value that cannot be read ({_first_line(error)}); drop the column, or mend the value"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Decodes line by line, leaving line ends as they are: offsets refer to the text as it stands in the file.

    Bytes that are not UTF-8 become lone surrogates, so that only the row they stand in is refused.
    """
    for number, line in enumerate(lines):
        text = line.decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text


def _jsonl_rows(lines: Iterable[bytes]) -> Iterator[tuple[int, dict | str]]:
    """Yields line number and row, or line number and what is wrong with the line; blank lines are skipped."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not valid JSON ({error})"
            continue
        yield number, row if isinstance(row, dict) else "not a JSON object"


def _csv_rows(lines: Iterable[bytes]) -> Iterator[tuple[int, dict | str]]:
    """Like :func:`_jsonl_rows`; the number is that of the first line of a row that spans several."""
    reader = csv.reader(_decoded(lines), strict=True)
    header = None
    while True:
        first_line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield first_line, f"not valid CSV ({error})"
            if header is None:
                return
            continue
        if header is None:
            header = values
            continue
        if not values:
            continue
        if len(values) != len(header):
            yield first_line, f"{len(values)} fields where the header has {len(header)}"
            continue
        yield first_line, dict(zip(header, values, strict=True))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")
