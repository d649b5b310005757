"""Runtimes that turn token ids into probabilities, behind one small interface."""

from pathlib import Path
from typing import Protocol

import numpy as np

from claimsift.errors import ClaimsiftError

BACKENDS = ("auto", "torch")
DEVICES = ("auto", "cpu", "cuda")


class Backend(Protocol):
    """What a runtime offers."""

    def probabilities(self, token_ids: list[list[int]]) -> np.ndarray:
        """Scores one batch.

        Args:
            token_ids: the tokens of each sentence, special tokens included, unpadded.

        Returns:
            float32 array of shape (sentences, 4), columns in the order of the model's own labels; rows sum to 1.
        """


def load_backend(folder: Path, backend: str = "auto", device: str = "auto") -> Backend:
    """Loads the model in ``folder`` into a runtime.

    Raises:
        ClaimsiftError: the backend or the device is unknown or not there, or the model cannot be loaded.
    """
    if backend not in BACKENDS:
        raise ClaimsiftError(f"unknown backend {backend!r}; choose from {', '.join(BACKENDS)}")
    if device not in DEVICES:
        raise ClaimsiftError(f"unknown device {device!r}; choose from {', '.join(DEVICES)}")
    from claimsift.backends.torch import TorchBackend

    return TorchBackend(folder, device)
