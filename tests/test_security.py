"""A model folder may come from anybody: whatever lies in it, no code of it is run and nothing outside it is read."""

import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from conftest import ROOT
from onnx import TensorProto, helper

from claimsift import ClaimsiftError, Predictor
from claimsift.hub import ONNX_FILE, SHIPPED_MODEL

SENTENCE = "The army denied it."


class Poison:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def trap(tmp_path):
    """The file that is there once any code of the folder has run."""
    return tmp_path / "sprung"


@pytest.fixture
def folder(tmp_path, trap):
    """The shipped model among all the files through which libraries have run code before."""
    folder = shutil.copytree(SHIPPED_MODEL, tmp_path / "model")
    code = f"open({str(trap)!r}, 'w')\n"
    for name in ("modeling.py", "configuration.py", "tokenization.py", "handler.py", "__init__.py", "conftest.py"):
        (folder / name).write_text(code + "class Evil: pass\n")
    for name in ("pytorch_model.bin", "training_args.bin", "adapter_model.bin", "tf_model.h5", "model.pkl"):
        (folder / name).write_bytes(pickle.dumps(Poison(trap)))
    classes = ("AutoConfig", "AutoModel", "AutoModelForSequenceClassification")
    change(folder / "config.json", auto_map=dict.fromkeys(classes, "modeling.Evil"))
    change(
        folder / "tokenizer_config.json",
        auto_map={"AutoTokenizer": ["tokenization.Evil", "tokenization.Evil"]},
        tokenizer_class="Evil",
    )
    return folder


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_trap_works(tmp_path, trap):
    pickle.loads(pickle.dumps(Poison(trap)))
    assert trap.exists()


@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.parametrize("architectures", [["DistilBertForSequenceClassification"], ["Evil"], ["modeling.Evil"]])
def test_no_code_of_a_model_folder_is_run(folder, trap, backend, architectures):
    change(folder / "config.json", architectures=architectures)
    scored = Predictor.from_pretrained(folder, backend=backend, device="cpu").score_sentences([SENTENCE])
    assert scored[0].label == "denial"
    assert not trap.exists()


def test_a_model_type_of_its_own_code_is_refused(folder, trap):
    change(folder / "config.json", model_type="evil", architectures=["Evil"])
    with pytest.raises(ClaimsiftError, match="the model cannot be loaded"):
        Predictor.from_pretrained(folder, backend="torch", device="cpu")
    assert not trap.exists()


@pytest.mark.parametrize("name", ["model.safetensors", ONNX_FILE])
def test_a_pickle_under_the_name_of_weights_is_refused(folder, trap, name):
    (folder / name).write_bytes(pickle.dumps(Poison(trap)))
    with pytest.raises(ClaimsiftError, match="the model cannot be loaded"):
        Predictor.from_pretrained(folder, backend="onnx" if name == ONNX_FILE else "torch", device="cpu")
    assert not trap.exists()


def test_pickles_alone_are_no_weights(folder, trap):
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    (folder / ONNX_FILE).unlink()
    with pytest.raises(ClaimsiftError, match=r"it has no model\.safetensors"):
        Predictor.from_pretrained(folder)
    assert not trap.exists()


@pytest.mark.parametrize("where", ["above", "absolute", "link"])
def test_an_onnx_file_cannot_read_weights_from_outside_its_folder(folder, tmp_path, where):
    secret = folder / "secret.bin"  # in the model folder, but not in that of the ONNX file
    np.zeros((30522, 4), np.float32).tofile(secret)
    (folder / "onnx" / "link.bin").symlink_to(secret)
    location = {"above": "../secret.bin", "absolute": str(secret), "link": "link.bin"}[where]
    (folder / ONNX_FILE).write_bytes(onnx_model(location))
    with pytest.raises(ClaimsiftError, match="the model cannot be loaded"):
        Predictor.from_pretrained(folder, backend="onnx")


def test_an_onnx_file_can_read_weights_from_its_own_folder(folder):
    """What the test above refuses is the place, not the model."""
    np.zeros((30522, 4), np.float32).tofile(folder / "onnx" / "weights.bin")
    (folder / ONNX_FILE).write_bytes(onnx_model("weights.bin"))
    assert Predictor.from_pretrained(folder, backend="onnx").score_sentences([SENTENCE])[0].score == 0.25


def test_an_onnx_file_cannot_bring_operators_of_its_own(folder):
    (folder / ONNX_FILE).write_bytes(onnx_model("weights.bin", domain="evil.ops"))
    with pytest.raises(ClaimsiftError, match="the model cannot be loaded"):
        Predictor.from_pretrained(folder, backend="onnx")


def onnx_model(location: str, domain: str = "") -> bytes:
    """A model that adds up what a table, which lies in a file beside it, holds of each token."""
    table = TensorProto(name="table", data_type=TensorProto.FLOAT, dims=[30522, 4], data_location=TensorProto.EXTERNAL)
    table.external_data.add(key="location", value=location)
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    names = ("input_ids", "attention_mask")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["found"], domain=domain),
            helper.make_node("ReduceSum", ["found", "axes"], ["logits"], keepdims=0),
        ],
        "model",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in names],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 4])],
        [table, axes],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def test_the_library_calls_nothing_that_loads_a_pickle_or_foreign_code():
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "model" / "claimsift").rglob("*.py")]
    assert len(code) > 20
    calls = ("import pickle", "torch.load", "joblib", "allow_pickle", "trust_remote_code=True", "register_custom_ops")
    for call in calls:
        assert not [text for text in code if call in text], call
