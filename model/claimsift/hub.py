"""The model folder: the shipped one, one of your own, or one from the Hugging Face Hub.

A model folder has the layout of a Hub repository. What is read of it is JSON, safetensors and ONNX, never a pickle, and
no code out of it is ever run.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import claimsift
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from claimsift.packages import file_sha256

SHIPPED_MODEL = Path(__file__).parent / "release"
CONFIG_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "onnx/model_quantized.onnx"  # int8 weights, under the name that the Hub's convention gives them
# What is published of a model folder, which may hold checkpoints, pickles and leftovers too; * also stands for folders.
PUBLISHED_FILES = (
    "README.md",
    *CONFIG_FILES,
    "special_tokens_map.json",  # beside the tokenizer where transformers 4 wrote it
    "vocab.txt",
    WEIGHTS_FILE,
    "onnx/*.onnx",
    "onnx/export.json",
    "training.json",
    "recipe.yaml",
    *(f"report/*.{suffix}" for suffix in ("html", "json", "md", "png", "svg")),
)


def resolve_model(model: str | Path | None = None, revision: str | None = None) -> Path:
    """Returns the folder of a model, fetching it from the Hub if need be.

    Args:
        model: a folder, a Hub id such as ``org/name``, or None for the model that ships with the library.
        revision: the branch, tag or commit of a Hub model; by default the branch ``main``.

    Raises:
        ClaimsiftError: there is no such model, or it lacks a file that is needed, or has other labels; or a revision
            was given for a folder.
    """
    folder = _named_folder(model)
    if model is not None and not folder.exists():
        folder = _from_hub(str(model), revision)
    elif revision:
        raise ClaimsiftError(f"{folder}: a folder has no revisions; leave out {revision}, or name a Hub id (org/name)")
    _check_model(folder)
    return folder


def published_files(repository: str, folder: str | Path | None = None) -> dict[str, Path]:
    """Returns what :func:`push_model` would upload, without asking the Hub: each file under its name there.

    Raises:
        ClaimsiftError: the folder is not there or holds no model, or the Hub takes no such name.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repository)
        is_valid = "/" in repository
    except HFValidationError:
        is_valid = False
    if not is_valid:
        raise ClaimsiftError(
            f"{repository}: the Hub takes no such name; give ORG/NAME, of letters, digits and single - _ . inside"
        )
    folder = _named_folder(folder)
    _check_model(folder)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: files[name] for name in _published(files)}


def push_model(repository: str, folder: str | Path | None = None, *, private: bool = False) -> str:
    """Publishes a model folder on the Hub, in one commit.

    The commit also removes what an earlier one published and the folder lacks: weights of another model, say. Files
    of other kinds in the repository stay.

    Args:
        repository: ``org/name``, with an organisation or a user; it is made if it is not there.
        folder: by default the model that ships with the library.
        private: whether only the organisation may see it.

    Returns:
        The address of the commit.

    Raises:
        ClaimsiftError: there is no such folder or it holds no model, there is no token, or the Hub cannot be reached
            or refuses it.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token

    files = published_files(repository, folder)
    token = get_token()
    if token is None:
        raise ClaimsiftError(
            "no token for the Hub; make one that may write in the settings of your account there, then set HF_TOKEN to "
            "it, or run: hf auth login"
        )
    api = HfApi(token=token, library_name="claimsift", library_version=claimsift.__version__)
    owner = repository.split("/")[0]
    with _one_line_errors(repository, f"the token may not make a model of {owner}; choose another owner, or token"):
        api.create_repo(repository, private=private or None, exist_ok=True)
    with _one_line_errors(repository, "is taken, and the token may not write to it; choose another name, or token"):
        there = api.model_info(repository)
        if private and not there.private:
            raise ClaimsiftError(f"{repository}: is public already; make it private there, or leave out --private")
        stale = set(_published(file.rfilename for file in there.siblings)) - set(files)
        commit = api.create_commit(
            repository,
            [CommitOperationAdd(name, path) for name, path in files.items()]
            + [CommitOperationDelete(name) for name in sorted(stale)],
            commit_message=f"Upload model with claimsift {claimsift.__version__}",
            parent_commit=there.sha,
        )
    return commit.commit_url


def _named_folder(model: str | Path | None) -> Path:
    if model == "":  # of a variable that is not set, say
        raise ClaimsiftError("the name of the model is empty; name one, or leave it out for the shipped model")
    return SHIPPED_MODEL if model is None else Path(model)


def _check_model(folder: Path) -> None:
    missing = [name for name in CONFIG_FILES if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in (WEIGHTS_FILE, ONNX_FILE)):
        missing.append(WEIGHTS_FILE)
    if missing:
        raise ClaimsiftError(f"{folder}: no model folder, it has no {', '.join(missing)}; name a release folder")
    _check_labels(folder)


def is_model(folder: Path) -> bool:
    """Tells whether a folder is laid out as a model, whole or not."""
    return (folder / CONFIG_FILES[0]).is_file()


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


def _published(names: Iterable[str]) -> list[str]:
    from huggingface_hub.utils import filter_repo_objects

    return sorted(filter_repo_objects(names, allow_patterns=list(PUBLISHED_FILES), ignore_patterns=[".*", "*/.*"]))


def _from_hub(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, HTTPError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        files = [*CONFIG_FILES, WEIGHTS_FILE, ONNX_FILE]
        return Path(snapshot_download(model, revision=revision, allow_patterns=files))
    except HFValidationError:
        raise ClaimsiftError(f"{model}: no such folder, and no Hub id (org/name)") from None
    except RevisionNotFoundError:
        raise ClaimsiftError(f"{model}: has no revision {revision}; name a branch, a tag or a commit of it") from None
    except RepositoryNotFoundError:
        raise ClaimsiftError(
            f"{model}: no such folder, and not to be had from the Hub: there is none, or your token may not read it; "
            "see to the name, or run: hf auth login"
        ) from None
    except (HTTPError, OSError) as error:
        raise ClaimsiftError(f"{model}: no such folder, and not to be had from the Hub ({_reason(error)})") from None


@contextlib.contextmanager
def _one_line_errors(repository: str, refused: str) -> Iterator[None]:
    """Says in one line what to do about an error of huggingface_hub; ``refused`` is for one about access."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        todo = {
            400: "the Hub refuses it; mend what it names",
            401: "the Hub does not know the token; set HF_TOKEN to a valid one, or run: hf auth login",
            403: refused,
            404: refused,
        }.get(status, "the Hub did not take it; try again later")
        raise ClaimsiftError(f"{repository}: {todo} ({status}: {_reason(error)})") from None
    except OfflineModeIsEnabled:
        raise ClaimsiftError(
            f"{repository}: cannot be published in offline mode; unset HF_HUB_OFFLINE, or try --dry-run"
        ) from None
    except HTTPError as error:
        raise ClaimsiftError(
            f"{repository}: the Hub cannot be reached ({_reason(error)}); see to the network and to HF_ENDPOINT"
        ) from None
    except (OSError, RuntimeError, ValueError) as error:  # what huggingface_hub and hf_xet make of failed uploads
        reason = " ".join(str(error).split())
        raise ClaimsiftError(f"{repository}: cannot be published ({reason}); mend that, or try again") from None


def _reason(error: Exception) -> str:
    lines = (getattr(error, "server_message", None) or str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
