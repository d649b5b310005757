"""Scores real sentences again and again, in random order, and looks for memory that grows and results that drift.

python eval/soak.py [--model FOLDER] [--sentences 10000] [--times 10]

Sentences of articles that are in no split of the dataset go through ``claimsift score``, each several times. The memory
of scores is switched off, so that each time counts. Writes ``soak.json`` and ``soak.md`` into the output folder, and
fails where a sentence got two results.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The folder of this file holds evaluate.py, which has the name of a library: it must not come first.
if Path(sys.path[0]).resolve() == ROOT / "eval":
    sys.path[0] = str(ROOT)

from claimsift.cards import table, write_figures
from claimsift.errors import ClaimsiftError
from claimsift.hub import resolve_model
from claimsift.labels import LABELS
from eval.machine import describe_machine
from eval.sample import draw

WITHOUT_MEMORY_OF_SCORES = """
import sys
from claimsift import cli, predict
predict.REMEMBERED_SENTENCES = 0
sys.exit(cli.main(sys.argv[1:]))
"""
SAMPLE_SECONDS = 0.02
TENTHS = 10


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder or Hub id; the shipped model by default")
    parser.add_argument("--sentences", type=int, default=10_000, help="different ones (default: 10,000)")
    parser.add_argument("--times", type=int, default=10, help="that each is scored (default: 10)")
    parser.add_argument("--output", type=Path, default=ROOT / "eval" / "results", help="folder (default: eval/results)")
    options = parser.parse_args(arguments)
    texts = draw(options.sentences).sentences
    with tempfile.TemporaryDirectory() as scratch:
        archive, output = Path(scratch) / "archive.jsonl", Path(scratch) / "scored.jsonl"
        write_archive(archive, texts, options.times)
        run = score(archive, output, resolve_model(options.model))
        drift = find_drift(output)
    report = {"machine": describe_machine(), "different": len(texts), "times": options.times, **run, **drift}
    write_figures(options.output / "soak", report, to_markdown(report))
    print(to_markdown(report))
    if drift["sentences"] != options.times * len(texts) or drift["drifting"]:
        raise ClaimsiftError("results drift, or rows are missing; see soak.json")


def write_archive(path: Path, texts: list[str], times: int, seed: int = 0) -> None:
    """Writes each sentence so many times, all in random order, under its number."""
    numbers = list(range(len(texts))) * times
    random.Random(seed).shuffle(numbers)
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps({"id": number, "text": texts[number]}) + "\n" for number in numbers)


def score(archive: Path, output: Path, model: Path) -> dict:
    """Scores the archive with the command and samples its memory.

    Returns:
        ``seconds``, and ``memory_bytes``: the most that the process held in each tenth of its time.

    Raises:
        ClaimsiftError: the command fails, or the system does not say how much memory a process holds.
    """
    command = [sys.executable, "-c", WITHOUT_MEMORY_OF_SCORES, "score", archive, "-o", output, "--unit", "sentence"]
    start, samples = time.perf_counter(), []
    with subprocess.Popen([*map(str, command), "--model", str(model)], stderr=subprocess.PIPE, text=True) as process:
        statistics = Path("/proc") / str(process.pid) / "statm"
        while process.poll() is None:
            with contextlib.suppress(OSError, IndexError):  # it has ended, or this is not Linux
                samples.append(int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
            time.sleep(SAMPLE_SECONDS)
        errors = process.stderr.read()
    if process.returncode:
        raise ClaimsiftError(f"claimsift score failed: {errors.strip()}")
    if len(samples) < TENTHS:
        raise ClaimsiftError("too few samples of memory; take more --sentences, on Linux")
    tenths = [samples[len(samples) * tenth // TENTHS : len(samples) * (tenth + 1) // TENTHS] for tenth in range(TENTHS)]
    return {"seconds": time.perf_counter() - start, "memory_bytes": list(map(max, tenths))}


def find_drift(scored: Path) -> dict:
    """Returns the number of rows, how many sentences got two labels or probabilities, and by how much at most."""
    first: dict[str, list] = {}
    drifting, largest, count = set(), 0.0, 0
    with scored.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            result = [row["label"], *(row[label] for label in LABELS)]
            known = first.setdefault(row["article_id"], result)
            count += 1
            if result != known:
                drifting.add(row["article_id"])
                largest = max(largest, *(abs(a - b) for a, b in zip(result[1:], known[1:], strict=True)))
    return {"sentences": count, "drifting": len(drifting), "largest_difference": largest}


def to_markdown(report: dict) -> str:
    """Returns the content of ``soak.md``."""
    machine, versions = report["machine"], report["machine"]["versions"]
    tenths = [f"{tenth}." for tenth in range(1, TENTHS + 1)]
    megabytes = [f"{peak / 1e6:,.0f}" for peak in report["memory_bytes"]]
    return f"""# A long run

{report["different"]:,} different sentences of news, each {report["times"]} times, in random order:
`claimsift score archive.jsonl -o out.jsonl --unit sentence`, with the memory of scores switched off.
{machine["cpu"]}, {machine["cores"]} cores, claimsift {versions["claimsift"]}, onnxruntime {versions["onnxruntime"]}.
Written by `eval/soak.py`.

{report["sentences"]:,} rows in {report["seconds"]:,.0f} s; {report["drifting"]:,} sentences with two results (largest
difference of a probability: {report["largest_difference"]:g}).

Most memory that the process held, in each tenth of its time:

{table(["tenth", *tenths], [["MB", *megabytes]])}
"""


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"soak.py: {error}")
