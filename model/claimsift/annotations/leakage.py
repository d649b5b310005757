"""Near-duplicate sentences shared between splits, which would let a model be tested on what it was trained on."""

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datasets

MIN_WORDS = 8  # shorter sentences ("He denied the charge.") recur without anybody copying
MIN_JACCARD = 0.8
SHINGLE_WORDS = 3
PERMUTATIONS = 64


@dataclass(frozen=True)
class NearDuplicate:
    """Two sentences of different splits, and the Jaccard similarity of their three-word shingles."""

    first: str
    second: str
    similarity: float


def find_leaks(dataset: "datasets.DatasetDict") -> list[NearDuplicate]:
    """Returns the near-duplicates between any two splits, by the ids of the sentences.

    Candidates come from MinHash locality-sensitive hashing (Broder 1997; `datasketch`), and count when the exact
    Jaccard similarity of their word shingles is at least 0.8.
    """
    shingles = {
        split: {row["id"]: shingle(row["text"]) for row in rows.select_columns(["id", "text"])}
        for split, rows in dataset.items()
    }
    leaks = []
    # The smaller side is indexed, the larger one looked up.
    for first, second in combinations(sorted(shingles, key=lambda split: len(shingles[split])), 2):
        leaks += _near_duplicates(_long(shingles[first]), _long(shingles[second]))
    return leaks


def shingle(sentence: str) -> set[str]:
    """The sentence's runs of three words, lower-cased and without punctuation; none below eight words."""
    words = re.findall(r"\w+", sentence.lower())
    if len(words) < MIN_WORDS:
        return set()
    return {" ".join(words[index : index + SHINGLE_WORDS]) for index in range(len(words) - SHINGLE_WORDS + 1)}


def _long(shingles: dict[str, set[str]]) -> dict[str, set[str]]:
    return {key: value for key, value in shingles.items() if value}


def _near_duplicates(indexed: dict[str, set[str]], looked_up: dict[str, set[str]]) -> list[NearDuplicate]:
    from datasketch import MinHashLSH

    # Recall over precision: what the index suggests is compared exactly below.
    index = MinHashLSH(threshold=MIN_JACCARD - 0.2, num_perm=PERMUTATIONS, weights=(0.1, 0.9))
    for key, shingles in indexed.items():
        index.insert(key, _minhash(shingles))
    found = []
    for key, shingles in looked_up.items():
        for candidate in index.query(_minhash(shingles)):
            other = indexed[candidate]
            similarity = len(shingles & other) / len(shingles | other)
            if similarity >= MIN_JACCARD:
                found.append(NearDuplicate(candidate, key, similarity))
    return found


def _minhash(shingles: set[str]):
    from datasketch import MinHash

    minhash = MinHash(num_perm=PERMUTATIONS)
    minhash.update_batch([shingle.encode() for shingle in shingles])
    return minhash
