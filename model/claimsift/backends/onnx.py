"""ONNX Runtime on a CPU, with the int8 weights that ``train/export.py`` writes."""

import os
from pathlib import Path

import numpy as np
import onnxruntime

from claimsift.backends.batch import pad
from claimsift.errors import ClaimsiftError
from claimsift.hub import ONNX_FILE


class OnnxBackend:
    """Runs batches of sentences of one length side by side, each on one core.

    Without padding no work is wasted, and a sentence gets the same score, to the last bit, whatever else is in its
    batch. Cores that share one batch would wait for each other after every operator.
    """

    batch_tokens = 512  # what fits into a core's cache
    pads = False

    def __init__(self, folder: Path, threads: int | None = None):
        path = folder / ONNX_FILE
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # Higher levels fuse Add and LayerNormalization into an operator that is seven times as slow as the two.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.log_severity_level = 3  # errors
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a type for each of its codes, and no common one
            raise ClaimsiftError(f"{path}: the model cannot be loaded ({error}); copy the model folder anew") from error
        self.device = "cpu"
        self.workers = threads or usable_cores()

    def probabilities(self, token_ids: list[list[int]]) -> np.ndarray:
        padded, mask = pad(token_ids)
        logits = self._session.run(None, {"input_ids": padded, "attention_mask": mask})[0]
        exponentials = np.exp(logits - logits.max(-1, keepdims=True))
        return exponentials / exponentials.sum(-1, keepdims=True)


def usable_cores() -> int:
    """The cores that this process may use: a container or ``taskset`` may leave it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
