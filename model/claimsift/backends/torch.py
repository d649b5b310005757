"""PyTorch on a CPU or a CUDA GPU."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from claimsift.backends.batch import pad
from claimsift.errors import ClaimsiftError, first_line

MAKE_ROOM = "stop what else uses the memory, or choose --device cpu"


class TorchBackend:
    """Runs the model in float32 on a CPU, and in half precision on a GPU.

    On a CPU it is the reference that the int8 weights of the ONNX backend are checked against.
    """

    pads = True

    def __init__(self, folder: Path, device: str = "auto"):
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise ClaimsiftError("no CUDA GPU is available to torch; choose --device cpu or auto")
        try:
            with _quietly():
                self.model, report = AutoModelForSequenceClassification.from_pretrained(
                    folder,
                    dtype=_precision(device),
                    use_safetensors=True,
                    trust_remote_code=False,
                    local_files_only=True,
                    output_loading_info=True,
                )
            if report["missing_keys"]:  # transformers would draw them at random
                raise ValueError(f"no weights for {', '.join(sorted(report['missing_keys'])[:3])}")
        except Exception as error:  # of every kind: a config.json can be wrong in many ways
            raise ClaimsiftError(
                f"{folder}: the model cannot be loaded ({first_line(error)}); copy the model folder anew"
            ) from error
        try:
            self.model.to(device).eval()
        except torch.OutOfMemoryError:
            raise ClaimsiftError(f"{folder}: the GPU has no room for the model; {MAKE_ROOM}") from None
        self.device = device
        # A GPU gets enough work to be worth starting it, and a second batch made ready while it works on the first. On
        # a CPU a thread of our own would give torch a second set of OpenMP threads, which slows down all other use.
        self.batch_tokens, self.workers = (65_536, 2) if device == "cuda" else (4096, 0)

    def probabilities(self, token_ids: list[list[int]]) -> np.ndarray:
        try:
            return self._probabilities(token_ids)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            if len(token_ids) == 1:
                raise ClaimsiftError(
                    f"no memory to score a sentence of {len(token_ids[0])} tokens; {MAKE_ROOM}"
                ) from None
        # Out here, where the error no longer holds what the batch had taken.
        torch.cuda.empty_cache()
        half = len(token_ids) // 2
        self.batch_tokens = min(self.batch_tokens, half * max(map(len, token_ids)))  # later batches fit at once
        return np.concatenate([self.probabilities(token_ids[:half]), self.probabilities(token_ids[half:])])

    @torch.inference_mode()
    def _probabilities(self, token_ids: list[list[int]]) -> np.ndarray:
        padded, mask = map(self._to_device, pad(token_ids))
        logits = self.model(input_ids=padded, attention_mask=mask).logits
        return logits.float().softmax(-1).cpu().numpy()

    def _to_device(self, values: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(values)
        # From pinned memory the copy runs while the GPU still works on the batch before.
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device == "cuda" else tensor


def _is_out_of_memory(error: RuntimeError) -> bool:
    # On a CPU it is a plain RuntimeError: "DefaultCPUAllocator: can't allocate memory: you tried to allocate …".
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def _precision(device: str) -> torch.dtype:
    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Loading takes a blink, and a bar for it would only litter the terminal; what is wrong is raised."""
    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()
