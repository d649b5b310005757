"""The model folder: the shipped one, one of your own, or one from the Hugging Face Hub.

A model folder has the layout of a Hub repository. What is read of it is JSON, safetensors and ONNX, never a pickle, and
no code out of it is ever run.
"""

import json
from pathlib import Path

from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from claimsift.packages import file_sha256

SHIPPED_MODEL = Path(__file__).parent / "release"
CONFIG_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "onnx/model_quantized.onnx"  # int8 weights, under the name that the Hub's convention gives them


def resolve_model(model: str | Path | None = None) -> Path:
    """Returns the folder of a model, fetching it from the Hub if need be.

    Args:
        model: a folder, a Hub id such as ``org/name``, or None for the model that ships with the library.

    Raises:
        ClaimsiftError: there is no such model, or it lacks a file that is needed, or has other labels.
    """
    folder = Path(model or SHIPPED_MODEL)
    if model and not folder.exists():
        folder = _from_hub(str(model))
    missing = [name for name in CONFIG_FILES if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in (WEIGHTS_FILE, ONNX_FILE)):
        missing.append(WEIGHTS_FILE)
    if missing:
        raise ClaimsiftError(f"{folder}: no model folder, it has no {', '.join(missing)}; name a release folder")
    _check_labels(folder)
    return folder


def read_json(path: Path) -> dict:
    """Reads a file of a model folder.

    Raises:
        ClaimsiftError: it is not valid JSON, or no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ClaimsiftError(f"{path}: not valid JSON ({error}); copy the model folder anew") from None
    if not isinstance(content, dict):
        raise ClaimsiftError(f"{path}: not a JSON object; copy the model folder anew")
    return content


def weights_sha256(folder: Path) -> dict[str, str]:
    """Returns the hash of each file of weights in a model folder: what makes two models the same."""
    return {name: file_sha256(folder / name) for name in (WEIGHTS_FILE, ONNX_FILE) if (folder / name).is_file()}


def column_order(folder: Path) -> list[int]:
    """Returns where in the model's output each of our labels stands."""
    names = {name: int(index) for index, name in read_json(folder / "config.json").get("id2label", {}).items()}
    return [names[label] for label in LABELS]


def _check_labels(folder: Path) -> None:
    id2label = read_json(folder / "config.json").get("id2label")
    names = list(map(str, id2label.values())) if isinstance(id2label, dict) else []
    if sorted(names) != sorted(LABELS) or sorted(id2label) != [str(index) for index in range(len(LABELS))]:
        raise ClaimsiftError(
            f"{folder}: its labels are {', '.join(names) or 'none'}, not {', '.join(LABELS)}; name a model that was "
            "trained on these"
        )


def _from_hub(model: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, allow_patterns=[*CONFIG_FILES, WEIGHTS_FILE, ONNX_FILE]))
    except HFValidationError:
        raise ClaimsiftError(f"{model}: no such folder, and no Hub id (org/name)") from None
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ClaimsiftError(f"{model}: no such folder, and not to be had from the Hub ({reason})") from None
