import re
from dataclasses import dataclass

import pytest

from claimsift.cards import table
from claimsift.errors import InputError
from claimsift.labels import LABELS
from eval.behaviour.suite import FOLDER, BehaviouralTest, Case, load_suite, main, run_suite, to_markdown
from tests.conftest import ANNOTATIONS

SUITE = load_suite()
WRITTEN = [text for test in SUITE for case in test.cases if not case.groups for text in case.texts]


@dataclass
class Scored:
    label: str
    scores: dict[str, float]


class KnownAnswers:
    """Stands in for a predictor: gives each sentence the label written here, with this probability."""

    def __init__(self, answers: dict[str, tuple[str, float]]):
        self.answers = answers

    def score_sentences(self, sentences):
        return [self._score(*self.answers[sentence]) for sentence in sentences]

    def _score(self, label, probability):
        rest = (1 - probability) / (len(LABELS) - 1)
        return Scored(label, dict.fromkeys(LABELS, rest) | {label: probability})


def run_one(test: BehaviouralTest, answers: dict) -> tuple[dict, dict]:
    report = run_suite(KnownAnswers(answers), [test])
    return report["tests"][0], report["fairness"].get(test.name)


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_suite_holds_at_least_three_hundred_different_written_sentences():
    assert len(set(WRITTEN)) == len(WRITTEN) >= 300


def test_every_case_has_an_id_of_its_own():
    ids = [case.id for test in SUITE for case in test.cases]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("test", SUITE, ids=lambda test: test.name)
def test_every_test_quotes_the_guidelines_and_is_described(test):
    assert words(test.rule) in words((ANNOTATIONS / "GUIDELINES.md").read_text(encoding="utf-8"))
    assert f"`{test.name}`" in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("test", [test for test in SUITE if test.cases[0].groups], ids=lambda test: test.name)
def test_a_fairness_test_fills_at_least_eight_frames_of_all_four_labels(test):
    assert len(test.cases) >= 8
    assert {case.label for case in test.cases} == set(LABELS)
    assert all(len(set(case.texts)) > 1 and not re.search(r"[{}]", " ".join(case.texts)) for case in test.cases)


def test_minimum_functionality_counts_wrong_labels():
    cases = (Case("m/1", "claim", ("a",)), Case("m/2", "denial", ("b",)), Case("m/3", "claim", ("c",)))
    result, _ = run_one(
        BehaviouralTest("m", "MFT", "r", cases), {"a": ("claim", 0.9), "b": ("claim", 0.9), "c": ("claim", 0.4)}
    )
    assert (result["cases"], result["failures"], result["rate"]) == (3, 1, 1 / 3)
    assert result["examples"] == [{"id": "m/2", "text": "b", "expected": "denial", "predicted": "claim"}]


def test_invariance_counts_variants_that_leave_their_original_even_where_it_is_wrong():
    cases = (Case("i/1", "claim", ("a", "b", "c")), Case("i/2", "denial", ("d", "e")))
    answers = dict.fromkeys("abde", ("background", 0.9)) | {"c": ("claim", 0.9)}
    result, _ = run_one(BehaviouralTest("i", "INV", "r", cases), answers)
    assert (result["cases"], result["failures"]) == (3, 1)
    assert result["examples"][0]["original"] == "a"


@pytest.mark.parametrize(
    ("second", "becomes_label", "failures"),
    [
        (("denial", 0.8), True, 0),
        (("claim", 0.1), True, 1),
        (("claim", 0.1), False, 0),
        (("claim", 0.4), False, 1),
        (("claim", 0.7), False, 1),
    ],
    ids=["rises", "rises, wrong label", "rises, any label", "stays", "falls"],
)
def test_direction_needs_the_move_and_the_label_where_it_is_asked_for(second, becomes_label, failures):
    """The first sentence is a denial with 0.2."""
    test = BehaviouralTest("d", "DIR", "r", (Case("d/1", "denial", ("a", "b")),), ("denial", "up"), becomes_label)
    result, _ = run_one(test, {"a": ("claim", 0.4), "b": second})
    assert (result["cases"], result["failures"]) == (1, failures)


def test_a_falling_probability_is_right_where_it_should_go_down():
    test = BehaviouralTest("d", "DIR", "r", (Case("d/1", "claim", ("a", "b")),), ("denial", "down"))
    assert run_one(test, {"a": ("denial", 0.9), "b": ("denial", 0.8)})[0]["failures"] == 0
    assert run_one(test, {"a": ("denial", 0.8), "b": ("denial", 0.9)})[0]["failures"] == 1


def test_groups_are_held_against_the_frames_usual_label():
    """Of two groups in two frames, one sentence of ``north`` leaves its frame; the first sentence is no norm."""
    groups = ("north", "south", "south")
    cases = (Case("f/1", "claim", ("a", "b", "c"), groups), Case("f/2", "denial", ("d", "e", "f"), groups))
    answers = {"a": ("denial", 0.7), "b": ("claim", 0.9), "c": ("claim", 0.7)} | dict.fromkeys("def", ("denial", 0.4))
    result, fairness = run_one(BehaviouralTest("f", "INV", "r", cases), answers)
    assert (result["cases"], result["failures"]) == (6, 1)
    assert {name: group["rate"] for name, group in fairness["groups"].items()} == {"north": 0.5, "south": 0.0}
    assert fairness["spread"] == pytest.approx((0.8 - 0.1) / 2)
    assert fairness["groups"]["south"]["shift"] == pytest.approx((0.8 - 0.1) / 4)
    assert fairness["groups"]["north"]["shift"] == pytest.approx(-(0.8 - 0.1) / 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- name: a\n  kind: MFT\n  cases: {claim: [x]}\n", r"test 'a': has no rule"),
        ("- name: a\n  kind: XYZ\n  rule: r\n  cases: {claim: [x]}\n", "unknown kind 'XYZ'"),
        ("- name: a\n  kind: MFT\n  rule: r\n  cases: {klaim: [x]}\n", "unknown label 'klaim'"),
        ("- name: a\n  kind: MFT\n  rule: r\n  cases:\n    claim:\n      - Photo: x\n", "case 1 is no sentence"),
        ("- name: a\n  kind: INV\n  rule: r\n  cases: {claim: [x]}\n", "case 1 has 1 sentences"),
        ("- name: a\n  kind: DIR\n  rule: r\n  cases: {claim: [[x, y]]}\n", "moves"),
        ("- name: a\n  kind: DIR\n  rule: r\n  moves: {claim: left}\n  cases: {claim: [[x, y]]}\n", "moves"),
        ("- name: a\n  kind: MFT\n  rule: r\n  cases: {claim: [x]}\n" * 2, "a second test 'a'"),
        ("- name: 'a\n", r"broken\.yaml:\d+: not valid YAML"),
        ("name: a\n", "not a list of tests"),
    ],
)
def test_a_test_that_is_not_whole_is_refused_by_name(tmp_path, content, message):
    (tmp_path / "broken.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_suite(tmp_path)


def test_the_shipped_model_passes_most_of_the_suite_and_the_command_prints_it(predictor, capsys):
    report = run_suite(predictor, SUITE)
    for kind, most in {"MFT": 0.15, "INV": 0.05, "DIR": 0.25}.items():
        tests = [test for test in report["tests"] if test["kind"] == kind]
        assert sum(test["failures"] for test in tests) <= most * sum(test["cases"] for test in tests)
    assert all(len(test["examples"]) == min(5, test["failures"]) for test in report["tests"])
    main([])
    printed = capsys.readouterr().out
    assert printed.strip() == to_markdown(report)
    assert table(["names by origin", "labels changed", "shift of probability"], []) in printed
