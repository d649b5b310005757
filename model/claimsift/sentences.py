"""Articles into sentences, with exact character offsets."""

import re
from dataclasses import dataclass

import sentencex

# An initial before its full stop, with white space between that is no ASCII: sentencex 1.0.32 panics there.
SPACED_INITIAL = re.compile(r"([A-Z]\s*)[^\S\x00-\x7f]\.")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of an article: ``article[start:end] == text``, in characters (code points).

    ``context`` holds the sentences just before it, for models that read them; ``furniture`` says that it is none of the
    article's, as :mod:`claimsift.furniture` finds.
    """

    text: str
    start: int
    end: int
    context: str = ""
    furniture: bool = False


def split_sentences(text: str, context_sentences: int = 0) -> list[Sentence]:
    """Splits an English article into its sentences.

    Boundaries are those of `sentencex <https://github.com/wikimedia/sentencex>`_ (MIT), which keeps a quotation
    together with its attribution. A line break always ends a sentence, since headlines, captions and bylines carry
    no full stop; white space around a sentence belongs to none.

    Args:
        text: the article.
        context_sentences: how many preceding sentences each sentence gets as its ``context``.

    Returns:
        The sentences in text order; none for a text of white space alone.
    """
    boundaries = sentencex.get_sentence_boundaries("en", SPACED_INITIAL.sub(r"\1 .", text))
    spans = [
        span
        for boundary in boundaries
        for span in _split_at_line_breaks(text, boundary["start_index"], boundary["end_index"])
    ]
    return [
        Sentence(text[start:end], start, end, _context(text, spans[max(0, index - context_sentences) : index]))
        for index, (start, end) in enumerate(spans)
    ]


def _split_at_line_breaks(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    for line in text[start:end].splitlines(keepends=True):
        stripped = line.strip()
        if stripped:
            first = start + len(line) - len(line.lstrip())
            spans.append((first, first + len(stripped)))
        start += len(line)
    return spans


def _context(text: str, spans: list[tuple[int, int]]) -> str:
    return " ".join(text[start:end] for start, end in spans)
