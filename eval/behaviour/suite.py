"""Behavioural tests of a model, in the manner of CheckList.

python eval/behaviour/suite.py [--model runs/distilled/model]

Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442. What each test checks: README.md beside this file.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from claimsift import Predictor
from claimsift.cards import table
from claimsift.errors import ClaimsiftError, InputError
from claimsift.labels import LABELS
from claimsift.model_card import KINDS, plain_name, totals_by_kind
from claimsift.predict import ScoredSentence

FOLDER = Path(__file__).resolve().parent
EXAMPLES = 5
CERTAIN = 0.95  # a probability that has no way to go

Scored = dict[str, ScoredSentence]  # by the sentence


@dataclass(frozen=True)
class Case:
    """Sentences that are judged together: one (MFT), an original and its variants (INV), a first and a second (DIR).

    ``label`` is what the guidelines give to all of them (DIR: to the second). Where ``groups`` names one for each
    sentence, the sentences are one frame with different fillings, and none is the original.
    """

    id: str
    label: str
    texts: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class BehaviouralTest:
    """Cases, and the guidelines' words that they test.

    A test of direction ``moves`` the probability of a label ``up`` or ``down``; ``becomes_label`` says that the second
    sentence must get the case's label as well.
    """

    name: str
    kind: str
    rule: str
    cases: tuple[Case, ...]
    moves: tuple[str, str] | None = None
    becomes_label: bool = False


def load_suite(folder: Path = FOLDER) -> list[BehaviouralTest]:
    """Reads the tests in the YAML files of a folder.

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
        if not isinstance(found, list) or not all(isinstance(fields, dict) for fields in found):
            raise InputError(str(path), "not a list of tests; each begins with '- name: …'")
        for fields in found:
            test = _read_test(f"{path}: test {fields.get('name')!r}", fields)
            if test.name in tests:
                raise InputError(str(path), f"a second test {test.name!r}; choose another name")
            tests[test.name] = test
    return list(tests.values())


def _read_test(place: str, fields: dict) -> BehaviouralTest:
    if missing := [key for key in ("name", "kind", "rule") if not fields.get(key)]:
        raise InputError(place, f"has no {' and no '.join(missing)}; see README.md beside the file")
    name, kind, rule = fields["name"], fields["kind"], fields["rule"]
    if kind not in KINDS:
        raise InputError(place, f"unknown kind {kind!r}; choose from {', '.join(KINDS)}")
    moves = next(iter(fields.get("moves", {}).items()), None)
    if (kind == "DIR") != (moves is not None and moves[0] in LABELS and moves[1] in ("up", "down")):
        raise InputError(place, "a test of the kind DIR, and no other, has 'moves: {label: up}' or 'down'")
    cases = tuple(_read_cases(place, name, kind, fields))
    return BehaviouralTest(name, kind, rule, cases, moves, fields.get("becomes_label", False))


def _read_cases(place: str, name: str, kind: str, fields: dict) -> Iterator[Case]:
    fillings = [(group, slots) for group, choices in fields.get("groups", {}).items() for slots in choices]
    entries = [(label, entry) for label, found in fields.get("cases", {}).items() for entry in found]
    for label, frames in fields.get("frames", {}).items():
        entries += [(label, [frame.format(**slots) for _, slots in fillings]) for frame in frames]
    for number, (label, entry) in enumerate(entries, start=1):
        texts = entry if isinstance(entry, list) else [entry]
        if label not in LABELS:
            raise InputError(place, f"unknown label {label!r}; choose from {', '.join(LABELS)}")
        if not all(isinstance(text, str) for text in texts):
            raise InputError(place, f"case {number} is no sentence; put one that holds a colon between quotes")
        if not {"MFT": len(texts) == 1, "INV": len(texts) > 1, "DIR": len(texts) == 2}[kind]:
            raise InputError(place, f"case {number} has {len(texts)} sentences; MFT takes 1, INV 2 or more, DIR 2")
        yield Case(f"{name}/{number}", label, tuple(texts), tuple(group for group, _ in fillings))


def run_suite(predictor: Predictor, tests: Iterable[BehaviouralTest]) -> dict:
    """Scores every sentence and counts what fails.

    MFT: the label is not the expected one. INV: a variant's label is not its original's, or its frame's. DIR: the
    probability does not move as it should, unless it is as good as certain before and after, or the label is not the
    expected one where the test asks for that.

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
        judged = [failure for case in test.cases for failure in _judge(test, case, scored)]
        failures = list(filter(None, judged))
        report["tests"].append(
            {"name": test.name, "kind": test.kind, "rule": test.rule, "cases": len(judged), "failures": len(failures)}
            | {"rate": len(failures) / len(judged), "examples": failures[:EXAMPLES]}
        )
        if test.cases[0].groups:
            report["fairness"][test.name] = compare_groups(test, scored)
    return report


def _judge(test: BehaviouralTest, case: Case, scored: Scored) -> Iterator[dict | None]:
    """Yields, for every sentence that is judged, how it fails, or None."""
    original = None if case.groups or test.kind == "MFT" else case.texts[0]
    expected = case.label
    if test.kind == "INV":
        expected = _frame_label(case, scored) if case.groups else scored[original].label
    for text in case.texts if original is None else case.texts[1:]:
        failure = {"id": case.id, "text": text, "expected": expected, "predicted": scored[text].label}
        failed = scored[text].label != expected
        if original is not None:
            failure["original"] = original
        if test.moves:
            label, direction = test.moves
            before, after = scored[original].scores[label], scored[text].scores[label]
            failure["gain"] = after - before
            failed = not _moved(before, after, direction) or (test.becomes_label and failed)
        yield failure if failed else None


def _moved(before: float, after: float, direction: str) -> bool:
    """Tells whether a probability moved as it should; one that is as good as certain has no way to go."""
    if direction == "down":
        before, after = 1 - before, 1 - after
    return after > before or min(before, after) > CERTAIN


def _frame_label(case: Case, scored: Scored) -> str:
    """The label with the highest mean probability: no group is the norm that the others are held against."""
    return max(LABELS, key=lambda label: sum(scored[text].scores[label] for text in case.texts))


def compare_groups(test: BehaviouralTest, scored: Scored) -> dict:
    """Compares the groups that a test exchanges for one another in the same frames.

    Returns:
        ``spread``: the highest less the lowest group's probability of the frame's label, mean over frames. ``groups``:
        for each the ``rate`` of sentences that do not get their frame's label, and ``shift``, the probability of that
        label less its mean over groups, mean over frames.
    """
    labels = [_frame_label(case, scored) for case in test.cases]
    sentences = [[scored[text] for text in case.texts] for case in test.cases]
    changed = np.array([[one.label != label for one in row] for row, label in zip(sentences, labels, strict=True)])
    scores = np.array([[one.scores[label] for one in row] for row, label in zip(sentences, labels, strict=True)])
    columns = {name: [name == group for group in test.cases[0].groups] for name in dict.fromkeys(test.cases[0].groups)}
    means = np.array([scores[:, column].mean(1) for column in columns.values()])  # (groups, frames)
    return {
        "spread": float(np.ptp(means, axis=0).mean()),
        "groups": {
            name: {"rate": float(changed[:, column].mean()), "shift": float(mean - means.mean())}
            for (name, column), mean in zip(columns.items(), means.mean(1), strict=True)
        },
    }


def to_markdown(report: dict) -> str:
    """Renders what :func:`run_suite` returns: a table of the tests, and one for each test that exchanges groups."""
    rows = [[plain_name(test["name"]), test["kind"], test["cases"], test["failures"]] for test in report["tests"]]
    for kind, totals in totals_by_kind(report["tests"]).items():
        rows.append([f"**{KINDS[kind]}, all**", kind, *totals])
    header = ["behavioural test", "kind", "cases", "failures", "failure rate"]
    parts = [table(header, ([*row, f"{row[3] / row[2]:.1%}"] for row in rows))]
    for name, figures in report["fairness"].items():
        header = [plain_name(name), "labels changed", "shift of probability"]
        groups = figures["groups"].items()
        parts.append(table(header, ([group, f"{row['rate']:.1%}", f"{row['shift']:+.3f}"] for group, row in groups)))
        parts.append(f"From the lowest group's probability to the highest's: {figures['spread']:.3f} on average.")
    return "\n\n".join(parts)


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
