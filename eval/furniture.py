"""Measures how well the library tells page furniture from the sentences of an article.

python eval/furniture.py [--articles FOLDER]

Three measurements: on pages written for the tests, of which some were written after the rule was fixed; on five real
articles, of which only offsets and flags are kept here; and on the sentences of the dataset, none of which should be
furniture though it is labelled other than background. Writes ``furniture.json`` and ``furniture.md``.
"""

import argparse
import bisect
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The folder of this file holds evaluate.py, which has the name of a library: it must not come first.
if Path(sys.path[0]).resolve() == ROOT / "eval":
    sys.path[0] = str(ROOT)

from claimsift.annotations import load_annotations
from claimsift.annotations.sources import SOURCES, read_documents
from claimsift.cards import table, write_figures
from claimsift.errors import ClaimsiftError
from claimsift.furniture import find_furniture, is_furniture
from claimsift.labels import LABELS
from claimsift.sentences import Sentence, split_sentences

PAGES = ROOT / "tests" / "data" / "furniture"
ARTICLES = Path(os.environ.get("CLAIMSIFT_ARTICLES", ROOT.parent / "shared" / "articles"))
SPLITS = ("train", "dev")
FURNITURE, SENTENCE = "F|", "S|"


@dataclass(frozen=True)
class Page:
    """A page with its sentences, and whether each of them is furniture."""

    name: str
    text: str
    sentences: list[Sentence]
    truth: list[bool]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--articles", type=Path, default=ARTICLES, help="folder with the five articles")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "annotations", help="folder of the dataset")
    parser.add_argument("--output", type=Path, default=ROOT / "eval" / "results", help="folder (default: eval/results)")
    options = parser.parse_args(arguments)
    report = {
        "pages": {name: measure(written_pages(PAGES / name)) for name in ("tuned", "held_out")},
        "articles": measure(real_articles(options.articles)),
        "dataset": count_labels(options.data),
    }
    write_figures(options.output / "furniture", report, to_markdown(report))
    print(to_markdown(report))


def written_pages(folder: Path) -> Iterator[Page]:
    """Yields pages written for the tests: each line begins with F| where it is furniture, else with S|."""
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        unmarked = [line.removeprefix(FURNITURE).removeprefix(SENTENCE) for line in lines]
        starts, start = [], 0
        for line in unmarked:
            starts.append(start)
            start += len(line) + 1
        text = "\n".join(unmarked)
        sentences = split_sentences(text)
        places = (bisect.bisect_right(starts, sentence.start) - 1 for sentence in sentences)
        yield Page(path.stem, text, sentences, [lines[place].startswith(FURNITURE) for place in places])


def real_articles(folder: Path) -> Iterator[Page]:
    """Yields the five articles.

    Raises:
        ClaimsiftError: one of them is not there, or is not the version that the flags were given to.
    """
    for line in (PAGES / "articles.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        path = folder / record["article"]
        if not path.exists() or not hashlib.sha1(path.read_bytes()).hexdigest().startswith(record["sha1"]):
            raise ClaimsiftError(f"{path}: is not the article that was looked at; name its folder with --articles")
        text = path.read_bytes().decode("utf-8")
        sentences = [Sentence(text[start:end], start, end) for start, end, _ in record["spans"]]
        yield Page(path.stem, text, sentences, [flag for _, _, flag in record["spans"]])


def measure(pages: Iterator[Page]) -> dict:
    """Returns counts of pages, sentences and right and wrong answers, and precision and recall of ``furniture``."""
    count = Counter()
    for page in pages:
        answers = Counter(zip(find_furniture(page.text, page.sentences), page.truth, strict=True))
        count["pages"] += 1
        count["sentences"] += len(page.sentences)
        count["found"] += answers[True, True]
        count["swallowed"] += answers[True, False]
        count["missed"] += answers[False, True]
    return {
        **{name: count[name] for name in ("pages", "sentences", "found", "swallowed", "missed")},
        "precision": count["found"] / (count["found"] + count["swallowed"]),
        "recall": count["found"] / (count["found"] + count["missed"]),
    }


def count_labels(data: Path) -> dict[str, dict[str, int]]:
    """Counts the sentences of each split that are taken for furniture, by their labels."""
    dataset = load_annotations(data)
    furniture = {}
    counts = {}
    for split in SPLITS:
        labels = Counter(
            LABELS[row["label"]]
            for row in dataset[split]
            if (is_furniture(row["text"]) if row["source"] not in SOURCES else _in_document(row, furniture))
        )
        counts[split] = {"sentences": len(dataset[split]), **{label: labels[label] for label in LABELS}}
    return counts


def _in_document(row: dict, known: dict[tuple[str, str], set[int]]) -> bool:
    place = row["source"], row["doc"]
    if place not in known:
        text = read_documents(row["source"])[row["doc"]]
        sentences = split_sentences(text)
        marked = zip(sentences, find_furniture(text, sentences), strict=True)
        known[place] = {sentence.start for sentence, mark in marked if mark}
    return row["start"] in known[place]


def to_markdown(report: dict) -> str:
    """Returns the content of ``furniture.md``."""
    measured = {
        "pages that the rule was made on": report["pages"]["tuned"],
        "pages written afterwards": report["pages"]["held_out"],
        "five real articles": report["articles"],
    }
    rows = [
        [
            name,
            figures["pages"],
            figures["sentences"],
            figures["found"],
            figures["missed"],
            figures["swallowed"],
            f"{figures['precision']:.2f}",
            f"{figures['recall']:.2f}",
        ]
        for name, figures in measured.items()
    ]
    header = ["", "pages", "sentences", "found", "missed", "sentences taken for it", "precision", "recall"]
    labels = [[split, *figures.values()] for split, figures in report["dataset"].items()]
    return f"""# Page furniture

What `claimsift.furniture` finds. Written by `eval/furniture.py`.

{table(header, rows)}

The five articles are among what the rule was made on. Sentences of the dataset that are taken for furniture, by their
labels:

{table(["split", "sentences", *LABELS], labels)}

Those of train with another label than background are headlines in links to other articles.
"""


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"furniture.py: {error}")
