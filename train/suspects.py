"""Lists the training sentences whose label is most likely wrong, to be read again.

python train/suspects.py train/recipes/distilled.yaml --output suspects.jsonl

Those are the sentences on which the teachers that were not trained on their document put the least probability on
the label (self-confidence: Northcutt et al. 2021, https://arxiv.org/abs/1911.00068). The file shows the text and its
context, not the label, so that whoever reads it again reads it blind.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from distil import DistilRecipe, not_seen, soft_label_logits
from finetune import load_dataset, parse
from scipy.special import softmax

from claimsift.errors import ClaimsiftError


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--output", type=Path, default=Path("suspects.jsonl"))
    parser.add_argument("--top", type=int, default=300)
    options, overrides = parser.parse_known_args(arguments)
    recipe, args = parse([options.recipe, *overrides], DistilRecipe)
    train = load_dataset(recipe)["train"]
    probability = np.full((len(recipe.teachers), len(train)), np.nan)
    for number, folder in enumerate(recipe.teachers):
        unseen = np.flatnonzero(not_seen(Path(folder), train))
        rows = train.select(unseen)
        probabilities = softmax(soft_label_logits(Path(folder) / "model", list(rows["text"]), args), axis=-1)
        probability[number, unseen] = probabilities[np.arange(len(rows)), rows["label"]]
    judged = np.flatnonzero(np.isfinite(probability).any(0))
    worst = judged[np.argsort(np.nanmean(probability[:, judged], axis=0))][: options.top]
    with options.output.open("w", encoding="utf-8") as stream:
        for row in train.select(worst):
            shown = {key: row[key] for key in ("id", "source", "doc", "context", "text")}
            stream.write(json.dumps(shown, ensure_ascii=False) + "\n")
    print(f"{len(worst)} of {len(judged)} sentences in {options.output}")


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"suspects.py: {error}")
