"""Measures how time and memory of ``claimsift score`` grow with the archive.

python eval/scaling.py [--model FOLDER]

Each archive holds the articles that are in no split of the dataset, over and over, and no sentence twice: a running
number is put in after the first word of each, or the library would remember most scores. Writes ``scaling.json``,
``scaling.md`` and ``scaling.png`` into the output folder.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The folder of this file holds evaluate.py, which has the name of a library: it must not come first.
if Path(sys.path[0]).resolve() == ROOT / "eval":
    sys.path[0] = str(ROOT)

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from tqdm import tqdm

from claimsift.cards import table, write_figures
from claimsift.errors import ClaimsiftError
from claimsift.hub import resolve_model
from claimsift.sentences import split_sentences
from eval.machine import describe_machine
from eval.sample import unlabelled_articles

# A process begins with the peak memory of the one that started it: a small one in between keeps ours out of the figure.
LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - start
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps({"seconds": seconds, "peak_bytes": usage.ru_maxrss * unit}))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder or Hub id; the shipped model by default")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10**3, 10**4, 10**5, 10**6], help="of archives, sentences"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "eval" / "results", help="folder (default: eval/results)")
    options = parser.parse_args(arguments)
    model = resolve_model(options.model)
    report = {"machine": describe_machine(), "runs": []}
    with (
        tempfile.TemporaryDirectory() as scratch,
        tqdm(total=sum(options.sizes), unit="sentence", unit_scale=True, disable=None) as bar,
    ):
        for size in options.sizes:
            report["runs"].append(measure(model, size, Path(scratch)))
            bar.update(size)
    write_report(report, options.output)
    print(to_markdown(report))


def measure(model: Path, size: int, scratch: Path) -> dict:
    """Scores an archive of so many sentences with the command.

    Raises:
        ClaimsiftError: the command fails.
    """
    archive, output = scratch / f"{size}.jsonl", scratch / f"{size}-scored.jsonl"
    write_archive(archive, size)
    command = [sys.executable, "-m", "claimsift.cli", "score", archive, "-o", output, "--model", model.resolve()]
    done = subprocess.run([sys.executable, "-c", LAUNCHER, *map(str, command)], capture_output=True, text=True)
    if done.returncode:
        raise ClaimsiftError(f"claimsift score failed: {done.stderr.strip()}")
    figures = json.loads(done.stdout)
    with output.open(encoding="utf-8") as stream:
        sentences = sum(1 for _ in stream)
    return {
        "sentences": sentences,
        "archive_bytes": archive.stat().st_size,
        **figures,
        "sentences_per_second": sentences / figures["seconds"],
    }


def write_archive(path: Path, size: int) -> None:
    """Writes an archive of so many sentences, no two of them the same."""
    number = 0
    articles = unlabelled_articles()
    with path.open("w", encoding="utf-8") as stream:
        while number < size:
            for article in articles:
                lines = []
                for sentence in split_sentences(article.text)[: size - number]:
                    first, _, rest = sentence.text.partition(" ")
                    lines.append(f"{first} {number:07} {rest}")
                    number += 1
                if lines:
                    stream.write(json.dumps({"text": "\n".join(lines)}) + "\n")
                if number == size:
                    break


def write_report(report: dict, folder: Path) -> None:
    """Writes ``scaling.json``, ``scaling.md`` and ``scaling.png``."""
    write_figures(folder / "scaling", report, to_markdown(report))
    draw_picture(report["runs"]).savefig(folder / "scaling.png", dpi=160)


def to_markdown(report: dict) -> str:
    """Returns the content of ``scaling.md``."""
    machine, versions = report["machine"], report["machine"]["versions"]
    rows = [
        [
            f"{run['sentences']:,}",
            f"{run['archive_bytes'] / 1e6:.1f} MB",
            f"{run['seconds']:.1f}",
            f"{run['sentences_per_second']:,.0f}",
            f"{run['peak_bytes'] / 1e6:,.0f} MB",
        ]
        for run in report["runs"]
    ]
    return f"""# Archives of several sizes

`claimsift score archive.jsonl -o out.jsonl`, from the start of the command to its end. {machine["cpu"]},
{machine["cores"]} cores, claimsift {versions["claimsift"]}, onnxruntime {versions["onnxruntime"]}.
Written by `eval/scaling.py`.

{table(["sentences", "archive", "seconds", "sentences/s", "peak memory"], rows)}

The archives hold the news articles that are in no split of the dataset, over and over. A running number after the first
word of every sentence keeps the library from remembering scores; here and there it makes two sentences of one.

![Seconds and peak memory against sentences](scaling.png)
"""


def draw_picture(runs: list[dict]) -> Figure:
    """Seconds against sentences beside a line of slope 1 through the largest archive, and peak memory below."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    sentences = [run["sentences"] for run in runs]
    largest = max(runs, key=lambda run: run["sentences"])
    proportional = [largest["seconds"] * count / largest["sentences"] for count in sentences]
    above.loglog(sentences, proportional, "--", color="#8a8a8a", label="proportional to the sentences")
    above.loglog(sentences, [run["seconds"] for run in runs], "o-", color="#b3261e", label="claimsift score")
    above.set_ylabel("seconds")
    above.legend(frameon=False)
    peaks = [run["peak_bytes"] / 1e6 for run in runs]
    below.plot(sentences, peaks, "o-", color="#3f3f3f")
    below.set_ylim(0, 1.2 * max(peaks))
    below.set(xlabel="sentences in the archive", ylabel="peak memory, MB")
    for axis in (above.xaxis, above.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axis.set_minor_formatter(NullFormatter())
    for axes in (above, below):
        axes.grid(color="#e8e8e8", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"scaling.py: {error}")
