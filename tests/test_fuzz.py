import random

import pytest
from fuzz_readers import CORPUS, check, spoilt

FILES = sorted(CORPUS.iterdir())


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_was_found_once_is_read_or_reported(path):
    check(path)


def test_whole_files_of_the_corpus_are_read_without_an_error():
    """Else the fuzzer would spoil what is spoilt already."""
    whole = [path for path in FILES if path.name.startswith("whole.") and path.suffix not in (".html", ".tsv")]
    assert len(whole) >= 8
    assert [check(path) for path in whole] == [0] * len(whole)


def test_files_are_spoilt_in_many_ways(tmp_path):
    randomly = random.Random(1)
    path = CORPUS / "whole.jsonl.gz"
    outcomes = set()
    for _ in range(100):
        file = tmp_path / "a.jsonl.gz"
        file.write_bytes(spoilt(path.read_bytes(), ".gz", [path.read_bytes()], randomly))
        outcomes.add(check(file))
    assert len(outcomes) > 3
