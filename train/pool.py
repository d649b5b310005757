"""Gathers the unlabelled sentences that distillation uses, out of documents that are in no split.

python train/pool.py --output runs/pool.jsonl

Half of the sample is drawn from the sentences that a bag of words takes for something else than background, since the
rare labels are rare. Nothing comes from reserved documents or from outlets of unseen_outlets, and no sentence is a
near-duplicate of one that models are evaluated on. The file holds other people's texts and is not to be published.
"""

import argparse
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for eval/, which is no installed package

import datasets
import numpy as np
from tqdm import tqdm

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import CONTEXT_SENTENCES, document_names
from claimsift.annotations.leakage import near_duplicates
from claimsift.annotations.records import OUTLETS, UNCERTAIN, UNSEEN_OUTLETS, document_name
from claimsift.annotations.sources import NEWSAPI, newsapi_outlets, read_documents
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABEL_TO_ID
from claimsift.sentences import split_sentences
from eval.baselines import tfidf_logistic_regression

ANNOTATIONS = HERE.parent / "data" / "annotations"
# Sentences at most from each source, to keep the pool varied.
QUOTAS = {
    "newsarticles": 26_000,
    "newsapi": 70_000,
    "fnc1-train": 22_000,
    "bbc": 20_000,
    "lee": 3_000,
    "commons": 4_000,
    "healthtweets": 5_000,
}
MIN_CHARACTERS, MAX_CHARACTERS = 15, 600
WEB_ADDRESS = re.compile(r"\s*https?://\S*")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("runs/pool.jsonl"))
    parser.add_argument("--share", type=float, default=1.0, help="of the sentences of each source, for a smaller pool")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.output.exists():
        print(f"{options.output} is there already")
        return
    dataset = load_annotations(ANNOTATIONS, require_all=True)
    # Those were drawn from what this pool is drawn from, and are part of it.
    dataset["train"] = dataset["train"].filter(lambda row: row["drawn"] not in (UNCERTAIN, OUTLETS))
    rows = gather(dataset)
    likely = likely_not_background(dataset["train"], rows)
    random = np.random.default_rng(options.seed)
    drawn = [
        row
        for source, size in QUOTAS.items()
        for row in sample(rows, likely, source, round(size * options.share), random)
    ]
    evaluated = [text for split, rows in dataset.items() if split != "train" for text in rows["text"]]
    chosen = without_copies(drawn, [*evaluated, *reserved_sentences()])
    options.output.parent.mkdir(parents=True, exist_ok=True)
    part = options.output.with_name(options.output.name + ".part")
    part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")
    part.replace(options.output)
    print(f"{len(chosen)} sentences in {options.output}")


def gather(dataset: datasets.DatasetDict) -> list[dict]:
    """Returns every different sentence of the documents that are neither labelled nor reserved."""
    taken = {document_name(source, doc, "") for source, docs in reserved_documents().items() for doc in docs}
    taken.update(*(document_names(rows) for rows in dataset.values()), unseen_outlets(dataset))
    seen = {text for rows in dataset.values() for text in rows["text"]}
    rows = []
    for source in QUOTAS:
        for doc, text in tqdm(read_documents(source).items(), desc=source, disable=None):
            if document_name(source, doc, "") in taken:
                continue
            for sentence in split_sentences(WEB_ADDRESS.sub("", text), CONTEXT_SENTENCES):
                if MIN_CHARACTERS <= len(sentence.text) <= MAX_CHARACTERS and sentence.text not in seen:
                    seen.add(sentence.text)
                    rows.append({"source": source, "doc": doc, "text": sentence.text, "context": sentence.context})
    return rows


def unseen_outlets(dataset: datasets.DatasetDict) -> set[str]:
    """Returns the names of all documents of the outlets that are set aside for evaluation."""
    if UNSEEN_OUTLETS not in dataset:
        return set()
    outlets = newsapi_outlets()
    unseen = {outlets[doc] for doc in dataset[UNSEEN_OUTLETS]["doc"]}
    return {document_name(NEWSAPI, doc, "") for doc, outlet in outlets.items() if outlet in unseen}


def reserved_documents() -> dict[str, list[str]]:
    return json.loads((ANNOTATIONS / "reserved.json").read_text(encoding="utf-8"))


def reserved_sentences() -> list[str]:
    return [
        sentence.text
        for source, docs in reserved_documents().items()
        for doc in docs
        for sentence in split_sentences(read_documents(source)[doc])
    ]


def without_copies(rows: list[dict], evaluated: list[str]) -> list[dict]:
    """Leaves out near-duplicates of the sentences that models are, or will be, evaluated on."""
    copies = {pair.second for pair in near_duplicates(dict(enumerate(evaluated)), dict(enumerate(texts(rows))))}
    return [row for index, row in enumerate(rows) if index not in copies]


def likely_not_background(train: datasets.Dataset, rows: list[dict]) -> np.ndarray:
    probabilities = tfidf_logistic_regression(list(train["text"]), list(train["label"]), texts(rows))
    return probabilities.argmax(-1) != LABEL_TO_ID["background"]


def sample(rows: list[dict], likely: np.ndarray, source: str, size: int, random: np.random.Generator) -> list[dict]:
    """Draws from one source: half of the likely ones, as far as there are so many, and the rest of the others."""
    here = np.array([row["source"] == source for row in rows])
    promising = random.permutation(np.flatnonzero(here & likely))[: size // 2]
    others = random.permutation(np.flatnonzero(here & ~likely))[: size - len(promising)]
    return [rows[index] for index in (*promising, *others)]


def texts(rows: list[dict]) -> list[str]:
    return [row["text"] for row in rows]


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"pool.py: {error}")
