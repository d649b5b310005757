"""Sentence embeddings of the embedded encoder as it is: SetFit's way, without training the encoder."""

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from claimsift.encoder import EMBEDDED, resolve_encoder

BATCH_SIZE = 32
MAX_LENGTH = 256  # tokens, as the encoder's own authors cut


class FrozenEncoder:
    """Embeds sentences as `sentence-transformers` does with this encoder: mean of the last layer, of length 1."""

    def __init__(self):
        folder = resolve_encoder(EMBEDDED)
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._encoder = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.inference_mode()
    def embed(self, texts: list[str]) -> np.ndarray:
        """Returns the embeddings, ``(sentences, 384)``; batches are sorted by length, the longest first."""
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        embedded = []
        for start in range(0, len(order), BATCH_SIZE):
            batch = [texts[index] for index in order[start : start + BATCH_SIZE]]
            tokens = self._tokenizer(batch, padding=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
            mask = tokens["attention_mask"]
            hidden = self._encoder(input_ids=tokens["input_ids"], attention_mask=mask).last_hidden_state
            means = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            embedded.append(torch.nn.functional.normalize(means))
        return torch.cat(embedded)[np.argsort(order)].numpy()
