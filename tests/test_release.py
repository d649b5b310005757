import json

import datasets
import pytest
import torch
from conftest import OWN_DATA
from safetensors.torch import load_file

from claimsift import Predictor
from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from claimsift.hub import SHIPPED_MODEL, resolve_model, weights_sha256
from train.finetune import labels_sha256
from train.folds import split
from train.release import check_complete, held_back_by_both, put_in_place, read_once, write_release


@pytest.fixture
def run(tmp_path):
    """A finished run, made of the shipped model with its weights in fp32, as training leaves them."""
    from safetensors.torch import save_file

    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "training.json"):
        (model / name).write_bytes((SHIPPED_MODEL / name).read_bytes())
    # Its temperature is in its weights already.
    training = json.loads((model / "training.json").read_text())
    training.pop("calibration", None)
    (model / "training.json").write_text(json.dumps(training))
    weights = {name: weight.float() for name, weight in load_file(SHIPPED_MODEL / "model.safetensors").items()}
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    return model


def test_a_release_is_a_whole_hub_repository(run, tmp_path):
    folder = tmp_path / "release"
    write_release(run, folder)
    resolve_model(folder)
    shipped = {path.name for path in SHIPPED_MODEL.iterdir()}
    measured = {"onnx", "report", "README.md"}  # which export.py, report.py and the card's command write
    assert {path.name for path in folder.iterdir()} == shipped - measured
    assert (folder / "model.safetensors").read_bytes() == (SHIPPED_MODEL / "model.safetensors").read_bytes()


def test_the_released_weights_give_the_labels_of_the_trained_ones(run, tmp_path):
    """Weights that fp16 cannot hold exactly, as training leaves them."""
    from safetensors.torch import save_file

    weights = load_file(run / "model.safetensors")
    noisy = {name: weight * (1 + 1e-4 * torch.randn_like(weight)) for name, weight in weights.items()}
    save_file(noisy, run / "model.safetensors", metadata={"format": "pt"})
    write_release(run, tmp_path / "release")
    sentences = list(load_annotations(OWN_DATA)["train"]["text"])
    trained, released = (Predictor.from_pretrained(folder, device="cpu") for folder in (run, tmp_path / "release"))
    for a, b in zip(trained.score_sentences(sentences), released.score_sentences(sentences), strict=True):
        assert a.scores == pytest.approx(b.scores, abs=5e-3)


def test_the_temperature_is_in_the_released_weights(run, tmp_path):
    write_release(run, tmp_path / "plain")
    training = json.loads((run / "training.json").read_text())
    (run / "training.json").write_text(json.dumps(training | {"calibration": {"temperature": 2.0}}))
    write_release(run, tmp_path / "calibrated")
    sentences = list(load_annotations(OWN_DATA)["train"]["text"])
    plain, calibrated = (
        Predictor.from_pretrained(tmp_path / name, device="cpu").score_sentences(sentences)
        for name in ("plain", "calibrated")
    )
    for a, b in zip(plain, calibrated, strict=True):
        softened = torch.tensor(list(a.scores.values())).log().div(2).softmax(-1)
        assert list(b.scores.values()) == pytest.approx(softened.tolist(), abs=5e-3)
        assert a.label == b.label


def test_twins_that_held_back_different_documents_are_refused(tmp_path):
    train = load_annotations(OWN_DATA)["train"]
    folds = list(split(train, 2))
    for part in (0, 1):
        (tmp_path / str(part) / "model").mkdir(parents=True)
        recipe = {"folds": 2, "hold_back": part, "without": []}
        record = {"recipe": recipe, "sentences": {"train": len(folds[part].train)}}
        (tmp_path / str(part) / "model" / "training.json").write_text(json.dumps(record))
    rows = held_back_by_both(tmp_path / "0", tmp_path / "0", train)
    assert rows["id"] == train.select(folds[0].held_back)["id"]
    with pytest.raises(ClaimsiftError, match="held back other documents"):
        held_back_by_both(tmp_path / "0", tmp_path / "1", train)


def test_an_unfinished_run_is_not_released(tmp_path):
    with pytest.raises(ClaimsiftError, match="no finished run"):
        check_complete(tmp_path, datasets.DatasetDict())


def test_a_run_without_temperature_or_on_other_labels_is_not_released(run):
    dataset = load_annotations(OWN_DATA)
    training = json.loads((run / "training.json").read_text()) | {"labels_sha256": labels_sha256(dataset)}
    (run / "training.json").write_text(json.dumps(training))
    with pytest.raises(ClaimsiftError, match=r"run train/calibrate\.py"):
        check_complete(run, dataset)
    (run / "training.json").write_text(json.dumps(training | {"calibration": {"temperature": 1.5}}))
    check_complete(run, dataset)
    changed = dataset["train"].map(lambda row: {"label": 3 - row["label"]})
    with pytest.raises(ClaimsiftError, match="train it anew"):
        check_complete(run, dataset | {"train": changed})


def test_test_is_read_once_for_a_model_and_every_reading_is_logged(run, tmp_path):
    write_release(run, tmp_path / "release")
    dataset, log = load_annotations(OWN_DATA), tmp_path / "readings.jsonl"
    first = read_once("test", {"claimsift": tmp_path / "release"}, dataset, tmp_path / "kept", log)
    # The second time without the sentences, which it may not touch.
    again = read_once("test", {"claimsift": tmp_path / "release"}, {}, tmp_path / "kept", log)
    assert again.ids == first.ids == list(dataset["test"]["id"])
    for name, probabilities in first.systems.items():
        assert again.systems[name] == pytest.approx(probabilities, abs=1e-6)
    [line] = map(json.loads, log.read_text().splitlines())
    assert line["weights"] == {"claimsift": weights_sha256(tmp_path / "release")}
    assert line["report"]["sentences"] == len(dataset["test"])


def test_a_release_takes_the_place_of_the_one_before(run, tmp_path):
    write_release(run, tmp_path / "staging")
    output = tmp_path / "release"
    output.mkdir()
    (output / "old").touch()
    put_in_place(tmp_path / "staging", output)
    resolve_model(output)
    assert not (output / "old").exists()
    assert not (tmp_path / "release.part").exists()
