"""The row that every tabular format writes for a sentence."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from claimsift.articles import Article
from claimsift.articles.rows import to_json
from claimsift.labels import LABELS
from claimsift.predict import ScoredSentence

COLUMNS = ("article_id", "sentence_index", "start", "end", "text", "label", "score", *LABELS, "truncated", "furniture")


def to_rows(
    article: Article, sentences: list[ScoredSentence], keep: Sequence[str] = (), skip_furniture: bool = False
) -> Iterator[dict]:
    """Yields the rows of an article.

    Args:
        keep: columns of the article's own row that each of its rows repeats; None where it has none.
        skip_furniture: whether page furniture gets no row. The others keep their ``sentence_index``.
    """
    kept = {column: article.metadata.get(column) for column in keep}
    for index, sentence in enumerate(sentences):
        if not (skip_furniture and sentence.furniture):
            yield to_row(article.id, index, sentence) | kept


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
        "furniture": sentence.furniture,
    }


def as_text(value: object) -> str | None:
    """Returns a kept value for formats whose columns have one type: a list or a mapping as JSON, others as text.

    None stands for what JSON calls null: a missing value, or a float that is no number or infinite.
    """
    if isinstance(value, bool | int | float | list | dict):
        text = to_json(value)
        return None if text == "null" else text
    return None if value is None else str(value)


def concatenate(parts: list[Path], stream: BinaryIO) -> None:
    """Joins files of a format that has neither head nor foot."""
    for path in parts:
        with path.open("rb") as part:
            shutil.copyfileobj(part, stream)
