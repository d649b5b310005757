import json
import shutil
from itertools import islice

import datasets
import export
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import ANNOTATIONS
from onnx import numpy_helper
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from claimsift import ClaimsiftError
from claimsift.hub import ONNX_FILE, SHIPPED_MODEL
from claimsift.labels import LABEL_TO_ID


@pytest.fixture(scope="module")
def dataset():
    """Sentences written for the dataset, whose text is in the repository."""
    with (ANNOTATIONS / "written.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, 200)]
    rows = datasets.Dataset.from_list(
        [{"text": row["text"], "context": "", "label": LABEL_TO_ID[row["label"]]} for row in rows]
    )
    return datasets.DatasetDict({"train": rows.select(range(100)), "dev": rows.select(range(100, 200))})


@pytest.fixture
def model(tmp_path):
    return shutil.copytree(SHIPPED_MODEL, tmp_path / "model", ignore=shutil.ignore_patterns("onnx"))


def test_the_int8_model_is_written_beside_the_weights_and_agrees_with_them(model, dataset):
    figures = export.export(model, dataset)
    assert figures["sentences"] == 100
    assert figures["agreement"] >= export.MIN_AGREEMENT
    assert json.loads((model / "onnx" / "export.json").read_text()) == figures
    assert (model / ONNX_FILE).stat().st_size < (model / "model.safetensors").stat().st_size * 0.6


def test_an_export_that_costs_too_much_is_not_written(model, dataset, monkeypatch):
    monkeypatch.setattr(export, "weight_scales", lambda weight: np.abs(weight).max(0) / 3)  # 2 to 3 bits
    with pytest.raises(ClaimsiftError, match="int8 loses"):
        export.export(model, dataset)
    assert not (model / "onnx").exists()


def test_the_graph_computes_what_the_model_computes(model, dataset):
    """Up to the precision of int8, for padded batches of several lengths as well as for single sentences."""
    texts = list(dataset["dev"]["text"][:16])
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32).eval()
    graph = export.build(model, export.measure_ranges(model, dataset["train"]["text"]))
    session = onnxruntime.InferenceSession(graph.SerializeToString())

    def encode(texts):
        encoded = tokenizer(texts, padding=True, return_tensors="pt")
        return {name: encoded[name] for name in ("input_ids", "attention_mask")}

    def run(texts):
        return session.run(None, {name: values.numpy() for name, values in encode(texts).items()})[0]

    with torch.inference_mode():
        expected = network(**encode(texts)).logits.numpy()
    padded, single = run(texts), np.concatenate([run([text]) for text in texts])
    assert padded == pytest.approx(expected, abs=0.4)
    assert np.abs(padded - expected).mean() < 0.08
    assert padded == pytest.approx(single, abs=1e-4)


def test_no_processor_can_overflow():
    """Two neighbouring weights, times the largest activation, fit into the 16 bits in which some processors add."""
    graph = onnx.load(SHIPPED_MODEL / ONNX_FILE).graph
    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    matrices = [constants[node.input[1]].astype(int) for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
    assert len(matrices) == 6 * 6
    for matrix in matrices:
        assert 255 * np.abs(matrix[1:] + matrix[:-1]).max() <= 2**15 - 1


def test_other_models_are_refused(model):
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"model_type": "roberta"}))
    with pytest.raises(ClaimsiftError, match="only a DistilBERT"):
        export.build(model, {})
