"""The systems that ``benchmark.py`` compares: ways to run one model, and a cheap way to make another."""

import json
import logging
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import datasets
import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from scipy.special import softmax
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Pipeline, pipeline

from claimsift import Predictor
from claimsift.articles import Article
from claimsift.hub import column_order
from claimsift.labels import LABEL_TO_ID, LABELS
from claimsift.output import WRITERS
from claimsift.predict import REMEMBERED_SENTENCES, ScoreCache
from eval.baselines import logistic_regression
from eval.frozen_encoder import FrozenEncoder
from eval.sample import Sample

BATCH_SIZE = 32
OPSET = 17
PLAIN = "transformers pipeline"  # what all others are compared with
INT8 = "claimsift, int8"
DYNAMIC_INT8 = "ONNX Runtime, dynamic int8"
OPTIMUM = "optimum-onnx pipeline, dynamic int8"
HEAD = "sentence embeddings + logistic regression"


class System(ABC):
    """Something that labels sentences."""

    def __init__(self, name: str):
        self.name = name

    @abstractmethod
    def labels(self, texts: list[str]) -> list[int]:
        """Returns the label of each sentence."""

    def run(self, sample: Sample) -> int:
        """Does the work that is timed; returns how many sentences it labelled."""
        return len(self.labels(sample.sentences))


def build_systems(
    model: Path, predictor: Predictor, exports: dict[str, Path], train: datasets.Dataset, scratch: Path
) -> tuple[list[System], dict[str, str]]:
    """Returns the systems, and the reason for each that cannot be had here.

    Args:
        model: the folder of a model.
        predictor: its int8 file, loaded.
        exports: what :func:`export_onnx` returned for it.
        train: what the logistic regression is trained on.
        scratch: a folder to write into.
    """
    systems = [
        PipelineSystem(PLAIN, plain_pipeline(model)),
        PipelineSystem(f"{PLAIN}, batch_size={BATCH_SIZE}", plain_pipeline(model), batch_size=BATCH_SIZE),
        HeadSystem(HEAD, train),
        OnnxSystem("ONNX Runtime, float32", exports["float32"], model),
        OnnxSystem(DYNAMIC_INT8, exports["int8"], model),
        ClaimsiftSystem("claimsift, torch", Predictor.from_pretrained(model, device="cpu", backend="torch")),
        ClaimsiftSystem(INT8, predictor),
        ArticlesSystem("claimsift, int8, articles to rows", predictor, scratch / "rows.jsonl"),
    ]
    try:
        return [*systems, PipelineSystem(OPTIMUM, optimum_pipeline(model, exports["int8"]), batch_size=BATCH_SIZE)], {}
    except ImportError as error:
        # The file in which the name is missing is a path of this machine.
        return systems, {OPTIMUM: re.sub(r" \(/.*\)", "", str(error))}


def plain_pipeline(model: Path) -> Pipeline:
    """What the documentation of transformers tells everybody to write."""
    return pipeline("text-classification", model=str(model), device="cpu")


def optimum_pipeline(model: Path, path: Path) -> Pipeline:
    """The same with optimum-onnx, where it is installed and fits the installed transformers.

    Raises:
        ImportError: it is not, or does not.
    """
    from optimum.onnxruntime import ORTModelForSequenceClassification
    from optimum.onnxruntime import pipeline as onnx_pipeline

    # It wants the file beside the configuration.
    (path.parent / "config.json").write_bytes((model / "config.json").read_bytes())
    network = ORTModelForSequenceClassification.from_pretrained(path.parent, file_name=path.name)
    return onnx_pipeline("text-classification", model=network, tokenizer=AutoTokenizer.from_pretrained(model))


class PipelineSystem(System):
    """A pipeline of transformers, called on the whole list."""

    def __init__(self, name: str, classify: Pipeline, **options):
        super().__init__(name)
        self._classify, self._options = classify, options

    def labels(self, texts: list[str]) -> list[int]:
        results = self._classify(texts, truncation=True, **self._options)
        return [LABEL_TO_ID[result["label"]] for result in results]


class OnnxSystem(System):
    """A traced ONNX file in a session with default options; batches in the order of the list, padded."""

    def __init__(self, name: str, path: Path, model: Path):
        super().__init__(name)
        self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self._tokenizer = AutoTokenizer.from_pretrained(model)
        self._columns = column_order(model)

    def labels(self, texts: list[str]) -> list[int]:
        return self.probabilities(texts).argmax(-1).tolist()

    def probabilities(self, texts: Sequence[str], batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns the probabilities of the labels, ``(sentences, 4)``."""
        batches = []
        for batch in in_batches(texts, batch_size):
            tokens = self._tokenizer(batch, padding=True, truncation=True, return_tensors="np")
            inputs = {name: tokens[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
            batches.append(softmax(self._session.run(None, inputs)[0], axis=-1))
        return np.concatenate(batches)[:, self._columns]


def export_onnx(model: Path, folder: Path) -> dict[str, Path]:
    """Exports a model as everybody does.

    Returns:
        The files ``float32``, ``int8`` and ``int8-reduced``, the last with weights of 7 bits, which ONNX Runtime
        recommends for processors without VNNI.
    """
    folder.mkdir()
    paths = {name: folder / f"{name}.onnx" for name in ("float32", "int8", "int8-reduced")}
    network = AutoModelForSequenceClassification.from_pretrained(
        model, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    token_ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "sequence"}
    with warnings.catch_warnings(action="ignore"):  # the tracing exporter is called deprecated
        torch.onnx.export(
            network,
            (token_ids, token_ids),
            paths["float32"],
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    logging.disable(logging.WARNING)  # the advice to preprocess the file, which few follow
    for name, reduce_range in (("int8", False), ("int8-reduced", True)):
        quantize_dynamic(
            paths["float32"], paths[name], per_channel=True, weight_type=QuantType.QInt8, reduce_range=reduce_range
        )
    logging.disable(logging.NOTSET)
    return paths


class HeadSystem(System):
    """Logistic regression on the embeddings of an encoder that stays as it is: SetFit without training the encoder."""

    def __init__(self, name: str, train: datasets.Dataset):
        super().__init__(name)
        self._encoder = FrozenEncoder()
        self._head = logistic_regression().fit(self._encoder.embed(list(train["text"])), train["label"])

    def labels(self, texts: list[str]) -> list[int]:
        return self._head.predict(self._encoder.embed(texts)).tolist()


class ClaimsiftSystem(System):
    """The library, on sentences."""

    def __init__(self, name: str, predictor: Predictor):
        super().__init__(name)
        self._predictor = predictor

    def labels(self, texts: list[str]) -> list[int]:
        return self.probabilities(texts).argmax(-1).tolist()

    def probabilities(self, texts: Sequence[str], batch_size: int | None = None) -> np.ndarray:
        """Returns the probabilities of the labels, ``(sentences, 4)``.

        Args:
            texts: the sentences.
            batch_size: how many are handed to the library at a time; all by default.
        """
        forget(self._predictor)
        batches = in_batches(texts, batch_size or len(texts))
        scored = [sentence for batch in batches for sentence in self._predictor.score_sentences(batch)]
        return np.array([[sentence.scores[label] for label in LABELS] for sentence in scored])


class ArticlesSystem(System):
    """The library from articles to rows: splits, tokenises, scores, and writes JSON lines to a file."""

    def __init__(self, name: str, predictor: Predictor, path: Path):
        super().__init__(name)
        self._predictor, self._path = predictor, path

    def labels(self, texts: list[str]) -> list[int]:
        self._write([Article("", text) for text in texts], "sentence")
        rows = map(json.loads, self._path.read_text(encoding="utf-8").splitlines())
        return [LABEL_TO_ID[row["label"]] for row in rows]

    def run(self, sample: Sample) -> int:
        return self._write(sample.articles, "article")

    def _write(self, articles: list[Article], unit: str) -> int:
        forget(self._predictor)
        count = 0
        with self._path.open("wb") as stream:
            writer = WRITERS["jsonl"](stream)
            for article, sentences in zip(articles, self._predictor.score_articles(articles, unit), strict=True):
                writer.write(article, sentences)
                count += len(sentences)
            writer.close()
        return count


def forget(predictor: Predictor) -> None:
    """Empties the memory of scored sentences: a round must not profit from the one before."""
    predictor._cache = ScoreCache(REMEMBERED_SENTENCES)


def in_batches(texts: Sequence[str], size: int) -> Iterator[list[str]]:
    return (list(texts[start : start + size]) for start in range(0, len(texts), size))
