"""Files, folders, globs and standard input into articles."""

import codecs
import glob
import io
import itertools
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claimsift.articles.html import article_text
from claimsift.articles.lines import (
    BUFFER_SIZE,
    COMPRESSIONS,
    HOLDS_NUL,
    MAX_LINE,
    MAX_PAGE,
    MAX_TEXT,
    NOT_UTF8,
    READ_AS_1252,
    TOO_LONG,
    decode_lines,
    is_encodable,
    read_bytes,
    read_lines,
)
from claimsift.articles.rows import Rows, csv_rows, jsonl_rows, open_parquet, parquet_rows, to_json
from claimsift.errors import ClaimsiftError, InputError, InputNotice

PLAIN_SUFFIXES = (".txt", ".html", ".htm", ".jsonl", ".csv", ".tsv")
SUFFIXES = (*(plain + packed for packed in ("", *COMPRESSIONS) for plain in PLAIN_SUFFIXES), ".parquet")
SUFFIXES_IN_WORDS = f"{', '.join(PLAIN_SUFFIXES)} (plain, {' or '.join(COMPRESSIONS)}) or .parquet"
STANDARD_INPUT = "-"
LEADS_OUT = "a link that leads out of the folder; name it on the command line to read it"

TEXT_TOO_LONG = f"longer than {MAX_TEXT // 2**20} MiB up to here; cut it up"
LONGEST_VALUE = 200  # characters of a value in an error
REMEMBERED_IDS = 100_000  # the last ones, in some 10 MB


@dataclass(frozen=True, slots=True)
class Article:
    """A text to score, and what came with it in its row, if it came in one: its title, context and columns to keep."""

    id: str
    text: str
    metadata: dict = field(default_factory=dict)
    title: str = ""


def raise_error(error: InputError) -> None:
    """The ``on_error`` that stops at the first error."""
    raise error


def warn(notice: InputNotice) -> None:
    """The ``on_notice`` that warns as Python does."""
    warnings.warn(str(notice), stacklevel=2)


@dataclass
class ArticleReader:
    """Reads articles from files, folders, globs and standard input.

    Args:
        text_column: the column of a row that holds the article.
        id_column: the column that names it. By default ``id`` where a row has one, else the row is named by
            ``path:line``. Ids need not differ; a notice names the first of each file that came before, among the last
            100,000.
        lines: whether each line of plain text is a text of its own, rather than the whole file one.
        on_error: called with an :class:`~claimsift.errors.InputError` for each file or row that cannot be read.
        exclude: resolved paths of files and folders that folders and globs are read without.
        title_column: the column of a row that holds the article's title. A row may lack it; the first of each file that
            does is named in a notice.
        keep: columns to hand on in the articles' metadata, beside ``context``; a row may lack them like the title.
        texts: a folder to write the text of each .html file to, in UTF-8, as ``<article id>.txt``.
        on_notice: called with an :class:`~claimsift.errors.InputNotice` for what was read on an assumption.

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
    title_column: str | None = None
    keep: tuple[str, ...] = ()
    texts: Path | None = None
    on_notice: Callable[[InputNotice], None] = warn
    bytes_read: int = field(default=0, init=False)
    _ids: dict[int, None] = field(default_factory=dict, init=False)
    _told: set[str] = field(default_factory=set, init=False)  # what of the file at hand has been told once

    def files(self, inputs: Iterable[str]) -> list[tuple[str, Path]]:
        """Returns the name and path of every file behind the inputs, in the order they are read in.

        Nothing is opened and no error reported: folders and globs without a file are left out, while a file given by
        name is listed even where there is none. Standard input is ``("-", Path("-"))``.
        """
        return [(name, path) for name, path, error in self.find(inputs) if error is None]

    def find(self, inputs: Iterable[str]) -> Iterator[tuple[str, Path, InputError | None]]:
        """Yields the name and path of every file behind the inputs, and why it must not be read, if that is so.

        An input without a file is yielded itself, with the reason.
        """
        for given in inputs:
            try:
                yield from self._expand(given)
            except InputError as error:
                yield given, Path(given), error
            except OSError as error:
                yield given, Path(given), _input_error(given, error)

    def read(self, inputs: Iterable[str]) -> Iterator[Article]:
        """Yields the articles of all inputs, in order; rows are read one at a time."""
        for name, path, error in self.find(inputs):
            if error:
                self._fail(error)
            else:
                yield from self.read_file(name, path)

    def read_file(self, name: str, path: Path) -> Iterator[Article]:
        """Yields the articles of one file, which errors and ids call by this name."""
        before = self.bytes_read
        self._told.clear()
        is_empty = True
        for article in self._guarded(name, path):
            self._check_id(name, article.id)
            is_empty = is_empty and not article.title and (not article.text or article.text.isspace())
            yield article
        if is_empty and "failure" not in self._told:
            self._note(name, "holds no text, and gets no row", once="empty")
        # What was refused or given up half-way counts too. A pipe has no size, but what came through it counts.
        self.bytes_read = max(self.bytes_read, before + _size(name, path))

    def _guarded(self, name: str, path: Path) -> Iterator[Article]:
        """Reads until that fails, which ends this file and no other."""
        try:
            yield from self._read_file(name, path)
        except InputError as error:
            self._fail(error)
        except OSError as error:
            self._fail(_input_error(name, error))

    def _fail(self, error: InputError) -> None:
        self._told.add("failure")
        self.on_error(error)

    def _note(self, place: str, message: str, once: str) -> None:
        """Tells of a file what it is told once for each file."""
        if once not in self._told:
            self._told.add(once)
            self.on_notice(InputNotice(place, message))

    def _check_id(self, name: str, article_id: str) -> None:
        key = hash(article_id)
        if key in self._ids:
            self._note(name, f"the id {article_id!r} came before; both are scored, under the same id", once="id")
        self._ids[key] = None
        if len(self._ids) > REMEMBERED_IDS:
            del self._ids[next(iter(self._ids))]

    def _expand(self, given: str) -> Iterator[tuple[str, Path, InputError | None]]:
        """Yields the name to report and the file to open, for each file behind an input."""
        path = Path(given)
        if given == STANDARD_INPUT:
            yield given, path, None
        elif path.is_dir():
            found = [(file, reason) for file, reason in _walk(path) if self._is_wanted(file)]
            if not found:
                raise InputError(given, f"no {SUFFIXES_IN_WORDS} file in this folder")
            for file, reason in sorted(found):
                name = given if file == path else file.relative_to(path).as_posix()
                yield name, file, InputError(_printable(name), reason) if reason else None
        elif glob.has_magic(given) and not path.exists():
            matches = glob.glob(given, recursive=True)
            files = sorted(match for match in matches if not Path(match).is_dir() and self._is_wanted(match))
            if not files:
                raise InputError(given, "no file matches this pattern")
            yield from ((file, Path(file), None) for file in files)
        else:
            yield given, path, None

    def _is_wanted(self, file: Path | str) -> bool:
        if not self.exclude:
            return True
        resolved = Path(os.path.realpath(file))  # Path.resolve raises where links run in a circle
        return self.exclude.isdisjoint((resolved, *resolved.parents))

    def _read_file(self, name: str, path: Path) -> Iterator[Article]:
        if not is_encodable(name):
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
            if kind in (".html", ".htm"):
                yield self._page(name, read_bytes(name, stream, compression, MAX_PAGE))
                return
            lines = read_lines(name, stream, compression)
            if kind == ".txt":
                yield from self._plain_text(name, lines)
            elif kind == ".jsonl":
                yield from self._articles(name, jsonl_rows(lines))
            else:
                delimiter = "\t" if kind == ".tsv" else ","
                yield from self._articles(name, csv_rows(self._decoded(name, lines), delimiter))

    def _read_standard_input(self) -> Iterator[Article]:
        """JSON lines when the first line that is not blank begins an object, else plain text."""
        start, lines = [], read_lines(STANDARD_INPUT, sys.stdin.buffer)
        for line in lines:
            start.append(line)
            if line is None or line.strip():
                break
        lines = itertools.chain(start, lines)
        if start and start[-1] and start[-1].lstrip(codecs.BOM_UTF8 + b" \t").startswith(b"{"):
            yield from self._articles(STANDARD_INPUT, jsonl_rows(lines))
        else:
            yield from self._plain_text(STANDARD_INPUT, lines)

    def _decoded(self, name: str, lines: Iterable[bytes | None]) -> Iterator[str | None]:
        return decode_lines(lines, lambda: self._note(name, READ_AS_1252, once="encoding"))

    def _plain_text(self, name: str, lines: Iterable[bytes | None]) -> Iterator[Article]:
        numbered = enumerate(self._decoded(name, lines), start=1)
        if self.lines:
            rows = (
                (number, TOO_LONG if line is None else {self.text_column: line.strip()}) for number, line in numbered
            )
            yield from self._articles(name, ((number, row) for number, row in rows if row != {self.text_column: ""}))
            return
        whole, size = [], 0
        for number, line in numbered:
            size += len(line or "")
            if line is None or size > MAX_TEXT:
                raise InputError(f"{name}:{number}", TOO_LONG if line is None else TEXT_TOO_LONG)
            if not is_encodable(line) or "\0" in line:
                raise InputError(f"{name}:{number}", HOLDS_NUL if "\0" in line else NOT_UTF8)
            whole.append(line)
        yield Article(name, "".join(whole))

    def _page(self, name: str, page: bytes) -> Article:
        text = article_text(name, page, lambda message: self._note(name, message, once="encoding"))
        if self.texts:
            write_text(self.texts, name, text)
        return Article(name, text)

    def _parquet_rows(self, name: str, path: Path) -> Rows:
        """Like :func:`~claimsift.articles.rows.jsonl_rows`; the number is that of the row."""
        before = self.bytes_read
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            file = open_parquet(name, stream)
            columns = {self.text_column, self.id_column or "id", self.title_column, "context", *self.keep}
            for number, row in parquet_rows(name, file, columns):
                self.bytes_read = before + size * number // file.metadata.num_rows
                yield number, row

    def _articles(self, name: str, rows: Rows) -> Iterator[Article]:
        for line, row in rows:
            place = f"{name}:{line}"
            if isinstance(row, str):
                self._fail(InputError(place, row))
                continue
            try:
                yield self._article(place, row)
            except InputError as error:
                self._fail(error)

    def _article(self, place: str, row: dict) -> Article:
        text = row.get(self.text_column)
        if not isinstance(text, str):
            raise InputError(place, f"{_found(row, self.text_column)}; it must hold the text (--text-column names it)")
        article_id = row.get(self.id_column or "id")
        article_id = "" if article_id is None else str(article_id)
        if not article_id and self.id_column:
            raise InputError(place, f"no {self.id_column!r} to name the article by (--id-column)")
        for column in filter(None, (self.title_column, *self.keep)):
            if column not in row:
                self._note(place, f"{_found(row, column)}; it is taken to be empty", once=f"column {column}")
        title = row.get(self.title_column)
        if not isinstance(title, str | None):
            raise InputError(
                place, f"{_found(row, self.title_column)}; it must hold the title (--title-column names it)"
            )
        title = (title or "").strip()
        if len(text) > MAX_LINE:
            raise InputError(place, TOO_LONG)
        kept = to_json([row.get(column) for column in self.keep])
        if not all(map(is_encodable, (text, article_id, title, kept))):
            raise InputError(place, NOT_UTF8)
        if "\0" in text or "\0" in article_id + title:
            raise InputError(place, HOLDS_NUL)
        metadata = {column: row[column] for column in ("context", *self.keep) if column in row}
        return Article(article_id or place, text, metadata, title)


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


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yields the files below a folder, in no order, and what cannot be read there with the reason."""
    unreadable: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        for file in (Path(parent, name) for name in folders + files):
            if _leads_out(file, folder):
                yield file, LEADS_OUT
            elif _is_readable(file):  # a folder may be called x.parquet: its files are listed themselves
                yield file, ""
    for error in unreadable:
        yield Path(error.filename), error.strerror or str(error)


def _is_readable(file: Path) -> bool:
    return "".join(_suffixes(file)) in SUFFIXES and not os.path.isdir(file)


def _size(name: str, path: Path) -> int:
    try:
        return 0 if name == STANDARD_INPUT else path.stat().st_size
    except OSError:  # it has been reported when it was to be read
        return 0


def _leads_out(file: Path, folder: Path) -> bool:
    return file.is_symlink() and Path(os.path.realpath(folder)) not in Path(os.path.realpath(file)).parents


def _found(row: dict, column: str) -> str:
    if column in row:
        return f"column {column!r} is {_shortened(json.dumps(row[column], default=repr))}"
    return f"no column {column!r} among {_shortened(', '.join(map(repr, row)))}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _input_error(name: str, error: OSError) -> InputError:
    return InputError(_printable(name), error.strerror or str(error))


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")


def write_text(folder: Path, article_id: str, text: str) -> None:
    """Writes the text of an article to ``<article id>.txt``, below the folder wherever the id leads.

    Raises:
        ClaimsiftError: the file cannot be written.
    """
    parts = [part for part in Path(f"{article_id}.txt").parts if part not in (os.pardir, os.sep)]
    path = folder.joinpath(*parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise ClaimsiftError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
