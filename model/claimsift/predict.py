"""Sentences into labels with probabilities: tokenise, batch by length, run, put back in order.

A window of sentences is read, tokenised and cut into batches while threads still run the batches of the one before.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from claimsift.articles import Article
from claimsift.articles.lines import is_encodable
from claimsift.backends import Backend, load_backend
from claimsift.errors import ClaimsiftError
from claimsift.furniture import find_furniture
from claimsift.hub import column_order, read_json, resolve_model
from claimsift.labels import BACKGROUND, LABELS
from claimsift.sentences import Sentence, split_sentences

# Sentences are sorted by length within a window: a larger one wastes less padding and holds more text in memory.
WINDOW_SENTENCES = 4096
# What a text given to score_articles is: an article to split, or one sentence already.
UNITS = ("article", "sentence")
# Where the title of an article starts and ends: not in its text.
OUTSIDE = -1
# Sentences whose scores are remembered, since news agencies' copy and page furniture come again and again: some 30 MB.
# Text without full stops, whose sentences have no bound, would take gigabytes; with a limit it is 160 MB at most.
REMEMBERED_SENTENCES = 65_536
LONGEST_REMEMBERED = 500  # characters, with the context


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence with its label.

    ``article[start:end] == text``, in characters; ``score`` is the probability of ``label``, ``scores`` that of each of
    the four labels; ``truncated`` says that the sentence (and its context, for a model that reads one) was longer than
    the model reads and was scored on its head. ``furniture`` says that it is page furniture, which the model is not
    asked about: it is ``background`` with a probability of 1. The title of an article stands outside its text: its
    ``start`` and ``end`` are -1.
    """

    text: str
    start: int
    end: int
    label: str
    score: float
    scores: dict[str, float]
    truncated: bool
    furniture: bool = False


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
        self._threads = ThreadPoolExecutor(backend.workers, "claimsift") if backend.workers else None
        self._cache = ScoreCache(REMEMBERED_SENTENCES)
        self.context_sentences = context_sentences

    @property
    def repeated(self) -> float:
        """The share of the sentences so far that had been scored before, and were not scored again."""
        return self._cache.repeated / max(1, self._cache.sentences)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        revision: str | None = None,
        device: str = "auto",
        backend: str = "auto",
        threads: int | None = None,
    ) -> "Predictor":
        """Loads a model.

        Args:
            model: a folder, a Hub id, or None for the model that ships with the library.
            revision: the branch, tag or commit of a Hub model; by default the branch ``main``.
            device: ``cpu``, ``cuda``, or ``auto``, which takes a GPU when there is one.
            backend: ``onnx``, ``torch``, or ``auto`` for the one that suits the device.
            threads: how many cores the ``onnx`` backend keeps busy; by default all that this process may use.

        Raises:
            ClaimsiftError: the model is not there or cannot be loaded, or the device is not there.
        """
        folder = resolve_model(model, revision)
        config = read_json(folder / "config.json")
        return cls(
            load_backend(folder, backend, device, threads),
            load_tokenizer(folder),
            column_order(folder),
            config.get("context_sentences", 0),
        )

    def score_article(self, text: str) -> list[ScoredSentence]:
        """Splits an article into sentences and labels them, in text order.

        Raises:
            TypeError: the article is no ``str``; bytes have to be decoded first.
            ClaimsiftError: it holds half of a surrogate pair, which stands for no character.
        """
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
            For each article, in order, its title if it has one, and its sentences in text order; an empty list for one
            without any. Articles are drawn from the stream a window of some four thousand sentences at a time, and one
            window ahead.

        Raises:
            TypeError: an article is neither; or one text is given instead of a stream of them.
            ClaimsiftError: an article holds half of a surrogate pair, which stands for no character.
            ValueError: the unit is unknown.
        """
        _refuse_text(articles)
        if unit not in UNITS:
            raise ValueError(f"unknown unit {unit!r}; choose from {', '.join(UNITS)}")
        articles = map(_as_article, articles)
        if unit == "sentence":
            return self._score_groups([_whole(article.text, article.metadata.get("context"))] for article in articles)
        return self._score_groups(self._sentences(article) for article in articles)

    def score_sentences(self, sentences: Iterable[str], contexts: Iterable[str] | None = None) -> list[ScoredSentence]:
        """Labels sentences that are split already; one result for each, in the same order.

        Args:
            sentences: the sentences; each is scored as it is, empty ones too.
            contexts: what precedes each sentence. Only a model trained with context reads it; the shipped one does not.

        Raises:
            TypeError: a sentence is no ``str``; or one text is given instead of a list of them.
            ClaimsiftError: a sentence, or a context that is read, holds half of a surrogate pair.
            ValueError: there are not as many contexts as sentences.
        """
        _refuse_text(sentences)
        sentences = list(sentences)
        contexts = [None] * len(sentences) if contexts is None else list(contexts)
        groups = [[_whole(text, context)] for text, context in zip(sentences, contexts, strict=True)]
        return [scored for group in self._score_groups(groups) for scored in group]

    def _sentences(self, article: Article) -> list[Sentence]:
        sentences = split_sentences(article.text, self.context_sentences)
        marked = zip(sentences, find_furniture(article.text, sentences), strict=True)
        title = [Sentence(article.title, OUTSIDE, OUTSIDE)] if article.title else []
        return title + [replace(sentence, furniture=True) if mark else sentence for sentence, mark in marked]

    def _score_groups(self, groups: Iterable[list[Sentence]]) -> Iterator[list[ScoredSentence]]:
        article = []
        for sentences, ends in self._score_pieces(groups):
            article += sentences
            if ends:
                yield article
                article = []

    def _score_pieces(self, groups: Iterable[list[Sentence]]) -> Iterator[tuple[list[ScoredSentence], bool]]:
        under_way: deque[Window] = deque()
        try:
            for window in _windows(groups):
                under_way.append(window)
                self._start(window)
                if len(under_way) > 1:
                    yield from self._finish(under_way.popleft())
            while under_way:
                yield from self._finish(under_way.popleft())
        finally:  # whoever reads the results may have had enough
            for future in (future for window in under_way for _, future in window.runs):
                future.cancel()

    def _start(self, window: "Window") -> None:
        """Hands the sentences whose scores are not known yet to the threads, each once."""
        window.keys = [None if sentence.furniture else self._model_input(sentence) for sentence in window.sentences]
        to_score = [key for key in window.keys if key is not None]
        window.scores = {None: FURNITURE} | {key: self._cache.get(key) for key in dict.fromkeys(to_score)}
        new = [key for key, scores in window.scores.items() if scores is None]
        self._cache.count(len(to_score), len(new))
        encodings = self._tokenizer.encode_batch_fast(new)
        for batch in self._batches([len(encoding) for encoding in encodings]):
            members = [(new[index], bool(encodings[index].overflowing)) for index in batch]
            token_ids = [encodings[index].ids for index in batch]
            window.runs.append((members, self._run(token_ids)))

    def _run(self, token_ids: list[list[int]]) -> Future:
        if self._threads:
            return self._threads.submit(self._backend.probabilities, token_ids)
        done = Future()
        done.set_result(self._backend.probabilities(token_ids))
        return done

    def _finish(self, window: "Window") -> Iterator[tuple[list[ScoredSentence], bool]]:
        for members, future in window.runs:
            for (key, truncated), row in zip(members, future.result()[:, self._columns].tolist(), strict=True):
                window.scores[key] = row, truncated
                self._cache.put(key, (row, truncated))
        results = (_scored(*pair) for pair in zip(window.sentences, map(window.scores.get, window.keys), strict=True))
        for size, ends in window.pieces:
            yield list(islice(results, size)), ends

    def _batches(self, lengths: list[int]) -> Iterator[list[int]]:
        return batches_by_length(lengths, self._backend.batch_tokens, equal=not self._backend.pads)

    def _model_input(self, sentence: Sentence) -> "Key":
        return (sentence.text, _checked(sentence.context)) if self.context_sentences else sentence.text


Key = str | tuple[str, str]  # what the model reads: a sentence, or a sentence and its context
Scores = tuple[list[float], bool]  # four probabilities, and whether the sentence was cut
FURNITURE: Scores = [float(label == BACKGROUND) for label in LABELS], False


@dataclass
class Window:
    """Articles, or pieces of long ones, that are scored together, and what has become of their sentences.

    A piece is a number of sentences, and whether an article ends with them.
    """

    pieces: list[tuple[int, bool]] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    keys: list[Key | None] = field(default_factory=list)  # None for furniture
    scores: dict[Key | None, Scores | None] = field(default_factory=dict)
    runs: list[tuple[list[tuple[Key, bool]], Future]] = field(default_factory=list)


def _windows(groups: Iterable[list[Sentence]]) -> Iterator[Window]:
    window = Window()
    for group in groups:
        for piece, ends in _pieces(group):
            window.pieces.append((len(piece), ends))
            window.sentences += piece
            # The pieces alone grow where articles hold no sentence.
            if max(len(window.sentences), len(window.pieces)) >= WINDOW_SENTENCES:
                yield window
                window = Window()
    yield window


def _pieces(group: list[Sentence]) -> Iterator[tuple[list[Sentence], bool]]:
    """Cuts a long article, whose tokens would take some kilobytes a sentence if it were one window."""
    for start in range(0, max(1, len(group)), WINDOW_SENTENCES):
        end = start + WINDOW_SENTENCES
        yield group[start:end], end >= len(group)


class ScoreCache:
    """Remembers the scores of the sentences that were last asked for, but of none that is very long."""

    def __init__(self, size: int):
        self._size = size
        self._scores: OrderedDict[Key, Scores] = OrderedDict()
        self.sentences = self.repeated = 0

    def get(self, key: Key) -> Scores | None:
        if key in self._scores:
            self._scores.move_to_end(key)
        return self._scores.get(key)

    def put(self, key: Key, scores: Scores) -> None:
        if (len(key) if isinstance(key, str) else sum(map(len, key))) > LONGEST_REMEMBERED:
            return
        self._scores[key] = scores
        if len(self._scores) > self._size:
            self._scores.popitem(last=False)

    def count(self, sentences: int, new: int) -> None:
        self.sentences += sentences
        self.repeated += sentences - new


def batches_by_length(lengths: Sequence[int], batch_tokens: int, equal: bool = False) -> Iterator[list[int]]:
    """Groups indices into batches of similar length.

    Args:
        lengths: tokens of each sentence.
        batch_tokens: what the longest sentence of a batch times its size may not exceed; a longer sentence makes a
            batch of its own.
        equal: whether all sentences of a batch have the same length.

    Yields:
        Indices into ``lengths``, longest first, each exactly once.
    """
    batch = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        longest = lengths[batch[0]] if batch else 0
        if batch and (longest * (len(batch) + 1) > batch_tokens or (equal and lengths[index] != longest)):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _refuse_text(texts: object) -> None:
    if isinstance(texts, str):
        raise TypeError("a list of texts is needed, and this is one text, whose characters would be scored one by one")


def _as_article(article: str | Article) -> Article:
    article = article if isinstance(article, Article) else Article("", article)
    _checked(article.text)
    _checked(article.title)
    return article


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a text to score is a str, not {type(text).__name__}; decode bytes, leave out what is missing")
    if not is_encodable(text):
        raise ClaimsiftError("a text holds half of a surrogate pair; decode it anew, or replace that, and score it")
    return text


def _whole(text: str, context: object) -> Sentence:
    return Sentence(_checked(text), 0, len(text), context if isinstance(context, str) else "")


def _scored(sentence: Sentence, known: Scores) -> ScoredSentence:
    row, truncated = known
    scores = dict(zip(LABELS, row, strict=True))
    label = max(scores, key=scores.get)
    place = sentence.text, sentence.start, sentence.end
    return ScoredSentence(*place, label, scores[label], scores, truncated, sentence.furniture)


def load_tokenizer(folder: Path) -> Tokenizer:
    """The model's own fast tokenizer, cutting at the length that the model was trained to read."""
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the only type that tokenizers raises
        raise ClaimsiftError(f"{path}: not a tokenizer ({error}); copy the model folder anew") from None
    tokenizer.no_padding()
    longest = read_json(folder / "config.json").get("max_position_embeddings", 512)
    trained = read_json(folder / "tokenizer_config.json").get("model_max_length", longest)
    try:
        tokenizer.enable_truncation(min(trained, longest))
    except (TypeError, ValueError, OverflowError):
        raise ClaimsiftError(
            f"{folder}: cannot read {trained!r} of {longest!r} tokens (model_max_length, max_position_embeddings); "
            "copy the model folder anew"
        ) from None
    return tokenizer
