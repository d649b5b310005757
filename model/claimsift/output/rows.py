"""The row that every tabular format writes for a sentence."""

import shutil
from pathlib import Path
from typing import BinaryIO

from claimsift.labels import LABELS
from claimsift.predict import ScoredSentence

COLUMNS = ("article_id", "sentence_index", "start", "end", "text", "label", "score", *LABELS, "truncated")


def to_row(article_id: str, index: int, sentence: ScoredSentence) -> dict:
    """Returns the row of a sentence; probabilities are rounded to six digits, more than a float32 can mean."""
    return {
        "article_id": article_id,
        "sentence_index": index,
        "start": sentence.start,
        "end": sentence.end,
        "text": sentence.text,
        "label": sentence.label,
        "score": round(sentence.score, 6),
        **{label: round(score, 6) for label, score in sentence.scores.items()},
        "truncated": sentence.truncated,
    }


def concatenate(parts: list[Path], stream: BinaryIO) -> None:
    """Joins files of a format that has neither head nor foot."""
    for path in parts:
        with path.open("rb") as part:
            shutil.copyfileobj(part, stream)
