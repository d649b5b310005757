import json

import pytest
from conftest import ROOT

from claimsift.sentences import split_sentences
from eval.splitting.compare import CASES, OURS, boundaries, judge

RESULTS = ROOT / "eval" / "results" / "splitting.json"


@pytest.fixture(scope="module")
def cases():
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


def test_the_sentences_of_a_hard_case_make_up_its_text(cases):
    assert len(cases) >= 200
    assert len({case["text"] for case in cases}) == len(cases)
    for case in cases:
        end = 0
        for sentence in case["sentences"]:
            start = case["text"].index(sentence, end)
            assert not case["text"][end:start].strip()
            assert len(sentence.splitlines()) == 1
            end = start + len(sentence)
        assert not case["text"][end:].strip()


def test_the_published_error_rates_are_those_of_the_splitter(cases):
    published = json.loads(RESULTS.read_text(encoding="utf-8"))["systems"][OURS]
    measured = judge(lambda text: [sentence.end for sentence in split_sentences(text)], cases)
    assert measured | {"speed": 1} == published


def test_a_boundary_that_is_missed_or_too_many_counts():
    text = "One. Two three.\nFour."
    case = {"category": "x", "text": text, "sentences": ["One.", "Two three.", "Four."]}
    assert boundaries(text, [4, 15, 21]) == {4, 13}
    assert judge(lambda text: [4, 15, 21], [case])["f1"] == 1
    missed, surplus = judge(lambda text: [15, 21], [case]), judge(lambda text: [4, 8, 15, 21], [case])
    assert (missed["precision"], missed["recall"]) == (1, 1 / 2)
    assert (surplus["precision"], surplus["recall"]) == (2 / 3, 1)
    assert missed["wrong_lines"] == surplus["wrong_lines"] == [1]
