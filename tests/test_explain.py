import json
import random
import subprocess
import sys

import pytest
from conftest import ANNOTATIONS

from claimsift import cli
from claimsift.articles import Article
from claimsift.explain import ExplainedSentence, Word, explain, explain_articles, levels
from claimsift.labels import BACKGROUND

DENIAL = "Norlinje, the operator, denied that any fault had been logged."
REMOVED = 2


@pytest.fixture(scope="module")
def written():
    """Forty sentences written for the dataset, of the three labels that an explanation is for."""
    rows = [json.loads(line) for line in (ANNOTATIONS / "written.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows if row["label"] != BACKGROUND and 8 <= len(row["text"].split()) <= 40]
    return random.Random(0).sample(texts, 40)


def without(sentence, dropped):
    return " ".join(word.text for index, word in enumerate(sentence.words) if index not in dropped)


def test_without_its_heaviest_words_a_sentence_loses_more_of_its_label_than_without_random_ones(predictor, written):
    explained = explain(predictor, predictor.score_sentences(written))
    draw = random.Random(1)
    heaviest, any_words = [], []
    for sentence in explained:
        places = range(len(sentence.words))
        heaviest.append(sorted(places, key=lambda index: -sentence.words[index].weight)[:REMOVED])
        any_words.append(draw.sample(places, REMOVED))

    def mean_fall(choices):
        rescored = predictor.score_sentences(map(without, explained, choices))
        falls = [one.score - other.scores[one.label] for one, other in zip(explained, rescored, strict=True)]
        return sum(falls) / len(falls)

    assert mean_fall(heaviest) > mean_fall(any_words) + 0.3


def test_the_word_that_denies_carries_a_denial(predictor):
    (sentence,) = explain(predictor, predictor.score_sentences([DENIAL]))
    assert sentence.label == "denial"
    assert max(sentence.words, key=lambda word: word.weight).text == "denied"
    assert levels(sentence.words)[3] == 3


def test_words_point_into_the_sentence_and_what_is_scored_stays_as_it_was(predictor):
    text = "  He  said\tit\nwas “so”. "
    (scored,) = predictor.score_sentences([text])
    (sentence,) = explain(predictor, [scored])
    assert [word.text for word in sentence.words] == text.split()
    assert all(text[word.start : word.end] == word.text for word in sentence.words)
    assert (sentence.label, sentence.scores, sentence.start) == (scored.label, scored.scores, scored.start)


def test_the_weight_of_a_word_is_its_share_of_what_its_spans_lose(predictor):
    (scored,) = predictor.score_sentences(["He denied it."])
    (sentence,) = explain(predictor, [scored])
    spans = {"He": ["denied it.", " it."], "denied": ["He it.", " it.", "He "], "it.": ["He denied", "He "]}
    for word in sentence.words:
        rescored = predictor.score_sentences(spans[word.text])
        falls = [scored.score - other.scores[scored.label] for other in rescored]
        shares = [falls[0], *(fall / 2 for fall in falls[1:])]
        assert word.weight == pytest.approx(sum(shares) / len(shares), abs=1e-6)


@pytest.mark.parametrize("text", ["", " ", "No.", "word " * 140])
def test_sentences_of_any_length_are_explained(predictor, text):
    (sentence,) = explain(predictor, predictor.score_sentences([text]))
    assert len(sentence.words) == min(128, len(text.split()))


def test_no_word_is_tinted_where_none_matters():
    assert levels([]) == []
    assert levels([Word("a", 0, 1, 0.0), Word("b", 2, 3, -0.5)]) == [0, 0]
    assert levels([Word("a", 0, 1, 0.5), Word("b", 2, 3, 0.25), Word("c", 4, 5, 0.1)]) == [3, 2, 1]


def test_only_what_is_not_background_is_explained_in_articles(predictor):
    text = f"{DENIAL} The ship was built in 1994."
    scored = [(Article("a", text), predictor.score_article(text))]
    ((_, sentences),) = explain_articles(predictor, scored, "article")
    assert [(one.label, isinstance(one, ExplainedSentence)) for one in sentences] == [
        ("denial", True),
        (BACKGROUND, False),
    ]


def test_a_model_that_reads_context_is_asked_with_it():
    class Contextual:
        """Takes a sentence for a denial where its context speaks of an accusation."""

        context_sentences = 1

        def __init__(self):
            self.contexts = set()

        def score_sentences(self, texts, contexts):
            self.contexts |= set(contexts)
            return [sentences[1]] * len(texts)

    base = {"label": "denial", "score": 0.9, "scores": {"denial": 0.9}, "truncated": False}
    sentences = [ExplainedSentence("He stole.", 0, 9, **base), ExplainedSentence("Not so.", 10, 17, **base)]
    asked = Contextual()
    list(explain_articles(asked, [(Article("a", "He stole. Not so."), sentences)], "article"))
    assert asked.contexts == {"", "He stole."}
    asked = Contextual()
    row = Article("a", "Not so.", {"context": "They accused him."})
    list(explain_articles(asked, [(row, sentences[1:])], "sentence"))
    assert asked.contexts == {"They accused him."}


def test_explain_lists_the_words_by_weight_in_a_pipe(capsys):
    assert cli.main(["explain", DENIAL]) == 0
    head, first, *rest = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "denial"
    assert first.split()[1] == "denied"
    assert len(rest) == len(DENIAL.split()) - 1
    assert "\x1b" not in first


def test_explain_tints_the_words_on_a_terminal_and_lets_no_sentence_steer_it():
    command = [sys.executable, "-m", "claimsift.cli", "explain", f"\x1b[31m{DENIAL}"]
    script = ["script", "-qec", " ".join(map(json.dumps, command)), "/dev/null"]
    done = subprocess.run(script, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert "denied" in done.stdout
    assert "\x1b[31m" not in done.stdout


def test_the_page_marks_the_words_where_it_is_asked_to(tmp_path):
    article = tmp_path / "a.txt"
    article.write_text(DENIAL)
    assert cli.main(["score", str(article), "-o", str(tmp_path / "plain.html")]) == 0
    assert cli.main(["score", str(article), "-o", str(tmp_path / "told.html"), "--explain"]) == 0
    assert '<i class="w' not in (tmp_path / "plain.html").read_text()
    assert '<i class="w3">denied</i>' in (tmp_path / "told.html").read_text()
