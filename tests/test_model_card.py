import json
import sys

import pytest
from conftest import ROOT
from huggingface_hub import ModelCard

from claimsift.cli import main
from claimsift.hub import SHIPPED_MODEL
from claimsift.labels import LABELS
from claimsift.model_card import REPORT, SPLITS, headline_table, model_card, plain_name, write_model_card

CARD = (SHIPPED_MODEL / "README.md").read_text(encoding="utf-8")
SHIPPED_REPORT = json.loads((SHIPPED_MODEL / REPORT).read_text(encoding="utf-8"))


def test_the_shipped_card_is_what_the_command_writes(tmp_path, capsys):
    (tmp_path / "config.json").write_bytes((SHIPPED_MODEL / "config.json").read_bytes())
    (tmp_path / "report").mkdir()
    (tmp_path / REPORT).write_bytes((SHIPPED_MODEL / REPORT).read_bytes())
    assert main(["card", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'README.md'}\n"
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == CARD


def test_the_card_carries_its_results_as_the_hub_reads_them():
    data = ModelCard(CARD).data
    results = {(result.dataset_split, result.metric_name): result.metric_value for result in data.eval_results}
    for split in ("dev", "test"):
        model = SHIPPED_REPORT["splits"][split]["systems"]["claimsift"]
        assert results[split, "macro_f1"] == pytest.approx(model["macro_f1"], abs=1e-4)
        for label in LABELS:
            assert results[split, f"f1 {label}"] == pytest.approx(model[f"f1_{label}"], abs=1e-4)
    assert (data.license, data.pipeline_tag) == ("apache-2.0", "text-classification")
    assert {entry["output"][0]["label"] for entry in data.widget} == set(LABELS)


def test_the_card_holds_every_table_of_the_report():
    for split in SPLITS:
        assert headline_table(SHIPPED_REPORT["splits"][split], split) in CARD
    for test in sorted(SHIPPED_REPORT["behaviour"]["tests"], key=lambda test: -test["rate"])[:3]:
        assert f"| {test['name'].replace('_', ' ')} | {test['kind']} | {test['cases']} | {test['failures']} |" in CARD


def test_a_figure_that_changes_changes_the_card():
    changed = json.loads(json.dumps(SHIPPED_REPORT))
    changed["splits"]["test"]["systems"]["claimsift"]["f1_denial"] = 0.123
    assert model_card(changed) != CARD
    assert "0.12 |" in model_card(changed)


def test_figures_for_counting_are_those_of_whole_articles():
    parts = {split: figures["slices"]["drawn"]["article"] for split, figures in SHIPPED_REPORT["splits"].items()}
    for split, part in parts.items():
        low, high = part["interval"]
        where = f"{part['sentences']:,} sentences of {plain_name(split)}"
        assert f"{part['macro_f1']:.2f} ({low:.2f}–{high:.2f}) on {where}" in CARD
    largest = parts["cross_validation"]
    precision, recall = largest["precision"]["denial"], largest["recall"]["denial"]
    assert f"| denial | {precision:.2f} | {recall:.2f} | {largest['support']['denial']} |" in CARD


def test_a_part_with_few_of_a_label_is_no_weak_spot():
    changed = json.loads(json.dumps(SHIPPED_REPORT))
    worst = changed["splits"]["cross_validation"]["slices"]["outlet"]["www.bbc.co.uk"]
    worst["macro_f1"] = 0.01
    assert "outlet www.bbc.co.uk: 0.01" in model_card(changed)
    worst["support"]["denial"] = 3
    assert "outlet www.bbc.co.uk: 0.01" not in model_card(changed)


@pytest.mark.parametrize("base", ["distilbert/distilbert-base-uncased", "embedded"])
def test_the_card_of_another_model_does_not_say_that_it_was_made_like_this_one(base):
    training = {"base": base, "data": "my_labels.jsonl", "teachers": None}
    card = model_card(SHIPPED_REPORT | {"training": training})
    for words in ("MPNet", "145,000", "a quarter of all", "nine outlets", "Apache"):
        assert words in CARD
        assert words not in card
    data = ModelCard(card).data
    assert data.license is None
    assert f"Fine-tuned from {data.base_model} on" in card
    assert data.base_model == (base if base != "embedded" else ModelCard(CARD).data.base_model)


def test_without_jinja_a_message_says_what_to_install(tmp_path, capsys, monkeypatch):
    for name in ("config.json", REPORT):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((SHIPPED_MODEL / name).read_bytes())
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["card", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "claimsift: this needs jinja2; run: pip install 'claimsift[train]'\n"


def test_a_folder_without_a_report_is_named(tmp_path, capsys):
    (tmp_path / "config.json").write_text("{}")
    assert main(["card", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"claimsift: {tmp_path / REPORT}: no such file; eval/report.py and train/release.py make it\n"
    )


def test_the_readme_holds_the_figures_of_the_report():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for split in ("dev", "test"):
        assert headline_table(SHIPPED_REPORT["splits"][split], split) in readme


def test_the_card_is_written_where_the_model_lies(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / REPORT).write_text(json.dumps(SHIPPED_REPORT))
    assert write_model_card(tmp_path) == tmp_path / "README.md"
