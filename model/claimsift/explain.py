"""Which words carry a sentence's label, found by occlusion.

Each word, and each pair of neighbours, is left out in turn and the sentence scored anew: what carries the label is what
its probability falls without. Zeiler and Fergus (2014, https://arxiv.org/abs/1311.2901) cover patches of images so, Li,
Monroe and Jurafsky (2016, https://arxiv.org/abs/1612.08220) erase words. It needs nothing but scores, hence works with
every backend, and tells what this model leans on, not why a sentence is what it is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from claimsift.articles import Article
from claimsift.labels import BACKGROUND
from claimsift.predict import OUTSIDE, Predictor, ScoredSentence

LONGEST_SPAN = 2  # words that are left out together: of two cues side by side, either alone may not be missed
MOST_WORDS = 128  # those behind are not weighed: the shipped model reads no more tokens, and a word is one at least


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence: ``sentence[start:end] == text``, in characters.

    ``weight`` says how far the probability of the sentence's label falls without it: the mean, over the spans that
    hold the word, of the fall per word. It is negative for a word that speaks against the label.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class ExplainedSentence(ScoredSentence):
    """A scored sentence with its first 128 words, in text order; what is between two white spaces is a word."""

    words: tuple[Word, ...] = ()


def explain(
    predictor: Predictor, sentences: Sequence[ScoredSentence], contexts: Sequence[str] | None = None
) -> list[ExplainedSentence]:
    """Weighs the words of sentences; a sentence of n words is scored 2n - 1 times, all of them in one batch.

    Args:
        predictor: the one that scored them.
        sentences: what to explain.
        contexts: what preceded each sentence when it was scored, for a model that reads it.

    Raises:
        ValueError: there are not as many contexts as sentences.
    """
    contexts = [""] * len(sentences) if contexts is None else contexts
    found = [list(re.finditer(r"\S+", sentence.text))[:MOST_WORDS] for sentence in sentences]
    spans = [_spans(len(words)) for words in found]
    texts, texts_contexts = [], []
    for sentence, context, words, its_spans in zip(sentences, contexts, found, spans, strict=True):
        texts += (sentence.text[: words[a].start()] + sentence.text[words[b - 1].end() :] for a, b in its_spans)
        texts_contexts += [context] * len(its_spans)
    rescored = iter(predictor.score_sentences(texts, texts_contexts))
    return [_explained(*each, rescored) for each in zip(sentences, found, spans, strict=True)]


def explain_articles(
    predictor: Predictor, articles: Iterable[tuple[Article, list[ScoredSentence]]], unit: str
) -> Iterator[tuple[Article, list[ScoredSentence]]]:
    """Passes on scored articles, with every sentence explained that is not background."""
    for article, sentences in articles:
        chosen = [index for index, sentence in enumerate(sentences) if sentence.label != BACKGROUND]
        contexts = [_context(article, sentences[:index], unit, predictor.context_sentences) for index in chosen]
        explained = dict(zip(chosen, explain(predictor, [sentences[index] for index in chosen], contexts), strict=True))
        yield article, [explained.get(index, sentence) for index, sentence in enumerate(sentences)]


def levels(words: Sequence[Word]) -> list[int]:
    """Returns how strongly to tint each word, from 0 (not at all) to 3, by its share of the greatest weight.

    Where leaving out any word changes next to nothing, none is tinted.
    """
    greatest = max((word.weight for word in words), default=0.0)
    if greatest < 0.001:
        return [0] * len(words)
    return [sum(word.weight >= share * greatest for share in (0.15, 0.4, 0.75)) for word in words]


def _spans(words: int) -> list[tuple[int, int]]:
    lengths = range(1, min(LONGEST_SPAN, words) + 1)
    return [(start, start + length) for length in lengths for start in range(words - length + 1)]


def _explained(
    sentence: ScoredSentence, found: list[re.Match], spans: list[tuple[int, int]], rescored: Iterator[ScoredSentence]
) -> ExplainedSentence:
    falls: list[list[float]] = [[] for _ in found]
    for start, end in spans:
        fall = (sentence.score - next(rescored).scores[sentence.label]) / (end - start)
        for index in range(start, end):
            falls[index].append(fall)
    words = tuple(
        Word(match.group(), match.start(), match.end(), sum(its_falls) / len(its_falls))
        for match, its_falls in zip(found, falls, strict=True)
    )
    return ExplainedSentence(*(getattr(sentence, field.name) for field in fields(ScoredSentence)), words=words)


def _context(article: Article, before: list[ScoredSentence], unit: str, size: int) -> str:
    """What the model read before a sentence when the article was scored."""
    if unit == "sentence":
        context = article.metadata.get("context")
        return context if isinstance(context, str) else ""
    in_text = [sentence.text for sentence in before if sentence.start != OUTSIDE]
    return " ".join(in_text[-size:]) if size else ""
