"""Near-duplicate sentences shared between splits, which would let a model be tested on what it was trained on."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datasets
    from datasketch import MinHash

MIN_WORDS = 8  # shorter sentences ("He denied the charge.") recur without anybody copying
MIN_SIMILARITY = 0.8
# Candidates are found by pairs of words. One changed word in eight leaves a Jaccard similarity of 0.56, in twenty 0.81.
CANDIDATE_JACCARD = 0.45
PERMUTATIONS = 128


@dataclass(frozen=True)
class NearDuplicate:
    """Two sentences of different splits, by their ids, and the share of their words that match in order."""

    first: str
    second: str
    similarity: float


def find_leaks(dataset: "datasets.DatasetDict") -> list[NearDuplicate]:
    """Returns the near-duplicates between any two splits.

    Sentences of at least eight words are near-duplicates when at least 80% of their words match in order (Ratcliff and
    Obershelp's ratio, as in ``difflib``), case and punctuation aside. Candidates come from MinHash locality-sensitive
    hashing (Broder 1997; `datasketch`) over pairs of words.
    """
    words = {split: _words(dict(zip(rows["id"], rows["text"], strict=True))) for split, rows in dataset.items()}
    leaks = []
    # The smaller side is indexed, the larger one looked up.
    for first, second in combinations(sorted(words, key=lambda split: len(words[split])), 2):
        leaks += _compare(words[first], words[second])
    return leaks


def near_duplicates(first: dict, second: dict) -> list[NearDuplicate]:
    """Returns the near-duplicates between two sets of sentences, each from its id to its text; see `find_leaks`."""
    return _compare(_words(first), _words(second))


def _words(sentences: dict) -> dict:
    words = {key: long_sentence(text) for key, text in sentences.items()}
    return {key: found for key, found in words.items() if found}


def long_sentence(sentence: str) -> list[str]:
    """The words of a sentence in lower case, without numbers; none where there are fewer than eight."""
    words = re.findall(r"[^\W\d_]+", sentence.lower())  # numbers alone do not make two dates or page stamps differ
    return words if len(words) >= MIN_WORDS else []


def _compare(indexed: dict[str, list[str]], looked_up: dict[str, list[str]]) -> list[NearDuplicate]:
    from datasketch import MinHashLSH

    # Weighted towards finding all candidates: each is compared word by word below.
    index = MinHashLSH(threshold=CANDIDATE_JACCARD, num_perm=PERMUTATIONS, weights=(0.1, 0.9))
    for key, words in indexed.items():
        index.insert(key, _minhash(words))
    found = []
    for key, words in looked_up.items():
        for candidate in index.query(_minhash(words)):
            similarity = SequenceMatcher(None, indexed[candidate], words, autojunk=False).ratio()
            if similarity >= MIN_SIMILARITY:
                found.append(NearDuplicate(candidate, key, similarity))
    return found


def _minhash(words: list[str]) -> "MinHash":
    from datasketch import MinHash

    minhash = MinHash(num_perm=PERMUTATIONS)
    minhash.update_batch([f"{first} {second}".encode() for first, second in pairwise(words)])
    return minhash
