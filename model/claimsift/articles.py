"""Files and rows into articles.

A .txt file is one article; every row of a .jsonl or .csv file is one. Input that cannot be read is handed to
``on_error`` with its file and line, and reading goes on behind it.
"""

import codecs
import csv
import glob
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claimsift.errors import InputError

SUFFIXES = (".txt", ".jsonl", ".csv")
STANDARD_INPUT = "-"
NOT_UTF8 = "not UTF-8, or half of a surrogate pair, which is no character; convert it to UTF-8"

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


@dataclass(frozen=True)
class ArticleReader:
    """Reads articles from files, folders, globs and standard input.

    Args:
        text_column: the column of a row that holds the article.
        id_column: the column that names it. By default ``id`` where a row has one, else the row is named by
            ``path:line``.
        lines: whether each line of plain text is a text of its own, rather than the whole file one.
        on_error: called with an :class:`~claimsift.errors.InputError` for each file or row that cannot be read.
    """

    text_column: str = "text"
    id_column: str | None = None
    lines: bool = False
    on_error: Callable[[InputError], None] = raise_error

    def read(self, inputs: Iterable[str]) -> Iterator[Article]:
        """Yields the articles of all inputs, in order; rows are read one at a time."""
        for given in inputs:
            for name, path in self._guarded(given, self._expand(given)):
                yield from self._guarded(name, self._read_file(name, path))

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
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
            if not files:
                raise InputError(given, f"no {', '.join(SUFFIXES)} file in this folder")
            yield from ((file.relative_to(path).as_posix(), file) for file in files)
        elif glob.has_magic(given) and not path.exists():
            files = sorted(match for match in glob.glob(given, recursive=True) if not Path(match).is_dir())
            if not files:
                raise InputError(given, "no file matches this pattern")
            yield from ((file, Path(file)) for file in files)
        else:
            yield given, path

    def _read_file(self, name: str, path: Path) -> Iterator[Article]:
        if not _is_encodable(name):
            raise InputError(_printable(name), "its name is not UTF-8; rename it")
        if name == STANDARD_INPUT:
            yield from self._read_standard_input()
            return
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise InputError(name, f"not one of {', '.join(SUFFIXES)}; convert it, or pipe its text to -")
        with path.open("rb") as stream:
            if suffix == ".txt":
                yield from self._plain_text(name, stream)
            else:
                yield from self._articles(name, _jsonl_rows(stream) if suffix == ".jsonl" else _csv_rows(stream))

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
                f"column {self.text_column!r} is {json.dumps(text)}"
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
