import json
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
import torch
from conftest import OWN_DATA, ROOT
from transformers.modeling_outputs import SequenceClassifierOutput

from claimsift import Predictor
from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from train.distil import (
    UNLABELLED,
    DistilRecipe,
    DistilTrainer,
    distillation_loss,
    main,
    soft_label_logits,
    with_soft_labels,
)
from train.finetune import Recipe, make_loss, parse
from train.folds import held_back_fold

RECIPE = ROOT / "train" / "recipes" / "distilled.yaml"
SMALL = ["--data", OWN_DATA, "--per_device_train_batch_size", "8", "--report_to", "none", "--disable_tqdm", "true"]
SMALL += ["--num_train_epochs", "1"]


def python(script, *options, cwd):
    command = [sys.executable, ROOT / "train" / script, *options]
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """Two small runs, each without one half of the documents."""
    folder = tmp_path_factory.mktemp("teachers")
    for part in ("0", "1"):
        options = ["--folds", "2", "--hold_back", part, "--base", "embedded", "--output_dir", folder / part]
        python("finetune.py", ROOT / "train" / "recipes" / "teacher.yaml", *SMALL, *options, cwd=folder)
    return [folder / "0", folder / "1"]


def settings(teachers, tmp_path):
    options = [str(RECIPE), *map(str, SMALL), "--teachers", *map(str, teachers), "--output_dir", str(tmp_path)]
    return parse(options, DistilRecipe)


def test_a_student_is_distilled_calibrated_and_its_teachers_name_suspects(teachers, tmp_path, write_jsonl):
    sentences = ["The ferry may have struck a rock.", "It left at nine.", "The mayor denied it."]
    pool = write_jsonl("pool.jsonl", [{"source": "x", "doc": "1", "text": text, "context": ""} for text in sentences])
    options = [RECIPE, *SMALL, "--pool", pool, "--teachers", *teachers]
    output = python("distil.py", *options, "--output_dir", "student", cwd=tmp_path)
    assert "dev macro-F1" in output
    record = json.loads((tmp_path / "student" / "model" / "training.json").read_text())
    assert record["recipe"]["teachers"] == list(map(str, teachers))
    assert len(Predictor.from_pretrained(tmp_path / "student" / "model", device="cpu").score_sentences(sentences)) == 3

    python("calibrate.py", "student", "--twin", teachers[0], cwd=tmp_path)
    calibration = json.loads((tmp_path / "student" / "model" / "training.json").read_text())["calibration"]
    assert calibration["temperature"] > 0
    assert calibration["sentences"] == 20  # the half that this teacher held back

    # As if the student were its own twin: one of its teachers has seen what it would have held back.
    record["recipe"] |= {"folds": 2, "hold_back": 0}
    (tmp_path / "student" / "model" / "training.json").write_text(json.dumps(record))
    refused = subprocess.run(
        [sys.executable, ROOT / "train" / "calibrate.py", "student", "--twin", "student"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1
    assert f"its teacher {teachers[1]} was trained on what it held back" in refused.stderr

    python("suspects.py", RECIPE, "--data", OWN_DATA, "--teachers", *teachers, "--top", "5", cwd=tmp_path)
    suspects = [json.loads(line) for line in (tmp_path / "suspects.jsonl").read_text().splitlines()]
    assert len({suspect["id"] for suspect in suspects}) == 5
    assert "label" not in suspects[0]


def test_two_processes_distil_one_model(teachers, tmp_path):
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launcher += ["--num_machines", "1", "--main_process_port", "0"]
    options = [RECIPE, *SMALL, "--pool", "", "--teachers", teachers[0], "--output_dir", "run"]
    command = [*launcher, ROOT / "train" / "distil.py", *options]
    done = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "model" / "training.json").read_text())["processes"] == 2


def test_finished_runs_are_measured_on_what_they_held_back(teachers, tmp_path):
    options = ["--name", "teachers", "--runs", *teachers, "--log", "log.jsonl", "--data", OWN_DATA]
    python("cross_validate.py", RECIPE.with_name("default.yaml"), *options, cwd=tmp_path)
    entry = json.loads((tmp_path / "log.jsonl").read_text())
    assert entry["held_back"]["sentences"] == 40
    assert entry["folds"].keys() == {"0", "1"}


def test_a_student_is_measured_on_what_its_teachers_held_back_and_on_nothing_else(teachers, tmp_path):
    options = ["--name", "student", "--folds", "2", "--first", "1", "--log", "log.jsonl", "--pool", "", *SMALL]
    python("cross_validate.py", RECIPE, *options, "--teachers", teachers[0], cwd=tmp_path)
    entry = json.loads((tmp_path / "log.jsonl").read_text())
    assert entry["held_back"]["sentences"] == 20
    command = [sys.executable, ROOT / "train" / "cross_validate.py", RECIPE, *options, "--teachers", teachers[1]]
    done = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{teachers[1]}: has seen what is to be held back" in done.stderr


def test_a_run_on_documents_that_have_changed_since_is_refused(teachers):
    train = load_annotations(OWN_DATA)["train"]
    assert len(held_back_fold(teachers[0], train).held_back) == 20
    with pytest.raises(ClaimsiftError, match="train it anew"):
        held_back_fold(teachers[0], train.select(range(30)))


def test_a_sentence_is_taught_by_those_who_have_not_learnt_it(teachers, tmp_path):
    recipe, args = settings(teachers, tmp_path)
    train = load_annotations(OWN_DATA)["train"]
    pool = datasets.Dataset.from_list([{"text": "It sank.", "context": "", "label": -100}])
    rows = with_soft_labels(train, pool, recipe, args)
    assert list(rows["label"]) == [*train["label"], -100]

    probabilities = [
        torch.tensor(soft_label_logits(teacher / "model", list(rows["text"]), args) / recipe.temperature).softmax(-1)
        for teacher in teachers
    ]
    taught = torch.tensor(rows["soft_label"])
    by_first, by_second = (torch.isclose(taught, given, atol=1e-6).all(-1) for given in probabilities)
    assert (by_first.sum(), by_second.sum()) == (20, 20)
    assert not (by_first & by_second).any()
    assert torch.allclose(taught[-1], (probabilities[0][-1] + probabilities[1][-1]) / 2, atol=1e-6)


def test_soft_labels_are_computed_once(teachers, tmp_path, monkeypatch):
    _, args = settings(teachers, tmp_path)
    texts = [f"The mayor said {number} people had left." for number in range(5)]
    monkeypatch.setattr("train.distil.CHUNK", 2)
    first = soft_label_logits(teachers[0] / "model", texts, args)
    monkeypatch.setattr("train.distil.make_scorer", None)  # calling it would fail
    assert np.array_equal(soft_label_logits(teachers[0] / "model", texts, args), first)
    with pytest.raises(TypeError):
        soft_label_logits(teachers[1] / "model", texts, args)  # another teacher's are not those


def test_the_loss_is_zero_where_student_and_teachers_agree_and_keeps_its_scale():
    logits = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    for temperature in (1.0, 2.0):
        soft = (logits / temperature).softmax(-1)
        assert distillation_loss(logits, soft, temperature) == pytest.approx(0, abs=1e-6)
    # The size of its gradients hardly depends on the temperature, once that is large beside the logits.
    gradients = []
    for temperature in (4.0, 8.0):
        student = torch.zeros(8, 4, requires_grad=True)
        distillation_loss(student, (logits / temperature).softmax(-1), temperature).backward()
        gradients.append(student.grad.norm().item())
    assert gradients[0] == pytest.approx(gradients[1], rel=0.2)
    # At temperature 1 it is the cross-entropy less the teachers' entropy.
    soft = torch.tensor([[0.7, 0.1, 0.1, 0.1]] * 8)
    cross_entropy = torch.nn.functional.cross_entropy(logits, soft)
    entropy = -(soft * soft.log()).sum(-1).mean()
    assert distillation_loss(logits, soft, 1.0) == pytest.approx((cross_entropy - entropy).item(), rel=1e-5)


def test_the_student_learns_labels_only_where_there_are_any():
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    soft = torch.full((3, 4), 0.25)
    labels = torch.tensor([2, UNLABELLED, 1])
    even = Counter(dict.fromkeys(range(4), 1))
    trainer = SimpleNamespace(recipe=DistilRecipe(label_weight=0.5), label_loss=make_loss(Recipe(), even))
    inputs = {"labels": labels, "soft_label": soft}
    loss = DistilTrainer.compute_loss(trainer, lambda: SequenceClassifierOutput(logits=logits), inputs)
    on_labels = torch.nn.functional.cross_entropy(logits[[0, 2]], labels[[0, 2]], reduction="sum") / 3
    assert loss == pytest.approx((distillation_loss(logits, soft, 2.0) + 0.5 * on_labels).item())


def test_distillation_without_teachers_is_refused(tmp_path):
    with pytest.raises(ClaimsiftError, match="set teachers to folders of finished runs"):
        main([str(RECIPE.with_name("default.yaml")), "--output_dir", str(tmp_path)])


def test_a_missing_pool_or_teacher_is_named_with_what_to_do(teachers, tmp_path):
    for options, reason in (
        (["--pool", "nowhere.jsonl", "--teachers", teachers[0]], "python train/pool.py --output nowhere.jsonl"),
        (["--pool", "", "--teachers", tmp_path], "no finished run"),
        (["--pool", "", "--teachers", teachers[0], "--hold_back", "1"], "set folds too"),
        (["--pool", "", "--teachers", teachers[0], "--folds", "2", "--hold_back", "2"], "counts from 0"),
    ):
        command = [sys.executable, ROOT / "train" / "distil.py", RECIPE, *SMALL, *options, "--output_dir", "run"]
        done = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
        assert reason in done.stderr
