"""Behavioural tests of a model, in the manner of CheckList.

python eval/behaviour/suite.py [--model runs/distilled/model]

Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442. What each test checks: README.md beside this file.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import yaml

from claimsift import Predictor
from claimsift.cards import table
from claimsift.errors import ClaimsiftError, InputError
from claimsift.labels import LABELS
from claimsift.predict import ScoredSentence

FOLDER = Path(__file__).resolve().parent
KINDS = {"MFT": "minimum functionality", "INV": "invariance", "DIR": "direction"}
EXAMPLES = 5

Scored = dict[str, ScoredSentence]


@dataclass(frozen=True)
class Case:
    """Sentences that are judged together: one (MFT), an original and its variants (INV), or a first and a second (DIR).

    ``label`` is what the guidelines give to the sentence, to all of them, or to the second. Where ``groups`` names one
    for each sentence, the sentences differ by their group alone and none is the original.
    """

    id: str
    label: str
    texts: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class BehaviouralTest:
    """A test, with the guidelines' words that it tests.

    A directional one ``moves`` the probability of a label ``up`` or ``down``; ``becomes_label`` says that the second
    sentence must get the case's label as well.
    """

    name: str
    kind: str
    rule: str
    cases: tuple[Case, ...]
    moves: tuple[str, str] | None
    becomes_label: bool


def load_suite(folder: Path = FOLDER) -> list[BehaviouralTest]:
    """Reads the tests in all YAML files of a folder.

    Raises:
        InputError: a file is not valid YAML, or a test in it is not whole.
    """
    tests = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.MarkedYAMLError as error:
            place = f"{path}:{error.problem_mark.line + 1}"
            raise InputError(place, "not valid YAML; put a sentence that holds a colon between quotes") from None
        for fields in found:
            test = _read_test(path, fields)
            if test.name in tests:
                raise InputError(str(path), f"a second test {test.name!r}; choose another name")
            tests[test.name] = test
    return list(tests.values())


def _read_test(path: Path, fields: dict) -> BehaviouralTest:
    place = f"{path}: test {fields.get('name')!r}"
    if missing := {"name", "kind", "rule"} - fields.keys():
        raise InputError(place, f"has no {', '.join(sorted(missing))}; see README.md beside it")
    if fields["kind"] not in KINDS:
        raise InputError(place, f"unknown kind {fields['kind']!r}; choose from {', '.join(KINDS)}")
    if (fields["kind"] == "DIR") != ("moves" in fields):
        raise InputError(place, "'moves' says which way a probability goes; give it to tests of the kind DIR alone")
    cases = tuple(_read_cases(place, fields))
    moves = next(iter(fields["moves"].items())) if "moves" in fields else None
    return BehaviouralTest(
        fields["name"], fields["kind"], fields["rule"], cases, moves, fields.get("becomes_label", False)
    )


def _read_cases(place: str, fields: dict) -> Iterator[Case]:
    fillings = [(group, slots) for group, choices in fields.get("groups", {}).items() for slots in choices]
    lengths = {"MFT": (1, 1), "INV": (2, 99), "DIR": (2, 2)}
    low, high = lengths[fields["kind"]]
    number = 0
    for label, found in fields["frames" if fillings else "cases"].items():
        for entry in found:
            number += 1
            texts = [entry] if isinstance(entry, str) else entry
            if fillings:
                texts = [entry.format(**slots) for _, slots in fillings]
            if label not in LABELS:
                raise InputError(place, f"unknown label {label!r}; choose from {', '.join(LABELS)}")
            if not all(isinstance(text, str) and text for text in texts) or not low <= len(texts) <= high:
                raise InputError(place, f"case {number} is not {low} to {high} sentences; put each between quotes")
            yield Case(f"{fields['name']}/{number}", label, tuple(texts), tuple(group for group, _ in fillings))


def run_suite(predictor: Predictor, tests: Iterable[BehaviouralTest]) -> dict:
    """Scores every sentence and counts what fails.

    MFT: the label is not the expected one. INV: a variant's label is not its original's, or not its frame's. DIR: the
    probability does not move as it should, or the label is not the expected one where the test asks for that.

    Returns:
        ``sentences``: how many were scored. ``tests``: for each ``name``, ``kind``, ``rule``, ``cases`` that were
        judged, ``failures``, ``rate``, and ``examples``, at most five failures. ``fairness``: by the test's name, what
        :func:`compare_groups` returns.
    """
    tests = list(tests)
    texts = list(dict.fromkeys(text for test in tests for case in test.cases for text in case.texts))
    scored = dict(zip(texts, predictor.score_sentences(texts), strict=True))
    report = {"sentences": len(texts), "tests": [], "fairness": {}}
    for test in tests:
        judged = [judgement for case in test.cases for judgement in _judge(test, case, scored)]
        failures = [judgement for judgement in judged if judgement]
        report["tests"].append(
            {"name": test.name, "kind": test.kind, "rule": test.rule, "cases": len(judged), "failures": len(failures)}
            | {"rate": len(failures) / len(judged), "examples": failures[:EXAMPLES]}
        )
        if test.cases[0].groups:
            report["fairness"][test.name] = compare_groups(test, scored)
    return report


def _judge(test: BehaviouralTest, case: Case, scored: Scored) -> Iterator[dict | None]:
    """Yields for every sentence that is judged what is wrong with it, or None."""
    original = None if case.groups or test.kind == "MFT" else case.texts[0]
    expected = case.label
    if test.kind == "INV":
        expected = _frame_label(case, scored) if case.groups else scored[original].label
    for text in case.texts if original is None else case.texts[1:]:
        as_expected = scored[text].label == expected
        if test.kind == "DIR":
            label, direction = test.moves
            gain = scored[text].scores[label] - scored[original].scores[label]
            as_expected = (gain > 0 if direction == "up" else gain < 0) and (as_expected or not test.becomes_label)
        yield (
            None
            if as_expected
            else {
                "id": case.id,
                "original": original,
                "text": text,
                "expected": expected,
                "predicted": scored[text].label,
            }
        )


def _frame_label(case: Case, scored: Scored) -> str:
    """The label with the highest mean probability: no group is the norm that the others are held against."""
    return max(LABELS, key=lambda label: mean(scored[text].scores[label] for text in case.texts))


def compare_groups(test: BehaviouralTest, scored: Scored) -> dict:
    """Compares the groups that a test exchanges for one another in the same frames.

    Returns:
        ``rate``: share of sentences that get another label than their frame, by mean probability, does. ``spread``: the
        highest less the lowest group's probability of the frame's label, mean over frames. ``groups``: for each
        ``sentences``, ``changed``, ``rate``, and ``shift``, its probability less the mean group's, mean over frames.
    """
    groups = {name: {"sentences": 0, "changed": 0, "shift": 0.0} for name in test.cases[0].groups}
    spreads = []
    for case in test.cases:
        label = _frame_label(case, scored)
        probabilities = {name: [] for name in groups}
        for text, name in zip(case.texts, case.groups, strict=True):
            groups[name]["sentences"] += 1
            groups[name]["changed"] += scored[text].label != label
            probabilities[name].append(scored[text].scores[label])
        means = {name: mean(values) for name, values in probabilities.items()}
        spreads.append(max(means.values()) - min(means.values()))
        for name in groups:
            groups[name]["shift"] += (means[name] - mean(means.values())) / len(test.cases)
    for group in groups.values():
        group["rate"] = group["changed"] / group["sentences"]
    sentences, changed = (sum(group[key] for group in groups.values()) for key in ("sentences", "changed"))
    return {"rate": changed / sentences, "spread": mean(spreads), "groups": groups}


def to_markdown(report: dict) -> str:
    """Renders what :func:`run_suite` returns: a table of the tests, and one for each test that exchanges groups."""
    rows = [(test["name"], test["kind"], test["cases"], test["failures"]) for test in report["tests"]]
    for kind, meaning in KINDS.items():
        cases, failures = (sum(row[column] for row in rows if row[1] == kind) for column in (2, 3))
        rows.append((f"**all of {meaning}**", kind, cases, failures))
    header = ["behavioural test", "kind", "cases", "failures", "rate"]
    parts = [table(header, ([name.replace("_", " "), *row, _percent(*row[1:])] for name, *row in rows))]
    for name, figures in report["fairness"].items():
        header = [name.replace("_", " "), "sentences", "label changed", "rate", "shift of probability"]
        rows = [
            [group, row["sentences"], row["changed"], f"{row['rate']:.1%}", f"{row['shift']:+.3f}"]
            for group, row in figures["groups"].items()
        ]
        parts.append(f"{table(header, rows)}\n\nSpread of the probability between groups: {figures['spread']:.3f}.")
    return "\n\n".join(parts)


def _percent(cases: int, failures: int) -> str:
    return f"{failures / cases:.1%}" if cases else "–"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder or Hub id; the shipped model by default")
    options = parser.parse_args(arguments)
    print(to_markdown(run_suite(Predictor.from_pretrained(options.model), load_suite())))


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"suite.py: {error}")
