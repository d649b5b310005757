import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from claimsift import ClaimsiftError, Predictor
from claimsift.hub import SHIPPED_MODEL, published_files, resolve_model


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped model to spoil, with its safetensors alone, as a run of finetune.py leaves it."""
    return shutil.copytree(SHIPPED_MODEL, tmp_path / "model", ignore=shutil.ignore_patterns("onnx"))


def change_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def test_the_shipped_model_is_a_small_distilbert_in_fp16():
    weights = load_file(SHIPPED_MODEL / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float16}
    assert sum(weight.numel() for weight in weights.values()) <= 25_000_000
    config = json.loads((SHIPPED_MODEL / "config.json").read_text())
    assert config["architectures"] == ["DistilBertForSequenceClassification"]


def test_a_folder_is_a_model_too(folder):
    assert Predictor.from_pretrained(folder).score_article("The army denied it.")


def test_labels_in_another_order_are_put_right(folder):
    """Swaps claim and background in the head and in the names; the scores stay as they were."""
    from safetensors.torch import save_file

    weights = load_file(folder / "model.safetensors")
    order = [3, 1, 2, 0]
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name][order].contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    names = {"0": "background", "1": "denial", "2": "unverified_report", "3": "claim"}
    change_config(folder, id2label=names, label2id={name: int(index) for index, name in names.items()})
    sentence = "Police said the men had fled."
    models = Predictor.from_pretrained(folder), Predictor.from_pretrained(backend="torch", device="cpu")
    swapped, shipped = (model.score_sentences([sentence])[0] for model in models)
    assert swapped.scores == pytest.approx(shipped.scores, abs=1e-4)


def test_other_labels_are_refused(folder):
    change_config(folder, id2label={"0": "positive", "1": "negative"})
    with pytest.raises(ClaimsiftError, match="its labels are positive, negative, not claim, denial"):
        resolve_model(folder)


def test_a_folder_without_safetensors_is_refused_though_it_holds_a_pickle(folder):
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ClaimsiftError, match=r"it has no model\.safetensors"):
        resolve_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "tokenizer_config.json"])
def test_a_truncated_file_is_named(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ClaimsiftError, match=str(folder)):
        Predictor.from_pretrained(folder)


@pytest.mark.parametrize("changes", [{"n_layers": 8}, {"dim": 768, "hidden_dim": 3072}])
def test_weights_that_do_not_fit_the_config_are_refused(folder, changes):
    change_config(folder, **changes)
    with pytest.raises(ClaimsiftError, match="the model cannot be loaded"):
        Predictor.from_pretrained(folder)


@pytest.mark.parametrize("take", [resolve_model, lambda model: published_files("org/name", model)])
def test_an_empty_name_is_not_taken_for_the_shipped_model(take):
    with pytest.raises(ClaimsiftError, match="the name of the model is empty"):
        take("")


def test_what_is_neither_folder_nor_on_the_hub_is_named():
    with pytest.raises(ClaimsiftError, match="nobody/nothing: no such folder, and not to be had from the Hub"):
        resolve_model("nobody/nothing")
    with pytest.raises(ClaimsiftError, match="a/b/c: no such folder, and no Hub id"):
        resolve_model("a/b/c")


@pytest.mark.parametrize("model", [None, SHIPPED_MODEL])
def test_a_revision_of_a_folder_is_refused(model):
    with pytest.raises(ClaimsiftError, match=r"release: a folder has no revisions; leave out v1, or name a Hub id"):
        Predictor.from_pretrained(model, revision="v1")


def test_a_hub_model_is_taken_from_the_local_cache(tmp_path, monkeypatch):
    """The layout that huggingface_hub gives a downloaded repository."""
    snapshot = tmp_path / "models--org--name" / "snapshots" / "abc"
    shutil.copytree(SHIPPED_MODEL, snapshot)
    (tmp_path / "models--org--name" / "refs").mkdir()
    (tmp_path / "models--org--name" / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert resolve_model("org/name") == snapshot


def test_a_folder_with_int8_weights_alone_is_scored_by_onnx(tmp_path, predictor):
    folder = shutil.copytree(SHIPPED_MODEL, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    sentence = "The army denied it."
    assert Predictor.from_pretrained(folder).score_sentences([sentence]) == predictor.score_sentences([sentence])
    with pytest.raises(ClaimsiftError, match="the model cannot be loaded"):
        Predictor.from_pretrained(folder, backend="torch")


def test_backends_that_a_model_or_a_device_does_not_have_are_named(folder, tmp_path):
    with pytest.raises(ClaimsiftError, match=r"has no onnx/model_quantized\.onnx; write it with"):
        Predictor.from_pretrained(folder, backend="onnx")
    with pytest.raises(ClaimsiftError, match="runs on a CPU only"):
        Predictor.from_pretrained(backend="onnx", device="cuda")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model_quantized.onnx").write_bytes(b"no model")
    with pytest.raises(ClaimsiftError, match="the model cannot be loaded"):
        Predictor.from_pretrained(folder)


def test_a_gpu_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ClaimsiftError, match="no CUDA GPU"):
        Predictor.from_pretrained(device="cuda")
