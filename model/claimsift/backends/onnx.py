"""ONNX Runtime on a CPU, with the int8 weights that ``train/export.py`` writes."""

import os
from pathlib import Path

import numpy as np
import onnxruntime

from claimsift.backends.batch import pad
from claimsift.errors import ClaimsiftError, first_line
from claimsift.hub import ONNX_FILE
from claimsift.labels import LABELS


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
        options.log_severity_level = 4  # errors are raised, and said in one line
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a type for each of its codes, and no common one
            raise ClaimsiftError(
                f"{path}: the model cannot be loaded ({first_line(error)}); copy the model folder anew"
            ) from error
        self._path = path
        self.device = "cpu"
        self.workers = threads or usable_cores()
        shape = self.probabilities([[0]]).shape  # another model takes other inputs, or gives another output
        if shape != (1, len(LABELS)):
            raise ClaimsiftError(
                f"{path}: another model, it gives an output of shape {shape} where (1, {len(LABELS)}) is due; "
                "copy the model folder anew, or write the file with train/export.py"
            )

    def probabilities(self, token_ids: list[list[int]]) -> np.ndarray:
        padded, mask = pad(token_ids)
        try:
            logits = self._session.run(None, {"input_ids": padded, "attention_mask": mask})[0]
        except Exception as error:
            if "alloc" in str(error):  # std::bad_alloc, or the arena's "Failed to allocate memory"
                raise MemoryError(first_line(error)) from error
            raise ClaimsiftError(
                f"{self._path}: cannot run on sentences ({first_line(error)}); it is another model, or does not fit "
                "the tokenizer: copy the model folder anew"
            ) from error
        exponentials = np.exp(logits - logits.max(-1, keepdims=True))
        return exponentials / exponentials.sum(-1, keepdims=True)


def usable_cores() -> int:
    """The cores that this process may use: ``taskset`` or ``docker --cpuset-cpus`` may leave it fewer than there are.

    A quota of time on all of them, as ``docker --cpus`` and the limits of Kubernetes set, does not show here.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
