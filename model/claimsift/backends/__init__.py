"""Runtimes that turn token ids into probabilities, behind one small interface."""

import ctypes
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from claimsift.errors import ClaimsiftError
from claimsift.hub import ONNX_FILE

BACKENDS = ("auto", "torch", "onnx")
DEVICES = ("auto", "cpu", "cuda")


class Backend(Protocol):
    """What a runtime offers.

    Attributes:
        device: ``cpu`` or ``cuda``.
        batch_tokens: how many tokens, padding included, make a batch that it runs well.
        pads: whether the sentences of a batch may differ in length.
        workers: how many batches it runs at a time, each in a thread of its own; with 0, one in the caller's.
    """

    device: str
    batch_tokens: int
    pads: bool
    workers: int

    def probabilities(self, token_ids: list[list[int]]) -> np.ndarray:
        """Scores one batch.

        Args:
            token_ids: the tokens of each sentence, special tokens included, unpadded.

        Returns:
            float32 array of shape (sentences, 4), columns in the order of the model's own labels; rows sum to 1.
        """


def load_backend(folder: Path, backend: str = "auto", device: str = "auto", threads: int | None = None) -> Backend:
    """Loads the model in ``folder`` into a runtime; ``threads`` is for onnx, by default one for each usable core.

    Raises:
        ClaimsiftError: the backend or the device is unknown or not there, or the model cannot be loaded.
    """
    if backend not in BACKENDS:
        raise ClaimsiftError(f"unknown backend {backend!r}; choose from {', '.join(BACKENDS)}")
    if device not in DEVICES:
        raise ClaimsiftError(f"unknown device {device!r}; choose from {', '.join(DEVICES)}")
    if backend == "auto":
        backend = _choose_backend(folder, device)
    if backend == "onnx":
        if device == "cuda":
            raise ClaimsiftError("the onnx backend runs on a CPU only; choose --backend torch")
        if not (folder / ONNX_FILE).exists():
            raise ClaimsiftError(
                f"{folder}: has no {ONNX_FILE}; write it with train/export.py, or choose --backend torch"
            )
        from claimsift.backends.onnx import OnnxBackend

        return OnnxBackend(folder, threads)
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise ClaimsiftError("the torch backend needs torch and transformers; run: pip install 'claimsift[torch]'")
    from claimsift.backends.torch import TorchBackend

    return TorchBackend(folder, device)


def _choose_backend(folder: Path, device: str) -> str:
    """ONNX on a CPU, where the model has it, since it is many times as fast there; torch for the rest."""
    gpu = device == "cuda" or (device == "auto" and _gpu_is_usable())
    return "torch" if gpu or not (folder / ONNX_FILE).exists() else "onnx"


def _gpu_is_usable() -> bool:
    """Asks torch, but only where there is an Nvidia driver: the question alone takes more than a second."""
    if find_spec("torch") is None:
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    import torch

    return torch.cuda.is_available()
