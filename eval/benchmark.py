"""Measures how fast the library is on a CPU, beside other ways to run the same model, and what the speed costs.

python eval/benchmark.py [--model FOLDER]

Every system labels the same news sentences, once a round, in turns; medians over the rounds are reported. Run it on a
machine that does nothing else. Writes ``benchmark.json``, ``benchmark.md`` and ``benchmark.png`` into the output folder
and, where that is the repository's own, the figures into its README.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The folder of this file holds evaluate.py, which has the name of a library: it must not come first.
if Path(sys.path[0]).resolve() == ROOT / "eval":
    sys.path[0] = str(ROOT)

import datasets
import evaluate
import numpy as np
from tqdm import tqdm
from transformers.utils import logging

from claimsift import Predictor
from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from claimsift.hub import ONNX_FILE, read_json, resolve_model
from claimsift.packages import file_sha256
from claimsift.predict import load_tokenizer
from eval.benchmark_report import fill_readme, to_markdown, write_report
from eval.machine import cold_start, describe_machine, installed_sizes, limits
from eval.sample import Sample, draw
from eval.systems import HEAD, INT8, PLAIN, ClaimsiftSystem, OnnxSystem, System, build_systems, export_onnx
from eval.traps import saturation, shift

RESULTS = ROOT / "eval" / "results"
README = ROOT / "README.md"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder with an int8 file, or Hub id; the shipped model by default")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5, help="of every system; cold starts are as many")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "annotations", help="dataset with train and dev")
    parser.add_argument("--train-stride", type=int, default=1, help=f"{HEAD}: train on every so-manieth sentence")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder (default: eval/results)")
    parser.add_argument(
        "--readme",
        action=argparse.BooleanOptionalAction,
        help="fill in the README's figures (default: when --output is eval/results)",
    )
    options = parser.parse_args(arguments)
    logging.disable_progress_bar()  # of transformers, for every model that is loaded
    report = benchmark(options)
    write_report(report, options.output)
    print(to_markdown(report))
    if options.output.resolve() == RESULTS if options.readme is None else options.readme:
        fill_readme(report, README)


def benchmark(options: argparse.Namespace) -> dict:
    """Measures everything; the keys of the result are those of ``benchmark.json``."""
    machine = describe_machine()
    model = resolve_model(options.model)
    predictor = Predictor.from_pretrained(model, device="cpu", backend="onnx")
    dataset = load_annotations(options.data, require_all=True)
    train = dataset["train"].select(range(0, len(dataset["train"]), options.train_stride))
    sample = draw(options.sentences, options.seed)
    tokens = count_tokens(model, sample)
    report = {
        "model_sha256": file_sha256(model / ONNX_FILE),
        "machine": machine,
        "sample": {
            "sentences": len(sample.sentences),
            "articles": len(sample.articles),
            "seed": options.seed,
            "mean_tokens": float(tokens.mean()),
        },
        "rounds": options.rounds,
        "head_train_sentences": len(train),
        "cold_start": cold_start(model, options.rounds),
        "installed": installed_sizes(),
        "limits": limits(read_json(model / "config.json"), tokens),
    }
    with tempfile.TemporaryDirectory() as scratch:
        exports = export_onnx(model, Path(scratch) / "export")
        systems, report["not_measured"] = build_systems(model, predictor, exports, train, Path(scratch))
        dev = {system.name: system.labels(list(dataset["dev"]["text"])) for system in progress(systems, "dev")}
        report["systems"] = measure_systems(systems, sample, options.rounds)
        for name, labels in dev.items():
            report["systems"][name]["dev_macro_f1"] = macro_f1(labels, dataset["dev"])
        files = [
            (OnnxSystem("dynamic int8", exports["int8"], model), exports["int8"]),
            (OnnxSystem("dynamic int8, reduce_range", exports["int8-reduced"], model), exports["int8-reduced"]),
            (ClaimsiftSystem(INT8, predictor), model / ONNX_FILE),
        ]
        report["int8"] = measure_traps(files, sample, dataset["dev"], dev[PLAIN])
    return report


def count_tokens(model: Path, sample: Sample) -> np.ndarray:
    """Returns how many tokens of each sentence the model reads."""
    return np.array([len(encoding) for encoding in load_tokenizer(model).encode_batch_fast(sample.sentences)])


def measure_systems(systems: list[System], sample: Sample, rounds: int) -> dict[str, dict]:
    """Returns speed, and agreement with the plain pipeline, of each system; each round begins with another one."""
    labels = {system.name: system.labels(sample.sentences) for system in progress(systems, "warming up")}
    rates = {system.name: [] for system in systems}
    for number in progress(range(rounds), "rounds"):
        first = number % len(systems)
        for system in systems[first:] + systems[:first]:
            start = time.perf_counter()
            count = system.run(sample)
            rates[system.name].append(count / (time.perf_counter() - start))
    plain = statistics.median(rates[PLAIN])
    return {
        name: {
            "sentences_per_second": statistics.median(measured),
            "slowest": min(measured),
            "fastest": max(measured),
            "ratio": statistics.median(measured) / plain,
            "agreement": agreement(labels[name], labels[PLAIN]),
        }
        for name, measured in rates.items()
    }


def progress(items: Iterable, name: str) -> tqdm:
    return tqdm(items, desc=name, disable=None)


def agreement(labels: list[int], reference: list[int]) -> float:
    return float(np.mean(np.array(labels) == np.array(reference)))


def macro_f1(labels: list[int], rows: datasets.Dataset) -> float:
    metric = evaluate.load(str(ROOT / "eval" / "metrics" / "claim_metrics"), keep_in_memory=True)
    return metric.compute(predictions=labels, references=rows["label"])["macro_f1"]


def measure_traps(
    files: list[tuple[OnnxSystem | ClaimsiftSystem, Path]], sample: Sample, dev: datasets.Dataset, float32: list[int]
) -> dict[str, dict]:
    """Returns what :mod:`eval.traps` finds in each int8 file, and its figures on dev.

    Args:
        files: int8 files, each behind a system that runs it.
        sample: sentences to score alone and in batches.
        dev: labelled sentences.
        float32: the labels that the float32 model gives these.
    """
    figures = {}
    for system, path in progress(files, "int8"):
        alone = system.probabilities(sample.sentences, batch_size=1)
        labels = system.labels(list(dev["text"]))
        figures[system.name] = {
            **shift(alone, system.probabilities(sample.sentences)),
            **saturation(path),
            "dev_macro_f1": macro_f1(labels, dev),
            "dev_agreement": agreement(labels, float32),
        }
    return figures


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"benchmark.py: {error}")
