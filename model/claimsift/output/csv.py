"""One CSV row (RFC 4180) a sentence, under a header."""

import csv
import io
import shutil
from pathlib import Path
from typing import BinaryIO

from claimsift.articles import Article
from claimsift.output.rows import COLUMNS, to_row
from claimsift.predict import ScoredSentence


class CsvWriter:
    def __init__(self, stream: BinaryIO):
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.DictWriter(self._text, COLUMNS)
        self._writer.writeheader()

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        self._writer.writerows(to_row(article.id, index, sentence) for index, sentence in enumerate(sentences))

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
