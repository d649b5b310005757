"""One JSON object a sentence."""

import json
from typing import TextIO

from claimsift.output.rows import to_row
from claimsift.predict import ScoredSentence


class JsonlWriter:
    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, article_id: str, sentences: list[ScoredSentence]) -> None:
        for index, sentence in enumerate(sentences):
            self._stream.write(json.dumps(to_row(article_id, index, sentence), ensure_ascii=False) + "\n")
