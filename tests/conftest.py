import json
import os
import signal
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing here may need the Hub; set before any of its libraries is imported

import pytest
from browser import browser_page, chromium  # noqa: F401 (fixtures)

from claimsift import Predictor, score
from claimsift.annotations.sources import FOLDERS_VARIABLE, SOURCES
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from claimsift.predict import ScoredSentence

# Where the tests run in the background, Ctrl-C is ignored, by what they start too, and could not be tested.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
OWN_DATA = ROOT / "tests" / "data" / "own.jsonl"  # six short pieces written for the tests
ANNOTATIONS = ROOT / "data" / "annotations"


class Instant:
    """A predictor that takes every line for a sentence and knows its scores at once."""

    repeated = 0.0

    def score_articles(self, articles, unit):
        for article in articles:
            yield [self.sentence(line) for line in article.text.split("\n") if line]

    def sentence(self, text):
        scores = dict.fromkeys(LABELS, 0.25)
        return ScoredSentence(text, 0, len(text), "claim", 0.25, scores, False)


@pytest.fixture
def instant(monkeypatch):
    monkeypatch.setattr(score.Predictor, "from_pretrained", lambda *args, **options: Instant())


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
