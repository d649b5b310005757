"""One JSON object a sentence."""

from collections.abc import Sequence
from typing import BinaryIO

from claimsift.articles import Article
from claimsift.articles.rows import to_json
from claimsift.output.rows import concatenate, to_rows
from claimsift.predict import ScoredSentence


class JsonlWriter:
    join = staticmethod(concatenate)

    def __init__(self, stream: BinaryIO, keep: Sequence[str] = (), skip_furniture: bool = False):
        self._stream, self._keep, self._skip_furniture = stream, keep, skip_furniture

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        rows = to_rows(article, sentences, self._keep, self._skip_furniture)
        self._stream.writelines(f"{to_json(row)}\n".encode() for row in rows)

    def close(self) -> None:
        pass
