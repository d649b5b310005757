import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing here may need the Hub; set before any of its libraries is imported

import pytest
from browser import browser_page, chromium  # noqa: F401 (fixtures)

from claimsift import Predictor
from claimsift.annotations.sources import FOLDERS_VARIABLE, SOURCES
from claimsift.errors import ClaimsiftError

ROOT = Path(__file__).resolve().parent.parent
OWN_DATA = ROOT / "tests" / "data" / "own.jsonl"  # six short pieces written for the tests
ANNOTATIONS = ROOT / "data" / "annotations"


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    return Predictor.from_pretrained(device="cpu")


@pytest.fixture(scope="session")
def all_sources() -> None:
    """Skips a test of the whole dataset where a source that users clone by hand is not there."""
    for source in SOURCES.values():
        try:
            source.path()
        except ClaimsiftError as error:
            if FOLDERS_VARIABLE in os.environ:  # then it was meant to be there
                raise
            pytest.skip(str(error))


@pytest.fixture
def write_jsonl(tmp_path):
    def write(name: str, rows: list) -> Path:
        path = tmp_path / name
        lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
