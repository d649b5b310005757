import json
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from claimsift import Article, ClaimsiftError, Predictor
from claimsift.labels import LABELS
from claimsift.predict import WINDOW_SENTENCES, ScoreCache, batches_by_length

ARTICLE = (ROOT / "examples" / "ferry.txt").read_text()


def test_sentences_come_in_text_order_with_exact_offsets(predictor):
    scored = predictor.score_article(ARTICLE)
    assert len(scored) == 11
    assert [ARTICLE[s.start : s.end] for s in scored] == [s.text for s in scored]
    assert sorted(scored, key=lambda s: s.start) == scored
    for sentence in scored:
        assert tuple(sentence.scores) == LABELS
        assert sum(sentence.scores.values()) == pytest.approx(1, abs=1e-5)
        assert sentence.score == sentence.scores[sentence.label] == max(sentence.scores.values())
        assert not sentence.truncated


@pytest.mark.parametrize(
    ("sentence", "label"),
    [
        ("Local officials said the cell had been broken up.", "claim"),
        ("The ministry denied that its aircraft had been in the area.", "denial"),
        ("It was not immediately clear how many people were on board.", "unverified_report"),
        ("He allegedly ran the scheme from his kitchen.", "unverified_report"),
        ("The army seized the town in May.", "background"),
        ("Share this story", "background"),
    ],
)
def test_the_shipped_model_knows_the_plain_cases_of_the_guidelines(predictor, sentence, label):
    assert predictor.score_sentences([sentence])[0].label == label


def test_a_stream_of_articles_gives_what_each_article_gives_alone(predictor):
    texts = [ARTICLE, "", "One sentence.", " \n ", ARTICLE[:300]]
    alone = [predictor.score_article(text) for text in texts]
    for streamed, single in zip(predictor.score_articles(iter(texts)), alone, strict=True):
        assert [(s.text, s.start, s.label) for s in streamed] == [(s.text, s.start, s.label) for s in single]
        for a, b in zip(streamed, single, strict=True):
            assert a.scores == pytest.approx(b.scores, abs=1e-4)


def test_a_stream_is_drawn_window_by_window(predictor):
    drawn = 0

    def endless():
        nonlocal drawn
        while True:
            drawn += 1
            yield Article(str(drawn), "Sentence. " * 500)

    results = predictor.score_articles(endless())
    assert len(next(results)) == 500
    assert drawn <= 2 * (WINDOW_SENTENCES // 500 + 1)  # one window ahead


def test_an_article_longer_than_a_window_is_scored_whole(predictor):
    count = 2 * WINDOW_SENTENCES + 1
    assert len(predictor.score_article("Go.\n" * count)) == count


def test_split_sentences_keep_their_order_and_number(predictor):
    sentences = ["Police said two men were held.", "", "He denied it.", "x", "Police said two men were held."]
    scored = predictor.score_sentences(sentences)
    assert [(s.text, s.start, s.end) for s in scored] == [(text, 0, len(text)) for text in sentences]
    assert scored[0].scores == pytest.approx(scored[4].scores, abs=1e-4)


def test_each_sentence_may_come_with_its_context(predictor):
    assert len(predictor.score_sentences(["He denied it."], contexts=["He was accused of theft."])) == 1
    with pytest.raises(ValueError, match="shorter"):
        predictor.score_sentences(["One.", "Two."], contexts=["Zero."])


def test_a_long_sentence_is_scored_on_its_head_and_marked(predictor):
    head = "The ministry denied that " + "very " * 200
    long, short, longer = predictor.score_sentences([head, "Short.", head + "very " * 5000])
    assert (long.truncated, short.truncated, longer.truncated) == (True, False, True)
    assert long.scores == pytest.approx(longer.scores, abs=1e-4)
    assert longer.end == len(longer.text)


def test_one_text_is_not_taken_for_many(predictor):
    with pytest.raises(TypeError, match="list of texts"):
        predictor.score_sentences("He denied it.")
    with pytest.raises(TypeError, match="list of texts"):
        predictor.score_articles("He denied it.")


@pytest.mark.parametrize(
    "score",
    [
        lambda predictor, text: predictor.score_article(text),
        lambda predictor, text: list(predictor.score_articles(["One.", Article("a", text)])),
        lambda predictor, text: list(predictor.score_articles([text], unit="sentence")),
        lambda predictor, text: predictor.score_sentences(["One.", text]),
    ],
)
def test_what_is_no_text_is_refused(predictor, score):
    for text in (None, b"The army denied it.", 3):
        with pytest.raises(TypeError, match=f"is a str, not {type(text).__name__}"):
            score(predictor, text)
    with pytest.raises(ClaimsiftError, match="half of a surrogate pair"):
        score(predictor, "The army denied it \ud83d.")
    assert predictor.score_article("The army denied it.")[0].label == "denial"  # it goes on after that


def test_a_context_that_is_no_text_is_refused_where_it_is_read(predictor, monkeypatch):
    assert predictor.score_sentences(["One."], ["\ud83d"])
    monkeypatch.setattr(predictor, "context_sentences", 2)
    with pytest.raises(ClaimsiftError, match="half of a surrogate pair"):
        predictor.score_sentences(["One."], ["\ud83d"])


def test_an_unknown_unit_is_refused(predictor):
    with pytest.raises(ValueError, match="unknown unit 'word'"):
        predictor.score_articles(["One."], unit="word")


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 2000), st.booleans())
def test_batches_hold_every_index_once_under_the_token_budget(lengths, budget, equal):
    batches = list(batches_by_length(lengths, budget, equal))
    assert Counter(index for batch in batches for index in batch) == Counter(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget
        assert not equal or all(lengths[index] == longest for index in batch)


def test_a_sentence_scores_the_same_to_the_last_bit_whatever_it_comes_with(predictor):
    texts = [f"The ministry denied report {'very ' * (number % 9)}number {number}." for number in range(60)]
    together = predictor.score_sentences(texts)
    fresh = Predictor.from_pretrained(device="cpu")
    assert [fresh.score_sentences([text])[0] for text in texts] == together


def test_a_sentence_that_comes_again_is_not_scored_again(monkeypatch):
    predictor = Predictor.from_pretrained(device="cpu")
    scored = []
    run = predictor._backend.probabilities
    monkeypatch.setattr(predictor._backend, "probabilities", lambda ids: scored.extend(ids) or run(ids))
    first = predictor.score_sentences(["He denied it.", "He left.", "He denied it."])
    again = predictor.score_sentences(["He left.", "It rained."])
    assert len(scored) == 3
    assert first[0] == first[2]
    assert first[1] == again[0]
    assert predictor.repeated == 2 / 5


def test_the_cache_keeps_what_was_asked_for_last():
    cache = ScoreCache(2)
    for key in "ab":
        cache.put(key, ([1.0], False))
    assert cache.get("a")
    cache.put("c", ([1.0], False))
    assert [key for key in "abc" if cache.get(key)] == ["a", "c"]


@pytest.mark.parametrize("long", ["x" * 100_000, ("He said so.", "x" * 100_000)])
def test_the_cache_does_not_fill_the_memory_with_long_sentences(long):
    cache = ScoreCache(1000)
    cache.put(long, ([1.0], False))
    assert cache.get(long) is None
    cache.put("He said so.", ([1.0], False))
    assert cache.get("He said so.")


def test_the_backends_agree(predictor, monkeypatch):
    """Over the sentences written for the dataset; the release was checked on dev."""
    with (ROOT / "data" / "annotations" / "written.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in islice(lines, 300)]
    reference = Predictor.from_pretrained(device="cpu", backend="torch").score_sentences(texts)
    ours = predictor.score_sentences(texts)
    assert np.mean([a.label == b.label for a, b in zip(ours, reference, strict=True)]) >= 0.98
    assert np.mean([abs(a.score - b.score) for a, b in zip(ours, reference, strict=True)]) < 0.02


def test_the_plain_pipeline_of_transformers_gives_the_same_labels():
    from transformers import pipeline

    from claimsift.hub import SHIPPED_MODEL

    reference = Predictor.from_pretrained(device="cpu", backend="torch")
    ours = reference.score_article(ARTICLE)
    theirs = pipeline("text-classification", model=str(SHIPPED_MODEL), device="cpu")([s.text for s in ours])
    assert [result["label"] for result in theirs] == [s.label for s in ours]
    assert [result["score"] for result in theirs] == pytest.approx([s.score for s in ours], abs=1e-4)
