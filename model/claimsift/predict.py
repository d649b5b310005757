"""Sentences into labels with probabilities: tokenise, batch by length, run, put back in order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from claimsift.articles import Article
from claimsift.backends import Backend, load_backend
from claimsift.errors import ClaimsiftError
from claimsift.hub import column_order, read_json, resolve_model
from claimsift.labels import LABELS
from claimsift.sentences import Sentence, split_sentences

# Sentences are sorted by length within a window: a larger one wastes less padding and holds more text in memory.
WINDOW_SENTENCES = 2048
# What a text given to score_articles is: an article to split, or one sentence already.
UNITS = ("article", "sentence")
# Tokens of one batch, padding included: enough to keep two cores busy, and small beside a GPU's memory.
BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence with its label.

    ``article[start:end] == text``, in characters; ``score`` is the probability of ``label``, ``scores`` that of each of
    the four labels; ``truncated`` says that the sentence (and its context, for a model that reads one) was longer than
    the model reads and was scored on its head.
    """

    text: str
    start: int
    end: int
    label: str
    score: float
    scores: dict[str, float]
    truncated: bool


class Predictor:
    """Labels the sentences of news articles.

    Example:
        >>> predictor = Predictor.from_pretrained()
        >>> [sentence.label for sentence in predictor.score_article("The army denied it had shelled the town.")]
        ['denial']
    """

    def __init__(self, backend: Backend, tokenizer: Tokenizer, columns: Sequence[int], context_sentences: int = 0):
        self._backend = backend
        self._tokenizer = tokenizer
        self._columns = list(columns)
        self.context_sentences = context_sentences

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, *, device: str = "auto", backend: str = "auto"
    ) -> "Predictor":
        """Loads a model.

        Args:
            model: a folder, a Hub id, or None for the model that ships with the library.
            device: ``cpu``, ``cuda``, or ``auto``, which takes a GPU when there is one.
            backend: ``torch``, or ``auto`` for the one that suits the device.

        Raises:
            ClaimsiftError: the model is not there or cannot be loaded, or the device is not there.
        """
        folder = resolve_model(model)
        config = read_json(folder / "config.json")
        return cls(
            load_backend(folder, backend, device),
            _load_tokenizer(folder),
            column_order(folder),
            config.get("context_sentences", 0),
        )

    def score_article(self, text: str) -> list[ScoredSentence]:
        """Splits an article into sentences and labels them, in text order."""
        return next(self.score_articles([text]))

    def score_articles(
        self, articles: Iterable[str | Article], unit: str = "article"
    ) -> Iterator[list[ScoredSentence]]:
        """Labels a stream of articles, batching across their borders.

        Args:
            articles: texts, or :class:`~claimsift.articles.Article`.
            unit: ``article``, or ``sentence`` where each text is one sentence already; its metadata may then hold a
                ``context``.

        Yields:
            For each article, in order, its sentences in text order; an empty list for one without any. Articles are
            drawn from the stream a window of some two thousand sentences at a time.
        """
        _refuse_text(articles)
        if unit not in UNITS:
            raise ValueError(f"unknown unit {unit!r}; choose from {', '.join(UNITS)}")
        articles = (Article("", article) if isinstance(article, str) else article for article in articles)
        if unit == "sentence":
            return self._score_groups([_whole(article.text, article.metadata.get("context"))] for article in articles)
        return self._score_groups(split_sentences(article.text, self.context_sentences) for article in articles)

    def score_sentences(self, sentences: Iterable[str], contexts: Iterable[str] | None = None) -> list[ScoredSentence]:
        """Labels sentences that are split already; one result for each, in the same order.

        Args:
            sentences: the sentences; each is scored as it is, empty ones too.
            contexts: what precedes each sentence. Only a model trained with context reads it; the shipped one does not.

        Raises:
            ValueError: there are not as many contexts as sentences.
        """
        _refuse_text(sentences)
        sentences = list(sentences)
        contexts = [None] * len(sentences) if contexts is None else list(contexts)
        groups = [[_whole(text, context)] for text, context in zip(sentences, contexts, strict=True)]
        return [scored for group in self._score_groups(groups) for scored in group]

    def _score_groups(self, groups: Iterable[list[Sentence]]) -> Iterator[list[ScoredSentence]]:
        sizes, window = [], []
        for group in groups:
            sizes.append(len(group))
            window += group
            if max(len(window), len(sizes)) >= WINDOW_SENTENCES:  # sizes alone grow where articles hold no sentence
                yield from self._score_window(sizes, window)
                sizes, window = [], []
        yield from self._score_window(sizes, window)

    def _score_window(self, sizes: list[int], window: list[Sentence]) -> Iterator[list[ScoredSentence]]:
        scored = []
        # One article may be longer than a window; its tokens are not all held at once.
        for start in range(0, len(window), WINDOW_SENTENCES):
            scored += self._score(window[start : start + WINDOW_SENTENCES])
        results = iter(scored)
        for size in sizes:
            yield [next(results) for _ in range(size)]

    def _score(self, sentences: list[Sentence]) -> list[ScoredSentence]:
        encodings = self._tokenizer.encode_batch([self._model_input(sentence) for sentence in sentences])
        token_ids = [encoding.ids for encoding in encodings]
        probabilities = np.empty((len(sentences), len(LABELS)), dtype=np.float32)
        for batch in batches_by_length([len(ids) for ids in token_ids]):
            probabilities[batch] = self._backend.probabilities([token_ids[index] for index in batch])[:, self._columns]
        return [
            _scored(sentence, row, bool(encoding.overflowing))
            for sentence, row, encoding in zip(sentences, probabilities.tolist(), encodings, strict=True)
        ]

    def _model_input(self, sentence: Sentence) -> str | tuple[str, str]:
        return (sentence.text, sentence.context) if self.context_sentences else sentence.text


def batches_by_length(lengths: Sequence[int], batch_tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Groups indices into batches of similar length.

    Args:
        lengths: tokens of each sentence.
        batch_tokens: what the longest sentence of a batch times its size may not exceed; a longer sentence makes a
            batch of its own.

    Yields:
        Indices into ``lengths``, longest first, each exactly once.
    """
    batch = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _refuse_text(texts: object) -> None:
    if isinstance(texts, str):
        raise TypeError("a list of texts is needed, and this is one text, whose characters would be scored one by one")


def _whole(text: str, context: object) -> Sentence:
    return Sentence(text, 0, len(text), context if isinstance(context, str) else "")


def _scored(sentence: Sentence, row: list[float], truncated: bool) -> ScoredSentence:
    scores = dict(zip(LABELS, row, strict=True))
    label = max(scores, key=scores.get)
    return ScoredSentence(sentence.text, sentence.start, sentence.end, label, scores[label], scores, truncated)


def _load_tokenizer(folder: Path) -> Tokenizer:
    """The model's own fast tokenizer, cutting at the length that the model was trained to read."""
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the only type that tokenizers raises
        raise ClaimsiftError(f"{path}: not a tokenizer ({error}); copy the model folder anew") from None
    tokenizer.no_padding()
    longest = read_json(folder / "config.json").get("max_position_embeddings", 512)
    trained = read_json(folder / "tokenizer_config.json").get("model_max_length", longest)
    tokenizer.enable_truncation(min(trained, longest))
    return tokenizer
