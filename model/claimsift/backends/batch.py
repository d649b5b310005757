"""Sentences of several lengths into the rectangle that a runtime takes."""

from itertools import chain

import numpy as np


def pad(token_ids: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Returns token ids, filled up with 0 on the right, and the mask of what is no filling.

    Both are int64 of shape (sentences, longest).
    """
    lengths = np.array([len(ids) for ids in token_ids])
    mask = np.arange(lengths.max()) < lengths[:, None]
    padded = np.zeros(mask.shape, np.int64)
    padded[mask] = list(chain.from_iterable(token_ids))
    return padded, mask.astype(np.int64)
