"""Files and rows into articles.

A .txt file is one article; every row of a .jsonl or .csv file is one. Input that cannot be read is handed to
``on_error`` with its file and line, and reading goes on behind it.
"""

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
        for name, path in self._expand(inputs):
            try:
                if path is None:
                    yield from self._read_standard_input()
                else:
                    yield from self._read_file(name, path)
            except InputError as error:
                self.on_error(error)
            except OSError as error:
                self.on_error(InputError(name, error.strerror or str(error)))

    def _expand(self, inputs: Iterable[str]) -> Iterator[tuple[str, Path | None]]:
        """Yields the name to report and the file to open, for each file behind the inputs."""
        for given in inputs:
            path = Path(given)
            if given == STANDARD_INPUT:
                yield given, None
            elif path.is_dir():
                files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
                if not files:
                    self.on_error(InputError(given, f"no {', '.join(SUFFIXES)} file in this folder"))
                yield from ((file.relative_to(path).as_posix(), file) for file in files)
            elif not path.exists() and glob.has_magic(given):
                matches = sorted(glob.glob(given, recursive=True))
                if not matches:
                    self.on_error(InputError(given, "no file matches this pattern"))
                yield from ((match, Path(match)) for match in matches)
            else:
                yield given, path

    def _read_file(self, name: str, path: Path) -> Iterator[Article]:
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            self.on_error(InputError(name, f"not one of {', '.join(SUFFIXES)}; convert it, or pipe its text to -"))
            return
        with path.open("rb") as stream:
            if suffix == ".txt":
                yield from self._plain_text(name, stream)
            else:
                rows = _jsonl_rows(stream) if suffix == ".jsonl" else _csv_rows(_decoded(name, stream))
                yield from self._articles(name, rows)

    def _read_standard_input(self) -> Iterator[Article]:
        """JSON lines when the first line is a JSON object, else plain text."""
        first = sys.stdin.buffer.readline()
        lines = itertools.chain([first], sys.stdin.buffer)
        if _is_json_object(first):
            yield from self._articles(STANDARD_INPUT, _jsonl_rows(lines))
        else:
            yield from self._plain_text(STANDARD_INPUT, lines)

    def _plain_text(self, name: str, lines: Iterable[bytes]) -> Iterator[Article]:
        if not self.lines:
            yield Article(name, "".join(_decoded(name, lines)))
            return
        for number, line in enumerate(_decoded(name, lines), start=1):
            if line.strip():
                yield Article(f"{name}:{number}", line.strip())

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
        if not _is_encodable(text):
            raise InputError(
                place, "the text holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
            )
        article_id = row.get(self.id_column or "id")
        if article_id is None and self.id_column:
            raise InputError(place, f"no {self.id_column!r} to name the article by (--id-column)")
        metadata = {key: value for key, value in row.items() if key != self.text_column}
        return Article(place if article_id is None else str(article_id), text, metadata)


def _decoded(name: str, lines: Iterable[bytes]) -> Iterator[str]:
    """Decodes line by line, leaving line ends as they are: offsets refer to the text as it stands in the file."""
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{name}:{number}", f"not UTF-8 ({error.reason}); convert it to UTF-8") from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def _jsonl_rows(lines: Iterable[bytes]) -> Iterator[tuple[int, dict | str]]:
    """Yields line number and row, or line number and what is wrong with the line; blank lines are skipped."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield number, f"not valid JSON ({error})"
            continue
        yield number, row if isinstance(row, dict) else "not a JSON object"


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, dict | str]]:
    """Like :func:`_jsonl_rows`; the number is that of the first line of a row that spans several."""
    reader = csv.reader(lines, strict=True)
    header = next(reader, None)
    while True:
        first_line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield first_line, f"not valid CSV ({error})"
            continue
        if not values:
            continue
        if len(values) != len(header):
            yield first_line, f"{len(values)} fields where the header has {len(header)}"
            continue
        yield first_line, dict(zip(header, values, strict=True))


def _is_json_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
