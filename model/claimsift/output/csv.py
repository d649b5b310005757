"""One CSV row (RFC 4180) a sentence, under a header."""

import csv
from typing import TextIO

from claimsift.output.rows import COLUMNS, to_row
from claimsift.predict import ScoredSentence


class CsvWriter:
    def __init__(self, stream: TextIO):
        self._writer = csv.DictWriter(stream, COLUMNS)
        self._writer.writeheader()

    def write(self, article_id: str, sentences: list[ScoredSentence]) -> None:
        self._writer.writerows(to_row(article_id, index, sentence) for index, sentence in enumerate(sentences))
