"""The pictures of the report."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from claimsift.labels import COLOURS, LABELS
from claimsift.model_card import plain_name

LINE_STYLES = dict(zip(LABELS, ("-", "--", "-.", ":"), strict=True))  # a second cue beside colour
OURS, OTHERS = "#b3261e", "#5f5f5f"


def draw(report: dict) -> dict[str, Figure]:
    """Returns every picture for which the report holds figures, by name."""
    splits = report["splits"]
    pictures = {
        "systems": systems(splits),
        "precision_recall": beside(splits, precision_recall),
        "reliability": beside(splits, reliability),
        "selective": beside(splits, selective),
        "slices": slices(list(splits.values())[-1]["slices"]),
        "behaviour": behaviour(report["behaviour"]),
    }
    if report.get("learning_curve"):
        pictures["learning_curve"] = learning_curve(report["learning_curve"])
    return pictures


def beside(splits: dict, draw_one) -> Figure:
    """Draws the same picture of each split."""
    figure, grid = panels(len(splits), 3.8)
    for axes, (split, figures) in zip(grid, splits.items(), strict=True):
        draw_one(axes, figures)
        axes.set_title(f"{plain_name(split)}, {figures['sentences']:,} sentences", fontsize=10)
        plain(axes)
    return figure


def panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Returns a figure with so many panels: side by side up to three, two to a row where there are more."""
    columns = count if count <= 3 else 2
    rows = -(-count // columns)
    figure = Figure(figsize=(4.2 * columns, height * rows), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)[:count]


def systems(splits: dict) -> Figure:
    """Macro-F1 of every system with its interval."""
    figure, grid = panels(len(splits), 3.0)
    for axes, (split, figures) in zip(grid, splits.items(), strict=True):
        items = [(name, of["macro_f1"], of["interval"]["macro_f1"]) for name, of in figures["systems"].items()]
        dots(axes, items, highlight=items[-1][0])
        axes.set_title(f"macro-F1 on {plain_name(split)}", fontsize=10)
        axes.set_xlim(0, 1)
    return figure


def slices(divided: dict[str, dict]) -> Figure:
    """Macro-F1 of the model on each part of the sentences, with its interval."""
    items = [
        (f"{name}: {part} ({figures['sentences']:,})", figures["macro_f1"], figures["interval"])
        for name, parts in divided.items()
        for part, figures in parts.items()
    ]
    figure = Figure(figsize=(8, 0.6 + 0.24 * len(items)), layout="constrained")
    axes = figure.subplots()
    dots(axes, items)
    axes.set_xlim(0, 1)
    axes.set_xlabel("macro-F1 and its 95% interval")
    return figure


def dots(axes: Axes, items: list[tuple[str, float, tuple[float, float]]], highlight: str | None = None) -> None:
    """A line for each item, the first on top: its name, a dot at its figure, and its interval."""
    for row, (name, value, (low, high)) in enumerate(reversed(items)):
        colour = OURS if name == highlight or highlight is None else OTHERS
        axes.plot([low, high], [row, row], color=colour, linewidth=2, solid_capstyle="butt", alpha=0.5)
        axes.plot(value, row, "o", color=colour, markersize=5)
    axes.set_yticks(range(len(items)), [name for name, *_ in reversed(items)], fontsize=8)
    axes.set_ylim(-0.7, len(items) - 0.3)
    plain(axes)


def precision_recall(axes: Axes, figures: dict) -> None:
    for label, curve in figures["precision_recall"].items():
        recall, precision = np.array(curve["points"]).T
        name = f"{label} ({curve['average_precision']:.2f})"
        axes.plot(recall, precision, LINE_STYLES[label], color=COLOURS[label], linewidth=1.6, label=name)
    square(axes, "recall", "precision")
    axes.legend(fontsize=7, loc="lower left", title="average precision", title_fontsize=7, frameon=False)


def reliability(axes: Axes, figures: dict) -> None:
    axes.plot([0, 1], [0, 1], color=OTHERS, linewidth=0.8)
    for name, marker, colour in (("before", "s", OTHERS), ("after", "o", OURS)):
        measured = figures["calibration_bins"].get(name)
        if measured:
            bins = measured["bins"]
            sizes = [8 + 120 * bin["sentences"] / figures["sentences"] for bin in bins]
            x, y = [bin["confidence"] for bin in bins], [bin["accuracy"] for bin in bins]
            axes.plot(x, y, color=colour, linewidth=1, alpha=0.5)
            axes.scatter(x, y, sizes, marker=marker, color=colour, label=f"{name} (ECE {measured['ece']:.3f})")
    square(axes, "probability of the predicted label", "share that is right")
    axes.set_xlim(0.2, 1.02)
    axes.legend(fontsize=7, loc="upper left", title="calibration", title_fontsize=7, frameon=False, markerscale=0.6)


def selective(axes: Axes, figures: dict) -> None:
    steps = figures["selective"]
    kept = [step["kept"] for step in steps]
    axes.plot(kept, [step["accuracy"] for step in steps], "o-", color=OTHERS, markersize=3, label="accuracy")
    axes.plot(kept, [step["macro_f1"] for step in steps], "s--", color=OURS, markersize=3, label="macro-F1")
    axes.set_xlabel("share of sentences kept, the surest first")
    axes.set_xlim(1.02, 0.48)
    axes.set_ylim(0.6, 1.01)
    axes.legend(fontsize=8, loc="lower right", frameon=False)


def behaviour(report: dict) -> Figure:
    """The failure rate of each behavioural test that has one, the highest on top."""
    tests = sorted((test for test in report["tests"] if test["failures"]), key=lambda test: test["rate"])
    count = len(report["tests"])
    figure = Figure(figsize=(8, 0.6 + 0.26 * len(tests)), layout="constrained")
    axes = figure.subplots()
    names, rates = [f"{plain_name(test['name'])} ({test['kind']})" for test in tests], [test["rate"] for test in tests]
    bars = axes.barh(names, rates, color=OURS)
    axes.bar_label(bars, [f"{test['failures']} of {test['cases']}" for test in tests], padding=3, fontsize=8)
    axes.set_xlim(0, 1.2 * max(rates, default=1))
    axes.set_xlabel(f"failure rate; {count - len(tests)} of {count} tests have none")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(axis="y", labelsize=8)
    axes.set_ylim(-0.7, len(tests) - 0.3)
    plain(axes)
    return figure


def learning_curve(curve: dict) -> Figure:
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    for (name, points), colour, style in zip(curve["systems"].items(), (OTHERS, OURS), ("s--", "o-"), strict=False):
        x, y = [point["sentences"] for point in points], [point["macro_f1"] for point in points]
        axes.plot(x, y, style, color=colour, label=name)
        for point in points:
            axes.annotate(f"{point['macro_f1']:.2f}", (point["sentences"], point["macro_f1"]), (0, 6),
                          textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set_xlabel("labelled sentences")
    axes.set_ylabel(f"macro-F1 on {curve['held_back_sentences']:,} held-back sentences")
    axes.margins(y=0.15)
    axes.legend(fontsize=8, loc="lower right", frameon=False)
    plain(axes)
    return figure


def square(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def plain(axes: Axes) -> None:
    axes.grid(color="#e3e3e3", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
