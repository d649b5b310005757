"""One CSV row (RFC 4180) a sentence, under a header."""

import csv
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from claimsift.articles import Article
from claimsift.output.rows import COLUMNS, as_text, to_rows
from claimsift.predict import ScoredSentence

# With one of these a formula begins: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CsvWriter:
    """With ``escape_formulas``, text that a spreadsheet would take for a formula gets an apostrophe before it."""

    def __init__(
        self,
        stream: BinaryIO,
        keep: Sequence[str] = (),
        skip_furniture: bool = False,
        escape_formulas: bool = False,
    ):
        self._keep, self._skip_furniture = keep, skip_furniture
        self._escape = escape_formula if escape_formulas else lambda value: value
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.DictWriter(self._text, [*COLUMNS, *dict.fromkeys(keep)])
        self._writer.writeheader()

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        for row in to_rows(article, sentences, self._keep, self._skip_furniture):
            row |= {column: as_text(row[column]) for column in self._keep}
            self._writer.writerow({column: self._escape(value) for column, value in row.items()})

    def close(self) -> None:
        self._text.detach()  # else it would close the stream too

    @staticmethod
    def join(parts: list[Path], stream: BinaryIO) -> None:
        for number, path in enumerate(parts):
            with path.open("rb") as part:
                header = part.readline()
                if number == 0:
                    stream.write(header)
                shutil.copyfileobj(part, stream)


def escape_formula(value: object) -> object:
    """Returns text as a spreadsheet shows it as it is, and anything else unchanged."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
