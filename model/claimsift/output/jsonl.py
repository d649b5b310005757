"""One JSON object a sentence."""

import json
from typing import BinaryIO

from claimsift.articles import Article
from claimsift.output.rows import concatenate, to_row
from claimsift.predict import ScoredSentence


class JsonlWriter:
    join = staticmethod(concatenate)

    def __init__(self, stream: BinaryIO):
        self._stream = stream

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        rows = (to_row(article.id, index, sentence) for index, sentence in enumerate(sentences))
        self._stream.writelines(f"{json.dumps(row, ensure_ascii=False)}\n".encode() for row in rows)

    def close(self) -> None:
        pass
