import json

import numpy as np
import pytest
import torch
from conftest import OWN_DATA, ROOT
from torch.utils.flop_counter import FlopCounterMode
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from claimsift.annotations.records import read_records
from claimsift.errors import ClaimsiftError
from claimsift.sentences import split_sentences
from eval import benchmark, scaling
from eval.benchmark_report import fill_readme
from eval.machine import closure, operations, requirements
from eval.sample import ANNOTATIONS, SOURCE, draw
from eval.systems import HEAD, INT8, PLAIN
from eval.traps import LARGEST_SUM, neighbour_sum, shift


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder that a small run writes."""
    folder = tmp_path_factory.mktemp("results")
    options = ["--sentences", "20", "--rounds", "1", "--data", str(OWN_DATA), "--output", str(folder)]
    benchmark.main(options)
    return folder


@pytest.fixture(scope="module")
def report(results):
    return json.loads((results / "benchmark.json").read_text())


def test_every_system_is_timed_and_judged(report):
    systems = report["systems"]
    assert len(systems) >= 8
    assert {PLAIN, HEAD, INT8, "claimsift, torch", "claimsift, int8, articles to rows"} <= systems.keys()
    for figures in systems.values():
        assert 0 < figures["slowest"] <= figures["sentences_per_second"] <= figures["fastest"]
        assert 0 <= figures["agreement"] <= 1
        assert 0 <= figures["dev_macro_f1"] <= 1
    assert systems[PLAIN]["ratio"] == systems[PLAIN]["agreement"] == 1


def test_the_same_weights_give_the_same_labels(report):
    systems = report["systems"]
    same = [f"{PLAIN}, batch_size=32", "ONNX Runtime, float32", "claimsift, torch"]
    assert [systems[name]["agreement"] for name in same] == [1, 1, 1]
    assert systems[INT8]["agreement"] == systems["claimsift, int8, articles to rows"]["agreement"] >= 0.9


def test_the_int8_file_falls_into_neither_trap(report):
    ours, dynamic = report["int8"][INT8], report["int8"]["dynamic int8"]
    assert ours["largest_shift"] == ours["labels_changed"] == ours["matrices_beyond"] == 0
    assert ours["largest_sum"] <= LARGEST_SUM < dynamic["largest_sum"]
    assert ours["matrices"] == 36  # six layers of six
    assert dynamic["largest_shift"] > 0
    assert report["int8"]["dynamic int8, reduce_range"]["largest_sum"] <= LARGEST_SUM


def test_limits_cold_start_and_size_are_there(report):
    limits = report["limits"]
    for name, rate in limits["operations_per_second"].items():
        assert limits["sentences_per_second"][name] == pytest.approx(rate / limits["operations_per_sentence"])
    assert report["cold_start"].keys() == report["installed"].keys() == {"claimsift", PLAIN}
    assert all(figures["median"] > 0 for figures in report["cold_start"].values())
    assert report["installed"][PLAIN]["packages"]["torch"] > 50e6


def test_the_page_names_the_machine_and_no_path_of_it(report, results):
    page = (results / "benchmark.md").read_text()
    assert report["machine"]["cpu"] in page
    assert f"torch {report['machine']['versions']['torch']}" in page
    assert all(name in page for name in report["systems"])
    for path in (ROOT, results):
        assert str(path) not in page + json.dumps(report)
    assert (results / "benchmark.png").read_bytes().startswith(b"\x89PNG")


def test_the_readme_gets_its_block(report, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- performance -->\nold\n<!-- /performance -->\nb\n")
    fill_readme(report, readme)
    text = readme.read_text()
    assert text.startswith("a\n<!-- performance -->\n| system |")
    assert text.endswith("(eval/results/benchmark.png)\n<!-- /performance -->\nb\n")
    assert "old" not in text


def test_a_readme_without_the_block_is_left_alone(report, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("a\n")
    fill_readme(report, readme)
    assert readme.read_text() == "a\n"
    assert "has no place for these figures" in capsys.readouterr().err


def test_the_sample_is_of_no_split_and_without_repetition():
    sample = draw(300, seed=1)
    assert len(sample.sentences) == len(set(sample.sentences)) == 300
    labelled = {record.doc for record in read_records(ANNOTATIONS) if record.source == SOURCE}
    assert not labelled & {article.id for article in sample.articles}
    in_articles = {sentence.text for article in sample.articles for sentence in split_sentences(article.text)}
    assert in_articles >= set(sample.sentences)
    assert draw(300, seed=1) == sample != draw(300, seed=2)
    with pytest.raises(ClaimsiftError, match="choose a smaller sample"):
        draw(10**9)


@pytest.mark.parametrize("tokens", [1, 9])
def test_operations_are_those_that_torch_counts(tokens):
    """With one token there is nothing to leave out in the last layer, which is the only one here but for the second."""
    counted = {}
    for layers in (1, 2):
        config = DistilBertConfig(dim=48, hidden_dim=192, n_layers=layers, n_heads=4, vocab_size=100, num_labels=4)
        network = DistilBertForSequenceClassification._from_config(config, attn_implementation="eager").eval()
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(input_ids=torch.ones(1, tokens, dtype=torch.long))
        ours = operations(config.to_dict() | {"id2label": config.id2label}, np.array([tokens]))[0]
        counted[layers] = ours, counter.get_total_flops()
    (ours, theirs), (ours_of_two, theirs_of_two) = counted.values()
    assert ours_of_two - ours == theirs_of_two - theirs
    assert (ours == theirs) == (tokens == 1)
    assert ours <= theirs


@pytest.mark.parametrize(
    ("column", "largest"),
    [([127, 127, -5], 64_770), ([127, -128, 1], 32_640), ([-128, -128], 65_280), ([3, 4, 0], 1785)],
)
def test_the_largest_sum_of_two_neighbours(column, largest):
    assert neighbour_sum(np.array([column], np.int8).T) == largest


def test_shift_finds_the_sentence_that_moves_most():
    alone = np.array([[0.9, 0.1], [0.6, 0.4]])
    together = np.array([[0.8, 0.2], [0.4, 0.6]])
    assert shift(alone, together) == {"largest_shift": pytest.approx(0.2), "labels_changed": 0.5}


def test_a_closure_holds_what_is_required_in_turn():
    found = closure(["datasets"])
    assert {"datasets", "numpy", "huggingface-hub", "tqdm"} <= found.keys()
    assert "pytest" not in found
    assert "torch" not in requirements("datasets")  # an extra of it


def test_an_archive_holds_as_many_different_sentences_as_asked_for(tmp_path):
    scaling.write_archive(tmp_path / "a.jsonl", 500)
    texts = [json.loads(line)["text"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    sentences = [line for text in texts for line in text.split("\n")]
    assert len(sentences) == len(set(sentences)) == 500


def test_archives_of_several_sizes_are_scored(tmp_path):
    scaling.main(["--sizes", "20", "60", "--output", str(tmp_path)])
    report = json.loads((tmp_path / "scaling.json").read_text())
    for asked, run in zip((20, 60), report["runs"], strict=True):
        assert asked <= run["sentences"] < 1.2 * asked
        assert run["seconds"] > 0
        assert 20e6 < run["peak_bytes"] < 4e9
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
    assert "| sentences | archive |" in (tmp_path / "scaling.md").read_text()


def test_an_archive_that_cannot_be_scored_is_no_figure(tmp_path):
    with pytest.raises(ClaimsiftError, match=r"claimsift score failed: .*no model folder"):
        scaling.measure(tmp_path, 5, tmp_path)
