"""Files of rows into rows, each with its number, or with what is wrong with it."""

import csv
import io
import json
from collections import UserString
from collections.abc import Container, Iterable, Iterator

from claimsift.articles.lines import BUFFER_SIZE, DAMAGED, MAX_LINE, NOT_UTF8, TOO_LONG
from claimsift.errors import InputError, first_line

Rows = Iterator[tuple[int, dict | str]]

PARQUET_BATCH = 256  # rows unpacked at a time: long articles times many other columns must fit in memory

# A row of a CSV file is one article; the default limit of 128 KiB is shorter than long reads are.
csv.field_size_limit(2**31 - 1)


def jsonl_rows(lines: Iterable[bytes | None]) -> Rows:
    """Yields line number and row, or line number and what is wrong with the line; blank lines are skipped."""
    for number, line in enumerate(lines, start=1):
        if line is None:
            yield number, TOO_LONG
            continue
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not valid JSON ({error})"
            continue
        yield number, row if isinstance(row, dict) else "not a JSON object"


def csv_rows(lines: Iterable[str | None], delimiter: str) -> Rows:
    """Like :func:`jsonl_rows`; the number is that of the first line of a row that spans several.

    The rows are those of RFC 4180, with the delimiter for the comma; so spreadsheets and pandas write tabs too.
    """
    bounded = _BoundedRows(lines)
    reader = csv.reader(bounded, delimiter=delimiter, strict=True)
    header = None
    while True:
        first_line = reader.line_num + 1
        bounded.size = 0
        try:
            values = next(reader)
        except StopIteration:
            return
        except RowTooLong:
            yield first_line, f"{TOO_LONG}, or close its quotation mark; what follows was not read"
            return
        except csv.Error as error:
            yield first_line, f"not valid CSV ({error})"
            if header is None:
                return
            continue
        if header is None:
            header = values if any(map(str.strip, values)) else None
            continue
        if not values:
            continue
        if len(values) != len(header):
            yield first_line, f"{len(values)} fields where the header has {len(header)}"
            continue
        yield first_line, dict(zip(header, values, strict=True))


class RowTooLong(Exception):
    pass


class _BoundedRows:
    """Passes lines on until those since ``size`` was set to 0 are too many characters."""

    def __init__(self, lines: Iterable[str | None]):
        self._lines = iter(lines)
        self.size = 0

    def __iter__(self) -> "_BoundedRows":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if line is not None:
            self.size += len(line)
        if line is None or self.size > MAX_LINE:
            raise RowTooLong
        return line


def open_parquet(name: str, stream: io.BufferedReader):
    """Returns the file as pyarrow's ParquetFile."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InputError(name, "reading Parquet needs pyarrow; run: pip install 'claimsift[parquet]'") from error
    try:
        # With its defaults, pyarrow fetches the whole file ahead.
        return parquet.ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER_SIZE, page_checksum_verification=True)
    except (ArrowException, OSError, UnicodeDecodeError) as error:  # the last one of column names
        raise InputError(name, f"not a Parquet file, or damaged ({first_line(error)}); fetch it anew") from error


def parquet_rows(name: str, file, columns: Container[str]) -> Rows:
    """Yields the rows of a ParquetFile with their numbers, or what is wrong with them.

    A row has all columns of the file as its keys, but only the given ones are read; the others are None.
    """
    from pyarrow import ArrowException

    names = file.schema_arrow.names
    number = 0
    try:
        for batch in file.iter_batches(PARQUET_BATCH, columns=[column for column in names if column in columns]):
            for index in range(batch.num_rows):
                number += 1
                try:
                    values = {
                        column: _parquet_value(batch.column(nr), index) for nr, column in enumerate(batch.schema.names)
                    }
                except UnicodeDecodeError:
                    yield number, NOT_UTF8
                else:
                    yield number, dict.fromkeys(names) | values
    except (ArrowException, OSError) as error:
        raise InputError(f"{name}:{number + 1}", f"{DAMAGED} ({first_line(error)}); fetch it anew") from error


def _parquet_value(column, index: int) -> object:
    """Returns a value as Python's, or as a UserString where Python has none such, as for a date past the year 9999.

    Unlike a str, that cannot be taken for the text of an article.
    """
    try:
        return column[index].as_py()
    except (UnicodeDecodeError, MemoryError):
        raise
    except Exception:  # what pandas, databases of time zones and extension types raise is not written anywhere
        return UserString(" ".join(column.slice(index, 1).to_string(skip_new_lines=True)[1:-1].split()))


def to_json(value: object) -> str:
    """Returns JSON (RFC 8259); what has no form of its own there, such as a date, is text, and no number is null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # NaN or an infinity, however deep it lies
        loose = json.dumps(value, default=str)
        return json.dumps(json.loads(loose, parse_constant=lambda name: None), ensure_ascii=False)
