"""Two traps of int8 on a CPU: scores that depend on the rest of the batch, and sums that older processors cut off."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

LARGEST_SUM = 2**15 - 1  # of 16 bits
LARGEST_ACTIVATION = 255
INTEGER_PRODUCTS = ("MatMulInteger", "MatMulIntegerToFloat")


def shift(alone: np.ndarray, together: np.ndarray) -> dict[str, float]:
    """Compares probabilities of the same sentences, each scored alone and scored in batches.

    Args:
        alone: ``(sentences, labels)``.
        together: the same shape.
    """
    return {
        "largest_shift": float(np.abs(alone - together).max()),
        "labels_changed": float((alone.argmax(-1) != together.argmax(-1)).mean()),
    }


def saturation(path: Path) -> dict[str, float]:
    """Looks for sums that processors without VNNI cut off, in the quantized matrices of an ONNX file.

    Their instruction ``vpmaddubsw`` adds the products of two neighbours along the input channels, of a uint8 activation
    and an int8 weight each, in 16 bits, and cuts off what does not fit.

    Returns:
        ``largest_sum``: what such a sum can reach, by its absolute value. ``matrices``: how many there are.
        ``matrices_beyond``: the share of those in which it can be more than fits.
    """
    graph = onnx.load(path).graph
    constants = {constant.name: constant for constant in graph.initializer}
    weights = [node.input[1] for node in graph.node if node.op_type in INTEGER_PRODUCTS]
    sums = np.array([neighbour_sum(numpy_helper.to_array(constants[name])) for name in weights])
    return {
        "largest_sum": int(sums.max()),
        "matrices": len(sums),
        "matrices_beyond": float((sums > LARGEST_SUM).mean()),
    }


def neighbour_sum(weight: np.ndarray) -> int:
    """Returns the largest sum that two neighbouring weights of an int8 matrix ``(in, out)`` can lead to."""
    wide = weight.astype(np.int64) * LARGEST_ACTIVATION
    positive, negative = np.maximum(wide, 0), np.maximum(-wide, 0)
    return int(max((part[1:] + part[:-1]).max() for part in (positive, negative)))
