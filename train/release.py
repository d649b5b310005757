"""Makes a release of a finished run: a folder laid out as a Hub repository, the library's shipped model by default.

python train/release.py runs/default

Weights are stored in fp16. The released figures are measured on the folder as it will ship: dev, and test, which is
read here and nowhere else. The folder appears under its name only once all of it is there.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import torch
import yaml
from safetensors.torch import load_file, save_file

from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from claimsift.hub import SHIPPED_MODEL

ROOT = Path(__file__).resolve().parent.parent
CARD = ROOT / "train" / "model_card.md"
COPIED = ("tokenizer.json", "tokenizer_config.json", "training.json")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="output_dir of a finished run of finetune.py")
    # Not the installed package's folder: the release belongs into the repository, from which the wheel is built.
    default = ROOT / "model" / SHIPPED_MODEL.relative_to(SHIPPED_MODEL.parents[1])
    parser.add_argument("--output", type=Path, default=default)
    parser.add_argument("--results", type=Path, default=ROOT / "eval" / "results", help="where the figures go")
    parser.add_argument(
        "--fill", type=Path, nargs="*", default=[ROOT / "README.md"], help="Markdown to write them into"
    )
    options = parser.parse_args(arguments)

    model = options.run / "model"
    check_complete(model)
    staging = options.output.with_name(options.output.name + ".part")
    shutil.rmtree(staging, ignore_errors=True)
    write_release(model, staging)
    for split in ("dev", "test"):
        measure(staging, split, options.results, [staging / "README.md", *options.fill])
    shutil.rmtree(options.output, ignore_errors=True)
    staging.replace(options.output)
    print(f"released to {options.output}")


def check_complete(model: Path) -> None:
    """Raises ClaimsiftError unless the run is finished and was trained on all of the dataset."""
    if not (model / "training.json").exists():
        raise ClaimsiftError(f"{model}: no finished run; finish it with finetune.py --resume")
    trained_on = json.loads((model / "training.json").read_text())["sentences"]
    dataset = load_annotations(ROOT / "data" / "annotations", require_all=True)
    all_of_it = {split: len(rows) for split, rows in dataset.items()}
    if trained_on != all_of_it:
        raise ClaimsiftError(f"{model}: was trained on {trained_on}, and the dataset holds {all_of_it}; train it anew")


def write_release(model: Path, folder: Path) -> None:
    """Writes everything but the measured figures."""
    folder.mkdir(parents=True)
    for name in COPIED:
        shutil.copyfile(model / name, folder / name)
    weights = {name: weight.to(torch.float16) for name, weight in load_file(model / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    # The weights' own precision decides what they are stored in, this setting what they are computed in.
    config = json.loads((model / "config.json").read_text()) | {"dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    recipe = json.loads((model / "training.json").read_text())["recipe"]
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    shutil.copyfile(CARD, folder / "README.md")


def measure(folder: Path, split: str, results: Path, fill: list[Path]) -> None:
    command = [sys.executable, str(ROOT / "eval" / "evaluate.py"), "--model", str(folder), "--split", split]
    command += ["--output", str(results), "--fill", *map(str, fill)]
    if subprocess.run(command).returncode != 0:
        raise ClaimsiftError(f"the figures on {split} could not be measured; nothing was released")


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"release.py: {error}")
