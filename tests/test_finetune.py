import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import datasets
import numpy as np
import pytest
import torch
import yaml
from conftest import OWN_DATA, ROOT
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, BertConfig, BertModel, pipeline

from claimsift import Predictor
from claimsift.annotations import load_annotations
from claimsift.encoder import convert_embedded
from claimsift.errors import ClaimsiftError
from claimsift.hub import SHIPPED_MODEL
from claimsift.packages import file_sha256
from train.cross_validate import to_table
from train.finetune import (
    COMPLETE,
    LengthGroupedSampler,
    Recipe,
    find_checkpoint,
    make_loss,
    make_trainer,
    oversample,
    parse,
    save_run,
    tokenize,
    used_settings,
)

RECIPE = ROOT / "train" / "recipes" / "default.yaml"
SCRIPT = ROOT / "train" / "finetune.py"
# Five steps an epoch on the sixty sentences written for the tests.
SMALL = ["--data", OWN_DATA, "--per_device_train_batch_size", "8", "--report_to", "none", "--disable_tqdm", "true"]


def start(launcher, *options, cwd):
    command = [sys.executable, *launcher, SCRIPT, RECIPE, *SMALL, *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen([str(part) for part in command], cwd=cwd, text=True, **pipes)


def finish(process):
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def epochs(output):
    """The epoch of each line that logs a training loss."""
    return [float(epoch) for epoch in re.findall(r"'loss': .*'epoch': '([\d.]+)'", output)]


def launch(*options):
    return ["-m", "accelerate.commands.launch", "--num_machines", "1", *options]


def test_a_miniature_run_on_the_real_dataset_gives_a_model_that_loads(tmp_path):
    """What README.md says, on a slice of each split."""
    data = ROOT / "data" / "annotations"
    options = ["--data", data, "--limit", "64", "--num_train_epochs", "1", "--output_dir", "run"]
    options += ["--report_to", "tensorboard"]
    output = finish(start(launch("--cpu"), *options, cwd=tmp_path))
    model = tmp_path / "run" / "model"
    assert "dev macro-F1" in output
    assert sorted(path.name for path in model.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    ]
    assert list((tmp_path / "run").rglob("events.out.tfevents.*"))
    record = json.loads((model / "training.json").read_text())
    assert record["best_epoch"] == 1
    assert 0 <= record["dev"]["macro_f1"] <= 1
    sentence = "The ministry denied that its aircraft had been in the area."
    [ours] = Predictor.from_pretrained(model, device="cpu").score_sentences([sentence])
    [theirs] = pipeline("text-classification", model=str(model), device="cpu")([sentence])
    assert (theirs["label"], theirs["score"]) == (ours.label, pytest.approx(ours.score, abs=1e-4))


def test_a_killed_run_that_is_resumed_ends_with_the_weights_of_one_left_alone(tmp_path):
    options = ["--num_train_epochs", "3", "--logging_steps", "1"]
    finish(start([], *options, "--output_dir", "alone", cwd=tmp_path))

    process = start([], *options, "--output_dir", "killed", cwd=tmp_path)
    for line in process.stdout:
        if any(1 < epoch < 2 for epoch in epochs(line)):
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert list((tmp_path / "killed").glob(f"checkpoint-*/{COMPLETE}"))
    assert not (tmp_path / "killed" / "model").exists()

    output = finish(start([], *options, "--output_dir", "killed", "--resume", cwd=tmp_path))
    assert min(epochs(output)) > 1  # it went on, and did not start again
    alone, killed = (file_sha256(tmp_path / run / "model" / "model.safetensors") for run in ("alone", "killed"))
    assert alone == killed


def test_two_processes_with_mixed_precision_train_one_model(tmp_path):
    launcher = launch("--multi_gpu", "--num_processes", "2", "--mixed_precision", "bf16", "--main_process_port", "0")
    finish(start(launcher, "--bf16", "false", "--num_train_epochs", "1", "--output_dir", "run", cwd=tmp_path))
    record = json.loads((tmp_path / "run" / "model" / "training.json").read_text())
    assert record["processes"] == 2


def test_a_launch_that_would_silently_start_one_process_is_refused(tmp_path):
    process = start(launch("--cpu", "--num_processes", "2"), "--output_dir", "run", cwd=tmp_path)
    output, _ = process.communicate()
    assert process.returncode == 1
    assert "launch them with --multi_gpu" in output


def test_cross_validation_scores_every_held_back_sentence_once_against_its_own_label(tmp_path):
    script = ROOT / "train" / "cross_validate.py"
    command = [sys.executable, script, RECIPE, "--name", "trial", "--folds", "2", "--jobs", "2"]
    command += ["--log", "log.jsonl", "--seeds", "1", "2", *SMALL]
    # From the shipped model, hardly trained further: what comes out is how well that one does.
    command += ["--base", SHIPPED_MODEL, "--num_train_epochs", "1", "--learning_rate", "1e-6"]
    subprocess.run(list(map(str, command)), cwd=tmp_path, check=True)
    [line] = (tmp_path / "log.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert entry["folds"].keys() == {"0", "1"}
    assert entry["seeds"].keys() == {"1", "2"}
    assert entry["held_back"]["macro_f1"] == pytest.approx(np.mean(list(entry["seeds"].values())))
    assert "±" in to_table(tmp_path / "log.jsonl")
    assert entry["held_back"]["sentences"] == 40
    # Predictions paired with other sentences' labels would come out near 0.25.
    assert entry["held_back"]["macro_f1"] > 0.5
    assert os.listdir(tmp_path) == ["log.jsonl"]


def test_attention_dropout_is_set_under_each_encoders_own_name(tmp_path):
    config = BertConfig(num_hidden_layers=1, hidden_size=8, num_attention_heads=1, intermediate_size=8)
    BertModel(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(SHIPPED_MODEL).save_pretrained(tmp_path)
    train = load_annotations(OWN_DATA)["train"]
    args = parse(["--output_dir", str(tmp_path)])[1]
    for base in (str(tmp_path), str(SHIPPED_MODEL)):
        model = make_trainer(Recipe(base=base, attention_dropout=0.25), args, train, None).model
        assert 0.25 in {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)}


def test_a_model_learns_without_the_segment_ids_that_it_will_not_be_given(tmp_path):
    names = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED_MODEL, model_input_names=names)
    assert tokenizer("He did.", "It rained.").keys() == set(names)
    rows = tokenize(load_annotations(OWN_DATA)["dev"], tokenizer, Recipe(context=True))
    assert set(rows.column_names) == {"input_ids", "attention_mask", "label"}


def test_context_reaches_the_model(tmp_path):
    finish(start([], "--context", "true", "--num_train_epochs", "1", "--output_dir", "run", cwd=tmp_path))
    predictor = Predictor.from_pretrained(tmp_path / "run" / "model", device="cpu")
    assert predictor.context_sentences == 2
    contexts = ["", "The paper had written that he met the man."]
    without, with_context = predictor.score_sentences(["He never did."] * 2, contexts=contexts)
    assert without.scores != pytest.approx(with_context.scores, abs=1e-4)
    [_, second] = predictor.score_article(f"{contexts[1]} He never did.")
    assert second.scores == pytest.approx(with_context.scores, abs=1e-4)


def test_an_encoder_converted_on_the_spot_starts_training_from_the_same_head(tmp_path, monkeypatch):
    """A fresh machine must train the same model as one with a filled cache."""
    train = load_annotations(OWN_DATA)["train"]
    args = parse(["--output_dir", str(tmp_path)])[1]
    monkeypatch.setattr("train.finetune.resolve_encoder", lambda base: convert())
    folder = tmp_path / "encoder"

    def convert():
        if not folder.exists():
            convert_embedded(folder)
        return str(folder)

    heads = [make_trainer(Recipe(), args, train, None).model.classifier.weight for _ in ("cold", "warm")]
    assert torch.equal(*heads)


def test_options_override_the_recipe(tmp_path):
    recipe, args = parse([str(RECIPE), "--learning_rate", "1e-5", "--base", "some/encoder"])
    assert (args.learning_rate, recipe.base, args.eval_strategy) == (1e-5, "some/encoder", "epoch")
    assert recipe.class_weight_power == parse([str(RECIPE)])[0].class_weight_power > 0


def test_the_recorded_settings_are_a_recipe_for_the_same_model(tmp_path):
    given = parse([str(RECIPE), "--learning_rate", "3e-5", "--lr_scheduler_type", "cosine", "--smoothing", "0.1"])
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(used_settings(*given)))
    again = parse([str(path)])
    assert used_settings(*again) == used_settings(*given)
    assert again[0] == given[0]


def test_a_setting_that_would_be_ignored_is_refused():
    with pytest.raises(ClaimsiftError, match="set smoothing instead"):
        parse([str(RECIPE), "--label_smoothing_factor", "0.1"])


def test_a_misspelt_setting_is_named(tmp_path):
    (tmp_path / "mine.yaml").write_text("lerning_rate: 1\n")
    with pytest.raises(ClaimsiftError, match=r"mine\.yaml: unknown settings lerning_rate"):
        parse([str(tmp_path / "mine.yaml")])


def test_a_half_written_checkpoint_is_taken_away_and_the_whole_one_before_it_used(tmp_path):
    for step in (9, 10, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / COMPLETE).touch()
    with pytest.raises(ClaimsiftError, match="continue it with --resume"):
        find_checkpoint(tmp_path, resume=False)
    assert find_checkpoint(tmp_path, resume=True) == str(tmp_path / "checkpoint-10")
    assert not (tmp_path / "checkpoint-100").exists()


def test_a_full_disk_leaves_no_model_folder(tmp_path):
    class FullDisk:
        args = parse([str(RECIPE), "--output_dir", str(tmp_path)])[1]

        def save_model(self, folder):
            os.makedirs(folder)
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        save_run(FullDisk(), Recipe(), datasets.DatasetDict(), figures={}, seconds=0)
    assert not (tmp_path / "model").exists()


def test_the_loss_is_cross_entropy_with_the_recipe_s_changes():
    torch.manual_seed(0)
    logits, labels = torch.randn(16, 4), torch.arange(16) % 4
    outputs = type("Outputs", (), {"logits": logits})
    even = Counter(dict.fromkeys(range(4), 4))
    assert torch.allclose(make_loss(Recipe(), even)(outputs, labels), torch.nn.functional.cross_entropy(logits, labels))
    smoothed = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    assert torch.allclose(make_loss(Recipe(smoothing=0.1), even)(outputs, labels), smoothed)
    # Inverse frequency: each label weighs the same in all, and the mean weight over train is 1.
    skewed = Counter({0: 10, 1: 2, 2: 2, 3: 2})
    weight = torch.tensor([0.4, 2.0, 2.0, 2.0])
    weighted = (torch.nn.functional.cross_entropy(logits, labels, reduction="none") * weight[labels]).mean()
    assert torch.allclose(make_loss(Recipe(class_weight_power=1), skewed)(outputs, labels), weighted)
    # Two processes or accumulated batches divide by the sentences of all of them.
    halves = [
        make_loss(Recipe(), even)(type("O", (), {"logits": logits[s]}), labels[s], 16) for s in (slice(8), slice(8, 16))
    ]
    assert torch.allclose(sum(halves), torch.nn.functional.cross_entropy(logits, labels))


@given(st.lists(st.integers(1, 128), min_size=1, max_size=300), st.integers(1, 40), st.integers(0, 3))
def test_each_epoch_holds_every_sentence_once_in_an_order_of_its_own(lengths, batch_size, epoch):
    sampler = LengthGroupedSampler(lengths, batch_size, seed=1)
    sampler.set_epoch(epoch)
    order = list(sampler)
    assert sorted(order) == list(range(len(lengths)))
    assert list(sampler) == order


def test_batches_are_of_one_length_and_in_random_order():
    lengths = [length for length in range(1, 41) for _ in range(8)]
    sampler = LengthGroupedSampler(lengths, batch_size=8, seed=1)
    order = list(sampler)
    batches = [[lengths[index] for index in order[start : start + 8]] for start in range(0, 320, 8)]
    assert sum(max(batch) - min(batch) for batch in batches) / len(batches) < 3  # at random it would be some 30
    means = [sum(batch) for batch in batches]
    assert sum(a < b for a, b in pairwise(means)) in range(10, 30)
    sampler.set_epoch(1)
    assert list(sampler) != order


def test_oversampling_repeats_rare_labels():
    rows = datasets.Dataset.from_dict({"label": [3] * 64 + [1] * 4})
    assert Counter(oversample(rows, 0, seed=0)["label"]) == {3: 64, 1: 4}
    assert Counter(oversample(rows, 0.5, seed=0)["label"]) == {3: 64, 1: 16}
    assert Counter(oversample(rows, 1, seed=0)["label"]) == {3: 64, 1: 64}
