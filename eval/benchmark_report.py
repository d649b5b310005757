"""What ``benchmark.py`` measured, as JSON, Markdown and a picture."""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from claimsift.cards import fill_block, table, write_figures
from claimsift.errors import ClaimsiftError
from claimsift.model_card import by_speed, speed_table
from eval.systems import BATCH_SIZE, HEAD, INT8, PLAIN
from eval.traps import LARGEST_SUM

BLOCK = "performance"
OURS, OTHERS, LIMITS = "#b3261e", "#3f3f3f", "#8a8a8a"  # colours


def write_report(report: dict, folder: Path) -> None:
    """Writes ``benchmark.json``, ``benchmark.md`` and ``benchmark.png``."""
    write_figures(folder / "benchmark", report, to_markdown(report))
    draw_picture(report).savefig(folder / "benchmark.png", dpi=160)


def fill_readme(report: dict, readme: Path) -> None:
    """Puts the figures into the README, if it has a place for them."""
    content = f"""{speed_table(report)}

{machine_line(report)}
{cost_lines(report)}

![Sentences per second against macro-F1 on dev](eval/results/benchmark.png)"""
    try:
        fill_block(readme, BLOCK, content)
    except ClaimsiftError as error:
        print(f"benchmark.py: the figures are not in the README: {error}", file=sys.stderr)


def machine_line(report: dict) -> str:
    machine, sample = report["machine"], report["sample"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores; {sample['sentences']:,} different sentences of news, "
        f"{sample['mean_tokens']:.0f} tokens on average; medians of {report['rounds']} rounds."
    )


def cost_lines(report: dict) -> str:
    """Cold start and size, in one sentence each."""
    start = {name: f"{figures['median']:.1f} s" for name, figures in report["cold_start"].items()}
    size = {name: f"{figures['bytes'] / 1e6:,.0f} MB" for name, figures in report["installed"].items()}
    return (
        f"From the start of the command to the first scored article: {start['claimsift']}, with the pipeline in a "
        f"script {start[PLAIN]}.\nPackages that it needs: {size['claimsift']}, the pipeline {size[PLAIN]}"
        f"{torch_build(report)}."
    )


def torch_build(report: dict) -> str:
    """Names the build of torch that is installed, on which its size depends."""
    build = report["machine"]["versions"]["torch"].partition("+")[2]
    return f" (torch as its {build} build)" if build else ""


def to_markdown(report: dict) -> str:
    """Returns the content of ``benchmark.md``."""
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    load = "" if machine["load"] is None else f" Load of the machine before the start: {machine['load']}."
    return f"""# Speed on a CPU

{machine_line(report)}
{machine["system"]}, Python {machine["python"]}, {versions}.{load}
Written by `eval/benchmark.py`.

{systems_table(report)}

All but one run the same weights; agreement is with the labels of the plain pipeline.

- *{HEAD}* is SetFit without the training of its encoder: the encoder that the model started
  from, and a regression that was trained on {report["head_train_sentences"]:,} sentences of train.
- *articles to rows* begins with the articles, splits them, and ends with a file of JSON lines; its rate counts the
  sentences that it wrote.
- *ONNX Runtime* is a traced export in a session with default options, in unsorted batches of {BATCH_SIZE}; its int8
  is `quantize_dynamic`, per channel.
{"".join(f"- *{name}* is left out, since it cannot be imported: {why}.{chr(10)}" for name, why in left_out(report))}
{limits_lines(report)}

![Sentences per second against macro-F1 on dev](benchmark.png)

## Cold start and size

{cost_table(report)}

Cold start: from the start of the command to the scores of `examples/ferry.txt`. Installed: the sum of the files of all
packages that are required, directly or not{torch_build(report)}, without the models.

## Two traps of int8

{traps_table(report)}

*Alone → in a batch*: how far a sentence's probabilities move, at most, when others are scored with it. *Largest sum*:
processors without VNNI add the products of two neighbouring weights in 16 bits, which end at {LARGEST_SUM:,}, and cut
off the rest; this is the largest sum that the weights of the file can lead to, and *beyond* the share of its matrices
with such sums. {vnni_line(machine)}
"""


def left_out(report: dict) -> list[tuple[str, str]]:
    return list(report["not_measured"].items())


def systems_table(report: dict) -> str:
    header = ["system", "sentences/s", "slowest–fastest round", "× plain pipeline", "agreement", "dev macro-F1"]
    rows = [
        [
            name,
            f"{system['sentences_per_second']:,.0f}",
            f"{system['slowest']:,.0f}–{system['fastest']:,.0f}",
            f"{system['ratio']:.2f}",
            f"{system['agreement']:.2%}",
            f"{system['dev_macro_f1']:.3f}",
        ]
        for name, system in by_speed(report)
    ]
    return table(header, rows)


def limits_lines(report: dict) -> str:
    figures = report["limits"]
    limit = {
        name: f"{figures['sentences_per_second'][name]:,.0f} sentences/s ({rate / 1e12:.2f}·10¹² operations/s)"
        for name, rate in figures["operations_per_second"].items()
    }
    share = report["systems"][INT8]["sentences_per_second"] / figures["sentences_per_second"]["int8"]
    return (
        f"A sentence takes {figures['operations_per_sentence'] / 1e9:.2f}·10⁹ operations in matrix products.\n"
        f"Were there nothing else to do, the cores would allow {limit['int8']} in int8, as measured\n"
        f"with ONNX Runtime, and {limit['bf16']} in bf16, as measured with PyTorch.\n"
        f"{INT8} reaches {share:.0%} of the former."
    )


def cost_table(report: dict) -> str:
    rows = []
    for name, start in report["cold_start"].items():
        installed = report["installed"][name]
        span = f"{start['fastest']:.2f}–{start['slowest']:.2f}"
        size = f"{installed['bytes'] / 1e6:,.0f} MB"
        rows.append([name, f"{start['median']:.2f} s", span, size, len(installed["packages"])])
    return table(["", "cold start", "fastest–slowest", "installed", "packages"], rows)


def traps_table(report: dict) -> str:
    header = [
        "int8 file",
        "alone → in a batch",
        "labels that change",
        "largest sum",
        "beyond",
        "dev macro-F1",
        "agreement with float32",
    ]
    rows = [
        [
            name,
            f"{figures['largest_shift']:.4f}" if figures["largest_shift"] else "0",
            f"{figures['labels_changed']:.2%}",
            f"{figures['largest_sum']:,}",
            f"{figures['matrices_beyond']:.0%} of {figures['matrices']}",
            f"{figures['dev_macro_f1']:.3f}",
            f"{figures['dev_agreement']:.2%}",
        ]
        for name, figures in report["int8"].items()
    ]
    return table(header, rows)


def vnni_line(machine: dict) -> str:
    """Says whether the figures on dev suffer from the second trap."""
    if machine["vnni"]:
        return "The processor of these figures has VNNI and cuts off nothing."
    return "The processor of these figures has no VNNI."


def draw_picture(report: dict) -> Figure:
    """Throughput against quality, a labelled point for each system, and what the cores could do at best."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="sentences per second", ylabel="macro-F1 on dev")
    points = by_speed(report)
    limits = report["limits"]["sentences_per_second"]
    scores = [system["dev_macro_f1"] for _, system in points]
    span = max(max(scores) - min(scores), 0.05)
    axes.set_ylim(min(scores) - 0.25 * span, max(scores) + 1.1 * span)
    axes.set_yticks([tick for tick in axes.get_yticks() if axes.get_ylim()[0] < tick <= 1])
    rates = [*(system["sentences_per_second"] for _, system in points), *limits.values()]
    axes.set_xlim(min(rates) / 1.5, max(rates) * 1.25)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    for name, rate in limits.items():
        axes.axvline(rate, color=LIMITS, linestyle="--", linewidth=1)
        side, shift = ("left", 4) if rate == max(limits.values()) else ("right", -4)  # the two may be close
        place, options = (rate, axes.get_ylim()[0]), {"rotation": 90, "color": LIMITS, "ha": side}
        axes.annotate(f" limit of the cores, {name}", place, (shift, 0), textcoords="offset points", **options)
    label_points(axes, points)
    axes.grid(axis="x", color="#e8e8e8", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def label_points(axes: Axes, points: list[tuple[str, dict]]) -> None:
    """Draws the systems with their names: on steps above them, since most are equally good, and beside the others.

    The names of slow ones begin above their point, on steps that fall to the right; those of fast ones, higher up, end
    above it, on steps that rise. So lines hardly cross names, and where they do they pass behind them.
    """
    low, high = axes.get_ylim()
    middle = np.sqrt(np.prod(axes.get_xlim()))
    best = max(system["dev_macro_f1"] for _, system in points)
    good = [point for point in points if best - point[1]["dev_macro_f1"] < 0.1 * (high - low)]
    slow = [name for name, system in good if system["sentences_per_second"] < middle]
    fast = [name for name, system in good if system["sentences_per_second"] >= middle]
    steps = np.linspace(best + 0.08 * (high - low), high - 0.03 * (high - low), len(good))
    heights = dict(zip([*slow[::-1], *fast], steps, strict=True))
    for name, system in points:
        x, y = system["sentences_per_second"], system["dev_macro_f1"]
        colour = OURS if name.startswith("claimsift") else OTHERS
        height = heights.get(name, y)
        axes.plot([x, x], [y, height], color=colour, linewidth=0.6)
        axes.plot(x, y, "o", color=colour, markersize=7)
        side, direction = ("right", -1) if name in fast else ("left", 1)
        shift = direction * (3 if name in heights else 8), 0
        options = {"ha": side, "va": "center", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.5}}
        axes.annotate(f"{name}: {x:,.0f}", (x, height), shift, textcoords="offset points", color=colour, **options)
