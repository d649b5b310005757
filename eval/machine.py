"""The machine under ``benchmark.py``: what it is, what it could do at best, and what a cold start and a disk cost."""

import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from claimsift.backends.onnx import usable_cores
from claimsift.sentences import split_sentences

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = Path("examples") / "ferry.txt"
PACKAGES = ("claimsift", "onnxruntime", "torch", "transformers", "tokenizers", "numpy", "scikit-learn")
INT8_TOKENS, BF16_TOKENS = 512, 4096  # of a batch: what fits into a core's cache, and what feeds all cores
REPEATS = 5  # of which the fastest counts, since a limit is asked for

COLD_PIPELINE = """
import sys
from transformers import pipeline
classify = pipeline("text-classification", model=sys.argv[1])
print(classify(sys.argv[2:], truncation=True), flush=True)
"""


def describe_machine() -> dict:
    """Returns processor, cores and versions; ``load`` is that of the last minute, by other work too."""
    return {
        "cpu": cpu_line("model name") or platform.processor() or platform.machine(),
        "vnni": "vnni" in cpu_line("flags"),
        "cores": usable_cores(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def cpu_line(name: str) -> str:
    """Returns what Linux says of the processor under this name, or nothing elsewhere."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def operations(config: dict, tokens: np.ndarray) -> np.ndarray:
    """Returns the multiplications and additions in the matrix products of sentences of these lengths.

    The classifier reads the first token alone: of the last layer only keys and values are needed of the others.
    """
    dim, hidden_dim = config["dim"], config["hidden_dim"]
    token_in_layer = 2 * (4 * dim**2 + 2 * dim * hidden_dim)
    layer = tokens * token_in_layer + 4 * tokens**2 * dim
    last = tokens * 2 * (2 * dim**2) + (token_in_layer - 2 * (2 * dim**2)) + 4 * tokens * dim
    return (config["n_layers"] - 1) * layer + last + 2 * dim * (dim + len(config["id2label"]))


def limits(config: dict, tokens: np.ndarray) -> dict:
    """Returns how many sentences a second the matrix products alone would allow, on all cores."""
    needed = float(operations(config, tokens).mean())
    rates = {"int8": int8_rate(config["dim"], config["hidden_dim"]), "bf16": bf16_rate(config["dim"])}
    return {
        "operations_per_sentence": needed,
        "operations_per_second": rates,
        "sentences_per_second": {name: rate / needed for name, rate in rates.items()},
    }


def int8_rate(dim: int, hidden_dim: int) -> float:
    """Operations a second in the int8 matrix products of a layer, in ONNX Runtime, one session on each core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    graph, work = layer_products(dim, hidden_dim)
    cores = usable_cores()
    sessions = [onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"]) for _ in range(cores)]
    random = np.random.default_rng(0)
    inputs = {f"input_{width}": random.integers(0, 255, (INT8_TOKENS, width), np.uint8) for width in {dim, hidden_dim}}

    def run_often(session: onnxruntime.InferenceSession) -> None:
        for _ in range(50):
            session.run(None, inputs)

    with ThreadPoolExecutor(cores) as threads:
        return 50 * work * cores / fastest(lambda: list(threads.map(run_often, sessions)))


def layer_products(dim: int, hidden_dim: int) -> tuple[bytes, int]:
    """Returns an ONNX graph with the six linear layers of a layer, side by side, and the operations in it."""
    random = np.random.default_rng(0)
    nodes, constants, outputs = [], [], []
    shapes = [*[(dim, dim)] * 4, (dim, hidden_dim), (hidden_dim, dim)]
    for number, (rows, columns) in enumerate(shapes):
        values = {
            "weight": random.integers(-63, 63, (rows, columns), np.int8),
            "scale": np.array(0.01, np.float32),
            "scales": np.full(columns, 0.01, np.float32),
            "zero": np.array(128, np.uint8),
        }
        names = [f"{name}_{number}" for name in values]
        constants += map(numpy_helper.from_array, values.values(), names)
        inputs, output = [f"input_{rows}", *names], f"output_{number}"
        nodes.append(helper.make_node("MatMulIntegerToFloat", inputs, [output], domain="com.microsoft"))
        outputs.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, [INT8_TOKENS, columns]))
    inputs = [
        helper.make_tensor_value_info(f"input_{width}", TensorProto.UINT8, [INT8_TOKENS, width])
        for width in {dim, hidden_dim}
    ]
    graph = helper.make_graph(nodes, "layer", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    work = 2 * INT8_TOKENS * sum(rows * columns for rows, columns in shapes)
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString(), work


@torch.inference_mode()
def bf16_rate(dim: int) -> float:
    """Operations a second in a bf16 matrix product, in PyTorch, which spreads it over all cores."""
    left, right = torch.randn(BF16_TOKENS, dim).bfloat16(), torch.randn(dim, 4 * dim).bfloat16()

    def run_often() -> None:
        for _ in range(10):
            torch.matmul(left, right)

    return 10 * 2 * BF16_TOKENS * 4 * dim**2 / fastest(run_often)


def fastest(work: Callable[[], object]) -> float:
    """Returns the seconds of the fastest of several runs, after one that does not count."""
    seconds = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def cold_start(model: Path, starts: int) -> dict[str, dict]:
    """Seconds from the start of a command to the first article's scores, by the library and by a pipeline's script."""
    sentences = [sentence.text for sentence in split_sentences((ROOT / EXAMPLE).read_text(encoding="utf-8"))]
    folder = str(model.resolve())
    commands = {
        "claimsift": ([sys.executable, "-m", "claimsift.cli", "score", str(EXAMPLE), "--model", folder], starts),
        "transformers pipeline": ([sys.executable, "-c", COLD_PIPELINE, folder, *sentences], min(3, starts)),
    }
    figures = {}
    for name, (command, repeats) in commands.items():
        seconds = [seconds_to_output(command) for _ in range(repeats)]
        figures[name] = {"median": statistics.median(seconds), "fastest": min(seconds), "slowest": max(seconds)}
    return figures


def seconds_to_output(command: list[str]) -> float:
    """Returns how long a command takes until it prints something.

    Raises:
        subprocess.CalledProcessError: it fails.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        seconds = time.perf_counter() - start
        _, errors = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=errors)
    return seconds


def installed_sizes() -> dict[str, dict]:
    """Bytes of all that is installed for the library's base requirements, and for a pipeline of transformers."""
    needed = {
        "claimsift": requirements("claimsift"),
        "transformers pipeline": ["transformers", "torch"],
    }
    sizes = {name: closure(names) for name, names in needed.items()}
    return {name: {"bytes": sum(found.values()), "packages": found} for name, found in sizes.items()}


def closure(names: Iterable[str]) -> dict[str, int]:
    """Returns the size of the installed packages, and of all that these require in turn, by their names."""
    found, waiting = {}, list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        files = importlib.metadata.distribution(name).files or []
        paths = (Path(file.locate()) for file in files)
        found[name] = sum(path.stat().st_size for path in paths if path.is_file())
        waiting += requirements(name)
    return dict(sorted(found.items()))


def requirements(name: str) -> list[str]:
    """Returns the names that an installed package requires on this machine, without its extras."""
    needed = map(Requirement, importlib.metadata.distribution(name).requires or [])
    return [need.name for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})]
