"""PyTorch on a CPU or a CUDA GPU."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from claimsift.errors import ClaimsiftError


class TorchBackend:
    """Runs the model in fp32, also where its weights are stored in fp16."""

    def __init__(self, folder: Path, device: str = "auto"):
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise ClaimsiftError("no CUDA GPU is available to torch; choose --device cpu or auto")
        try:
            with _no_progress_bar():
                self.model, report = AutoModelForSequenceClassification.from_pretrained(
                    folder,
                    dtype=torch.float32,
                    use_safetensors=True,
                    trust_remote_code=False,
                    local_files_only=True,
                    output_loading_info=True,
                )
            if report["missing_keys"]:  # transformers would draw them at random
                raise ValueError(f"no weights for {', '.join(sorted(report['missing_keys'])[:3])}")
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            raise ClaimsiftError(
                f"{folder}: the model cannot be loaded ({error}); copy the model folder anew"
            ) from error
        self.model.to(device).eval()
        self.device = device

    @torch.inference_mode()
    def probabilities(self, token_ids: list[list[int]]) -> np.ndarray:
        longest = max(map(len, token_ids))
        padded = torch.zeros(len(token_ids), longest, dtype=torch.long)
        mask = torch.zeros_like(padded)
        for row, ids in enumerate(token_ids):
            padded[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        logits = self.model(input_ids=padded.to(self.device), attention_mask=mask.to(self.device)).logits
        return logits.softmax(-1).cpu().numpy()


@contextlib.contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Loading takes a blink; a bar for it would only litter the terminal."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
