"""Exports a DistilBERT to ONNX with int8 weights, for a CPU, and refuses where that would cost quality.

    python train/export.py runs/mine/model [--data my_labels.jsonl]

Writes ``onnx/model_quantized.onnx`` into the model folder, from where ``claimsift score --model`` takes it, and the
figures of the check beside it, ``onnx/export.json``. ``release.py`` does the same as part of a release.

The graph is built here, and not traced, since most of what makes it fast lies in its shape: standard operators that
ONNX Runtime runs well, and a last layer that computes only what the classifier reads, the first token. Inputs and
output are those that every other export of such a model has.

The int8 scheme: matrices and activations are int8, all else is float32. Each output channel has its scale. Activations
have fixed scales, measured on sentences of train, so that a score does not depend on the rest of its batch. A few
channels are much wider than the others; what exceeds ``WIDE`` standard deviations there is moved into the weights that
read them (SmoothQuant, Xiao et al. 2023, https://arxiv.org/abs/2211.10438).
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for eval/, which is no installed package

import datasets
import evaluate
import numpy as np
import onnx
import torch
from finetune import METRICS, find_data
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from claimsift import Predictor
from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from claimsift.hub import CONFIG_FILES, ONNX_FILE
from claimsift.labels import LABEL_TO_ID
from claimsift.packages import file_sha256

MAX_LOSS = 0.005  # of macro-F1 on dev
MIN_AGREEMENT = 0.99  # share of dev whose label is that of the float32 model
CALIBRATION_SENTENCES = 2000
WIDE = 8  # standard deviations
OPSET, IR_VERSION = 23, 10  # the first with an Attention operator, and the format version of its time
CONTRIB = "com.microsoft"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, help="model folder, <output_dir>/model of a run")
    parser.add_argument("--data", default="data/annotations", help="dataset with a train and a dev split")
    options = parser.parse_args(arguments)
    print(json.dumps(export(options.model, load_annotations(find_data(options.data))), indent=2))


def export(model: Path, dataset: datasets.DatasetDict) -> dict:
    """Writes the int8 model into a model folder.

    Returns:
        The figures of :func:`check`.

    Raises:
        ClaimsiftError: the model is no DistilBERT, or int8 costs more than ``MAX_LOSS`` or ``MIN_AGREEMENT`` allow; the
            folder is then left as it was.
    """
    train = dataset["train"]
    texts = train["text"][:: max(1, len(train) // CALIBRATION_SENTENCES)]
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder)
        for name in CONFIG_FILES:
            shutil.copyfile(model / name, candidate / name)
        (candidate / ONNX_FILE).parent.mkdir()
        onnx.save(build(model, measure_ranges(model, texts)), candidate / ONNX_FILE)
        figures = check(model, candidate, dataset["dev"]) | {"calibration_sentences": len(texts)}
        (model / ONNX_FILE).parent.mkdir(exist_ok=True)
        shutil.move(candidate / ONNX_FILE, model / ONNX_FILE)
    (model / ONNX_FILE).with_name("export.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures


def check(model: Path, candidate: Path, dev: datasets.Dataset) -> dict:
    """Compares the int8 model with the float32 one on dev.

    Raises:
        ClaimsiftError: it is worse than the release allows.
    """
    metric = evaluate.load(str(METRICS), keep_in_memory=True)
    labels, macro_f1, probabilities = {}, {}, {}
    for name, folder, backend in (("float32", model, "torch"), ("int8", candidate, "onnx")):
        scored = Predictor.from_pretrained(folder, backend=backend, device="cpu").score_sentences(
            dev["text"], dev["context"]
        )
        labels[name] = np.array([LABEL_TO_ID[sentence.label] for sentence in scored])
        probabilities[name] = np.array([list(sentence.scores.values()) for sentence in scored])
        macro_f1[name] = metric.compute(predictions=labels[name], references=dev["label"])["macro_f1"]
    figures = {
        "sentences": len(dev),
        "agreement": float((labels["int8"] == labels["float32"]).mean()),
        "macro_f1": macro_f1,
        "mean_shift": float(np.abs(probabilities["int8"] - probabilities["float32"]).mean()),
        "sha256": file_sha256(candidate / ONNX_FILE),
    }
    loss = macro_f1["float32"] - macro_f1["int8"]
    if loss > MAX_LOSS or figures["agreement"] < MIN_AGREEMENT:
        raise ClaimsiftError(
            f"{model}: int8 loses {loss:.4f} of macro-F1 on dev (at most {MAX_LOSS}) and agrees on "
            f"{figures['agreement']:.2%} of the labels (at least {MIN_AGREEMENT:.0%}); ship it without, and score with "
            "--backend torch"
        )
    return figures


@dataclass
class Range:
    """Smallest and largest value of each channel of an activation, ``(channels,)``, and the deviation of all."""

    low: np.ndarray
    high: np.ndarray
    deviation: float


def measure_ranges(model: Path, texts: list[str]) -> dict[str, Range]:
    """Returns the range of what each linear layer of the encoder reads, by the layer's name."""
    network = AutoModelForSequenceClassification.from_pretrained(
        model, dtype=torch.float32, use_safetensors=True
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(model)
    lows, highs, squares = {}, {}, {}

    def observe(name: str):
        def hook(module, inputs):
            values = inputs[0].flatten(0, -2)
            lows.setdefault(name, []).append(values.amin(0))
            highs.setdefault(name, []).append(values.amax(0))
            squares.setdefault(name, []).append(values.square().mean())

        return hook

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Linear) and ".layer." in name:
            module.register_forward_pre_hook(observe(name))
    with torch.inference_mode():
        for text in texts:  # one by one, so that no padding is measured
            network(**tokenizer(text, truncation=True, return_tensors="pt"))
    return {
        name: Range(
            torch.stack(lows[name]).amin(0).numpy(),
            torch.stack(highs[name]).amax(0).numpy(),
            torch.stack(squares[name]).mean().sqrt().item(),
        )
        for name in lows
    }


def build(model: Path, ranges: dict[str, Range]) -> onnx.ModelProto:
    """Returns the int8 graph of the model.

    Raises:
        ClaimsiftError: it is no DistilBERT classifier as this module knows it.
    """
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "distilbert" or config.get("activation") != "gelu":
        raise ClaimsiftError(
            f"{model}: only a DistilBERT with GELU can be exported; score other models with --backend torch, or export "
            "them with optimum-cli"
        )
    weights = {name: weight.astype(np.float32) for name, weight in load_file(model / "model.safetensors").items()}
    return DistilBertGraph(config, weights, ranges).build()


class DistilBertGraph:
    """Nodes and weights of the ONNX graph, while it is built; names of tensors are handed from node to node."""

    def __init__(self, config: dict, weights: dict[str, np.ndarray], ranges: dict[str, Range]):
        self.config = config
        self.weights = weights
        self.ranges = ranges
        self.nodes, self.constants = [], []

    def build(self) -> onnx.ModelProto:
        token_ids, mask = "input_ids", "attention_mask"
        length = self.node("Shape", token_ids, start=1, end=2)
        hidden = self.embed(token_ids, length)
        # Added to attention scores: 0 where there is a token, so low that nothing is left where there is padding.
        padding = self.node(
            "Mul", self.node("Sub", self.node("Cast", mask, to=TensorProto.FLOAT), self.scalar(1)), self.scalar(1e4)
        )
        padding = self.node("Unsqueeze", padding, self.integers(1, 2))
        batch = self.node("Shape", token_ids, start=0, end=1)
        square = self.node("Concat", batch, self.integers(1), length, length, axis=0)
        every_padding = self.node("Expand", padding, square)
        *layers, last = range(self.config["n_layers"])
        for layer in layers:
            hidden = self.layer(f"distilbert.transformer.layer.{layer}", hidden, every_padding)
        hidden = self.layer(f"distilbert.transformer.layer.{last}", hidden, padding, first_token_only=True)
        pooled = self.node("Squeeze", hidden, self.integers(1))
        pooled = self.node("Relu", self.dense("pre_classifier", pooled))
        self.node("Identity", self.dense("classifier", pooled), output="logits")
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in (token_ids, mask)
        ]
        output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(self.config["id2label"])])
        graph = helper.make_graph(self.nodes, "claimsift", inputs, [output], self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        built = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="claimsift")
        onnx.checker.check_model(built)
        return built

    def embed(self, token_ids: str, length: str) -> str:
        """Word embeddings are most of the file: they are int8 with a scale for each word."""
        words = self.weights["distilbert.embeddings.word_embeddings.weight"]
        scales = np.maximum(np.abs(words).max(1, keepdims=True), 1e-12) / 127
        quantized = np.round(words / scales).astype(np.int8)
        looked_up = self.node("Cast", self.node("Gather", self.constant(quantized), token_ids), to=TensorProto.FLOAT)
        looked_up = self.node("Mul", looked_up, self.node("Gather", self.constant(scales), token_ids))
        positions = self.constant(self.weights["distilbert.embeddings.position_embeddings.weight"])
        positions = self.node("Slice", positions, self.integers(0), length, self.integers(0))
        return self.norm("distilbert.embeddings.LayerNorm", self.node("Add", looked_up, positions))

    def layer(self, name: str, hidden: str, padding: str, first_token_only: bool = False) -> str:
        """One layer of the encoder: ``(batch, sequence, dim)`` to the same, or to ``(batch, 1, dim)``."""
        attention = f"{name}.attention"
        read = self.quantize(f"{attention}.q_lin", hidden)  # the same for queries, keys and values
        asking = read
        if first_token_only:
            asking, hidden = (self.node("Slice", tensor, *map(self.integers, (0, 1, 1))) for tensor in (read, hidden))
        heads = self.config["n_heads"]
        query = self.linear(f"{attention}.q_lin", asking, f"{attention}.q_lin")
        key, value = (self.linear(f"{attention}.{part}_lin", read, f"{attention}.q_lin") for part in "kv")
        attended = self.node("Attention", query, key, value, padding, q_num_heads=heads, kv_num_heads=heads)
        attended = self.quantized_linear(f"{attention}.out_lin", attended)
        hidden = self.norm(f"{name}.sa_layer_norm", self.node("Add", hidden, attended))
        wide = self.node("Gelu", self.quantized_linear(f"{name}.ffn.lin1", hidden), domain=CONTRIB)
        narrow = self.quantized_linear(f"{name}.ffn.lin2", wide)
        return self.norm(f"{name}.output_layer_norm", self.node("Add", hidden, narrow))

    def quantized_linear(self, name: str, tensor: str) -> str:
        return self.linear(name, self.quantize(name, tensor), name)

    def quantize(self, name: str, tensor: str) -> str:
        """Returns as uint8 what the linear layer of this name reads."""
        divisor = self.divisor(name)
        if divisor.max() > 1:
            tensor = self.node("Mul", tensor, self.constant(1 / divisor))
        scale, zero = self.activation_scale(name)
        return self.node("QuantizeLinear", tensor, self.scalar(scale), self.constant(zero))

    def linear(self, name: str, quantized: str, read_as: str) -> str:
        """A linear layer; ``read_as`` names the layer for which its input was quantized."""
        weight = self.weights[f"{name}.weight"].T * self.divisor(read_as)[:, None]
        scales = weight_scales(weight)
        scale, zero = self.activation_scale(read_as)
        return self.node(
            "MatMulIntegerToFloat",
            quantized,
            self.constant(np.round(weight / scales).astype(np.int8)),
            self.scalar(scale),
            self.constant(scales),
            self.constant(zero),
            "",
            self.constant(self.weights[f"{name}.bias"]),
            domain=CONTRIB,
        )

    def divisor(self, name: str) -> np.ndarray:
        """What each channel is divided by before it is quantized, ``(channels,)``: 1 but for the widest."""
        measured = self.ranges[name]
        widest = np.maximum(-measured.low, measured.high)
        return np.maximum(widest / (WIDE * measured.deviation), 1).astype(np.float32)

    def activation_scale(self, name: str) -> tuple[float, np.ndarray]:
        """Returns scale and zero point, a uint8, of what a linear layer reads."""
        measured, divisor = self.ranges[name], self.divisor(name)
        low, high = min((measured.low / divisor).min(), 0), max((measured.high / divisor).max(), 0)
        scale = max(float(high - low), 1e-6) / 255
        return scale, np.array(round(-low / scale), np.uint8)

    def norm(self, name: str, tensor: str) -> str:
        weight, bias = (self.constant(self.weights[f"{name}.{kind}"]) for kind in ("weight", "bias"))
        return self.node("LayerNormalization", tensor, weight, bias, axis=-1, epsilon=1e-12)

    def dense(self, name: str, tensor: str) -> str:
        weight, bias = (self.constant(self.weights[f"{name}.{kind}"]) for kind in ("weight", "bias"))
        return self.node("Gemm", tensor, weight, bias, transB=1)

    def node(self, operator: str, *inputs: str, output: str | None = None, domain: str = "", **attributes) -> str:
        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def constant(self, value: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def scalar(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))


def weight_scales(weight: np.ndarray) -> np.ndarray:
    """Returns the scale of each output channel of a matrix ``(in, out)``.

    Processors without VNNI instructions add the products of two neighbours, of uint8 and int8, in 16 bits, where 255 ×
    127 × 2 does not fit. No two neighbours of int8 weights may therefore sum to more than 128. That costs less
    precision than the usual remedy, weights of 7 bits.
    """
    largest = np.abs(weight).max(0) / 127
    neighbours = np.abs(weight[1:] + weight[:-1]).max(0) / 127  # rounding may add 1
    return np.maximum(np.maximum(largest, neighbours), 1e-12).astype(np.float32)


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"export.py: {error}")
