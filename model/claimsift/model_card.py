"""The model card: its text is ``model_card.md`` beside this file, its figures are those of ``eval/report.py``."""

import json
from pathlib import Path

from claimsift.cards import table
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS

TEMPLATE = Path(__file__).with_name("model_card.md")
REPORT = "report/report.json"  # in a model folder
SPLITS = ("test", "unseen_outlets", "dev", "cross_validation")  # what chose nothing comes first
WORST_TESTS = 8
SMALLEST_SUPPORT = 20  # sentences of each label; macro-F1 of a part with fewer says nothing
KINDS = {"MFT": "minimum functionality", "INV": "invariance", "DIR": "direction"}  # of behavioural tests
EMBEDDED = "sentence-transformers/all-MiniLM-L6-v2"  # what recipes call embedded
METRICS = {"macro_f1": "f1", "accuracy": "accuracy", "mcc": "matthews_correlation"}


def write_model_card(folder: Path) -> Path:
    """Writes the card of the model in ``folder`` from its report, and returns the path of it.

    Raises:
        ClaimsiftError: the folder holds no report.
    """
    path = folder / REPORT
    if not path.is_file():
        raise ClaimsiftError(f"{path}: no such file; eval/report.py and train/release.py make it")
    card = folder / "README.md"
    card.write_text(model_card(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    return card


def model_card(report: dict) -> str:
    """Returns the card of the model that a report is about, as ``huggingface_hub`` lays cards out."""
    import jinja2  # noqa: F401 - huggingface_hub needs it, and its own error is none that the command line can explain
    from huggingface_hub import ModelCard

    card = ModelCard.from_template(card_data(report), template_path=str(TEMPLATE), **blocks(report))
    return f"{card.content.strip()}\n"


def card_data(report: dict):
    """Returns the card's metadata (``huggingface_hub.ModelCardData``), with the ``model-index`` of its results."""
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="text-classification",
            dataset_type="claimsift",
            dataset_name="claimsift annotations",
            dataset_split=split,
            metric_type=kind,
            metric_name=name,
            metric_value=round(value, 4),
        )
        for split in SPLITS[:-1]  # what cross-validation measures is twins of the model, not the model
        if split in report["splits"]
        for name, kind, value in headline_results(report["splits"][split])
    ]
    return ModelCardData(
        license="apache-2.0" if is_claimsift(report) else None,
        language=["en"],
        library_name="transformers",
        pipeline_tag="text-classification",
        base_model=base_model(report),
        tags=["news", "attribution", "rumour", "claim-detection", "onnx"],
        model_name="claimsift",
        eval_results=results,
        widget=[{"text": example["text"], "output": example["output"]} for example in report["examples"]],
    )


def is_claimsift(report: dict) -> bool:
    """Whether the model was made as the shipped one is: only then is what the template says of that true."""
    training = report["training"]
    return bool(training["teachers"]) and training["data"] == "data/annotations"


def base_model(report: dict) -> str | None:
    """Returns the Hub id of the encoder that training started from, unless it was a folder."""
    base = report["training"]["base"]
    if base == "embedded" or is_claimsift(report):
        return EMBEDDED
    return base if base and not Path(base).exists() else None


def headline_results(figures: dict) -> list[tuple[str, str, float]]:
    """Returns name, the Hub's name of the metric, and value, for the model's results on a split."""
    model = last_system(figures)
    results = [(name, kind, model[name]) for name, kind in METRICS.items()]
    results += [(f"f1 {label}", "f1", model[f"f1_{label}"]) for label in LABELS]
    return [*results, ("expected calibration error", "ece", figures["calibration"]["ece"])]


def last_system(figures: dict) -> dict:
    """Returns the figures of the model that the report is about, which stands last."""
    return list(figures["systems"].values())[-1]


def blocks(report: dict) -> dict[str, str]:
    """Returns what goes into the places of the template."""
    splits = report["splits"]
    headlines = {f"{split}_table": headline_table(splits[split], split) for split in SPLITS if split in splits}
    main = next(split for split in SPLITS if split in splits)
    return headlines | {
        "sizes": {split: figures["sentences"] for split, figures in splits.items()},
        "as_they_come": as_they_come(splits),
        "label_table": label_table(splits[main]),
        "confusion_table": confusion_table(splits[main]),
        "main_split": main,
        "support": support_words(splits),
        "behaviour_table": behaviour_table(report["behaviour"]),
        "fairness": fairness_words(report["behaviour"]),
        "weak_spots": weak_spots(last_split(splits)),
        "quotations": quotation_words(last_split(splits)),
        "calibration": calibration_words(splits),
        "speed_table": speed_table(report["speed"]) if report["speed"] else "",
        "examples_table": examples_table(report["examples"]),
        "is_claimsift": is_claimsift(report),
        "base": base_model(report) or "another model",
        "report": report,
    }


def last_split(splits: dict) -> dict:
    """Returns the figures of the split with the most of the rare labels that was measured."""
    return splits[[split for split in SPLITS if split in splits][-1]]


def headline_table(figures: dict, split: str) -> str:
    """Macro-F1 with its interval, each label's F1, accuracy and MCC of every system; the model's calibration."""
    rows = []
    for name, system in figures["systems"].items():
        low, high = system["interval"]["macro_f1"]
        by_label = [f"{system[f'f1_{label}']:.2f}" for label in LABELS]
        macro = f"**{system['macro_f1']:.2f}** ({low:.2f}–{high:.2f})"
        rows.append([name, macro, *by_label, f"{system['accuracy']:.2f}", f"{system['mcc']:.2f}", behind(system)])
    header = [
        f"F1 on {plain_name(split)}",
        "macro (95% interval)",
        *LABELS,
        "accuracy",
        "MCC",
        "behind claimsift (95% interval)",
    ]
    calibration = figures["calibration"]
    honesty = f"Expected calibration error {calibration['ece']:.3f} (15 bins), Brier score {calibration['brier']:.3f}."
    return f"{table(header, rows)}\n\n{honesty}"


def behind(system: dict) -> str:
    """By how much macro-F1 a system is behind the model; bold where chance does not explain it."""
    if "ahead" not in system:
        return "–"
    low, high = system["ahead"]["interval"]
    gap = f"{system['ahead']['macro_f1']:.2f} ({low:.2f} to {high:.2f})"
    return f"**{gap}**" if low > 0 else gap


def as_they_come(splits: dict) -> str:
    """The figures on articles of which every sentence is labelled: the only ones with natural shares of the labels."""
    whole = {split: figures["slices"].get("drawn", {}).get("article") for split, figures in splits.items()}
    whole = {split: part for split, part in whole.items() if part}
    if not whole:
        return ""
    parts = [
        f"{part['macro_f1']:.2f} ({part['interval'][0]:.2f}–{part['interval'][1]:.2f}) on {part['sentences']:,} "
        f"sentences of {plain_name(split)}"
        for split, part in whole.items()
    ]
    largest = max(whole.values(), key=lambda part: part["sentences"])
    rates = table(
        ["label, in whole articles", "precision", "recall", "sentences"],
        [
            [label, f"{largest['precision'][label]:.2f}", f"{largest['recall'][label]:.2f}", largest["support"][label]]
            for label in LABELS
        ],
    )
    return (
        "**Articles as they come**, every sentence of them and none picked for its words, are harder, since the rare "
        f"labels are rarer still: macro-F1 is {', '.join(parts)}. The largest of these sets tells what to expect of "
        f"counts:\n\n{rates}"
    )


def label_table(figures: dict) -> str:
    model = last_system(figures)
    return table(
        ["label", "precision", "recall", "F1", "95% interval", "sentences"],
        [
            [
                label,
                *(f"{model[f'{figure}_{label}']:.2f}" for figure in ("precision", "recall", "f1")),
                "–".join(f"{bound:.2f}" for bound in model["interval"][f"f1_{label}"]),
                model[f"support_{label}"],
            ]
            for label in LABELS
        ],
    )


def confusion_table(figures: dict) -> str:
    rows = zip(LABELS, last_system(figures)["confusion"], strict=True)
    return table(["labelled ↓, predicted →", *LABELS], [[label, *row] for label, row in rows])


def support_words(splits: dict) -> str:
    return ", ".join(
        f"{plain_name(split)} holds {last_system(figures)['support_denial']} denials and "
        f"{last_system(figures)['support_unverified_report']} unverified reports"
        for split, figures in splits.items()
    )


def calibration_words(splits: dict) -> str:
    stages = {split: figures["calibration_bins"] for split, figures in splits.items()}
    gaps = ", ".join(
        f"{plain_name(split)} {of['before']['ece']:.3f} → {of['after']['ece']:.3f}"
        for split, of in stages.items()
        if "before" in of
    )
    return (
        "Probabilities are calibrated by one temperature, which is part of the weights. Expected calibration error "
        f"before → after: {gaps}; it was fitted on most of the cross-validation, whose figure it flatters."
    )


def weak_spots(figures: dict) -> str:
    """The three parts of the sentences, each with enough of all labels, on which macro-F1 is lowest."""
    parts = [
        (of["macro_f1"], f"{name} {part.strip()}", of)
        for name, divided in figures["slices"].items()
        for part, of in divided.items()
        if min(of["support"].values()) >= SMALLEST_SUPPORT
    ]
    words = [
        f"{name}: {f1:.2f} ({of['interval'][0]:.2f}–{of['interval'][1]:.2f}, {of['sentences']:,} sentences)"
        for f1, name, of in sorted(parts, key=lambda part: part[0])[:3]
    ]
    return (
        f"Macro-F1 is lowest on these parts of {figures['sentences']:,} held-back sentences, against "
        f"{last_system(figures)['macro_f1']:.2f} on all: {'; '.join(words)}."
    )


def quotation_words(figures: dict) -> str:
    """Whether sentences that quote somebody are harder."""
    parts = figures["slices"].get("quotation", {})
    if len(parts) < 2:
        return ""
    within, without = parts["with quotation marks"], parts["without"]
    return (
        f"On sentences with quotation marks macro-F1 is {within['macro_f1']:.2f}, on the others "
        f"{without['macro_f1']:.2f} (of the same {figures['sentences']:,})."
    )


def examples_table(examples: list[dict]) -> str:
    rows = [
        [example["text"], f"`{example['output'][0]['label']}`", f"{example['output'][0]['score']:.2f}"]
        for example in examples
    ]
    return table(["sentence", "label", "probability"], rows)


def speed_table(speed: dict) -> str:
    """A table of what ``eval/benchmark.py`` measured, the slowest system first."""
    return table(
        ["system", "sentences/s", "× plain pipeline", "dev macro-F1"],
        [
            [name, f"{of['sentences_per_second']:,.0f}", f"{of['ratio']:.1f}", f"{of['dev_macro_f1']:.3f}"]
            for name, of in by_speed(speed)
        ],
    )


def by_speed(speed: dict) -> list[tuple[str, dict]]:
    """Returns the systems and their figures, the slowest first."""
    return sorted(speed["systems"].items(), key=lambda item: item[1]["sentences_per_second"])


def behaviour_table(behaviour: dict) -> str:
    """The behavioural tests that fail most often, and all tests of each kind together."""
    tests = sorted(behaviour["tests"], key=lambda test: -test["rate"])
    rows = [
        [plain_name(test["name"]), test["kind"], test["cases"], test["failures"], f"{test['rate']:.0%}"]
        for test in tests[:WORST_TESTS]
    ]
    totals = totals_by_kind(tests)
    for kind in (kind for kind in KINDS if kind in totals):
        cases, failures = totals[kind]
        rows.append([f"**all of {kind}**", kind, cases, failures, f"**{failures / cases:.0%}**"])
    return table(["behavioural test", "kind", "cases", "failures", "failure rate"], rows)


def totals_by_kind(tests: list[dict]) -> dict[str, tuple[int, int]]:
    """Returns cases and failures of all behavioural tests of each kind, in the order in which the kinds come."""
    totals: dict[str, tuple[int, int]] = {}
    for test in tests:
        cases, failures = totals.get(test["kind"], (0, 0))
        totals[test["kind"]] = cases + test["cases"], failures + test["failures"]
    return totals


def plain_name(name: str) -> str:
    return name.replace("cross_validation", "cross-validation").replace("_", " ")


def fairness_words(behaviour: dict) -> str:
    """How often a label changes with the group that a sentence names, and for which group the most."""
    return "\n".join(
        f"- {plain_name(name)}: {fairness_sentence(figures['groups'])}"
        for name, figures in behaviour["fairness"].items()
    )


def fairness_sentence(groups: dict[str, dict]) -> str:
    rates = {group: of["rate"] for group, of in groups.items()}
    most = max(rates, key=rates.get)
    if rates[most] == 0:
        return f"no label changes over {len(rates)} groups"
    mean = sum(rates.values()) / len(rates)
    return f"{mean:.1%} of the labels change over {len(rates)} groups, most often for {most} ({rates[most]:.1%})"
