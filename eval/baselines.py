"""What the model is compared with: a constant, a list of cue words, a bag of words, and an encoder left as it is.

Each takes the sentences and labels of train and the sentences to label, and returns their probabilities,
``(sentences, 4)``.
"""

import functools
import re
from collections.abc import Callable, Sequence

import numpy as np

from claimsift.labels import LABEL_TO_ID, LABELS

# The cue words of data/annotations/GUIDELINES.md, in the order of its decision procedure: the first that fits decides.
RULES = {
    "denial": [
        r"den(y|ies|ied|ying)(?! (bail|entry|access|boarding))",
        r"(rejects|rejected|dismiss(es|ed)?) (the |these |those |all )?(claim|accusation|allegation|report|rumou?r)s?",
        r"disput(es|ed)|refut(es|ed)|debunk(s|ed)?",
        r"hoax|untrue|baseless|unfounded|fabricated|false(ly)?|fake",
        r"not guilty|no truth|no evidence|nothing to do with",
    ],
    "unverified_report": [
        r"reported(ly)?|alleged(ly)?|purported(ly)?|apparently|presumabl[ey]|supposed(ly)?|rumou?r(s|ed)?",
        r"(is|are|was|were) (believed|thought|feared|suspected|said|understood)",
        r"(may|might|could) have|appear(s|ed)? to",
        r"sources?|insiders?|reports say|media reports|people familiar|condition of anonymity",
        r"unconfirmed|unverified|unknown|(not|n't) (independently )?(verif(y|ied)|confirm(ed)?)",
        r"(not|un)(\w* )?clear (if|whether|who|how|why|what)",
    ],
    "claim": [
        r"said|says?|told|tells|claim(s|ed)?|according to|testified|adds|added|stat(es|ed)|wrote|tweeted",
        r"announced?|accus(es|ed)|estimat(es|ed)|blam(es|ed)|warn(s|ed)|revealed|shows|showed|found|argu(es|ed)",
    ],
}
_PATTERNS = {label: re.compile(rf"\b({'|'.join(cues)})\b", re.IGNORECASE) for label, cues in RULES.items()}

Baseline = Callable[[list[str], Sequence[int], list[str]], np.ndarray]


def majority(train_texts: list[str], train_labels: Sequence[int], texts: list[str]) -> np.ndarray:
    """The shares of the labels in train, for every sentence."""
    shares = np.bincount(train_labels, minlength=len(LABELS)) / len(train_labels)
    return np.tile(shares, (len(texts), 1))


def rules(train_texts: list[str], train_labels: Sequence[int], texts: list[str]) -> np.ndarray:
    """The first label of which a cue word occurs, else background; learns nothing and is always sure."""
    return np.eye(len(LABELS))[[LABEL_TO_ID[_by_rule(text)] for text in texts]]


def _by_rule(text: str) -> str:
    return next((label for label, pattern in _PATTERNS.items() if pattern.search(text)), "background")


def tfidf_logistic_regression(train_texts: list[str], train_labels: Sequence[int], texts: list[str]) -> np.ndarray:
    """Logistic regression, classes weighted by frequency, on TF-IDF of one to three words."""
    model = _fit_tfidf(tuple(train_texts), tuple(train_labels))
    return all_labels(model.predict_proba(texts), model.classes_)


@functools.lru_cache(maxsize=1)  # several splits are labelled one after the other
def _fit_tfidf(train_texts: tuple[str, ...], train_labels: tuple[int, ...]):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 3), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[\"“”?]"),
        logistic_regression(),
    ).fit(train_texts, train_labels)


def frozen_encoder_logistic_regression(
    train_texts: list[str], train_labels: Sequence[int], texts: list[str]
) -> np.ndarray:
    """The same on sentence embeddings of the encoder that the model started from."""
    encoder, model = _fit_frozen_encoder(tuple(train_texts), tuple(train_labels))
    return all_labels(model.predict_proba(encoder.embed(texts)), model.classes_)


@functools.lru_cache(maxsize=1)  # minutes of embedding, for each split that is labelled
def _fit_frozen_encoder(train_texts: tuple[str, ...], train_labels: tuple[int, ...]):
    from eval.frozen_encoder import FrozenEncoder

    encoder = FrozenEncoder()
    return encoder, logistic_regression().fit(encoder.embed(train_texts), train_labels)


def logistic_regression():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10, class_weight="balanced", max_iter=2000)


def all_labels(probabilities: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Gives labels that train did not hold a column of zeros."""
    complete = np.zeros((len(probabilities), len(LABELS)))
    complete[:, classes] = probabilities
    return complete


MAJORITY, RULE_LIST = "majority", "rules"
TFIDF, FROZEN_ENCODER = "TF-IDF + logistic regression", "frozen encoder + logistic regression"
BASELINES: dict[str, Baseline] = {
    MAJORITY: majority,
    RULE_LIST: rules,
    TFIDF: tfidf_logistic_regression,
    FROZEN_ENCODER: frozen_encoder_logistic_regression,
}
