"""What the model is compared with: a constant, a list of cue words, and a bag of words."""

import re

import numpy as np

from claimsift.labels import LABEL_TO_ID

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


def majority(train_texts: list[str], train_labels: list[int], texts: list[str]) -> list[int]:
    """The most frequent label of train, for every sentence."""
    return [int(np.bincount(train_labels).argmax())] * len(texts)


def rules(train_texts: list[str], train_labels: list[int], texts: list[str]) -> list[int]:
    """The first label of which a cue word occurs, else background; learns nothing."""
    return [LABEL_TO_ID[_by_rule(text)] for text in texts]


def _by_rule(text: str) -> str:
    return next((label for label, pattern in _PATTERNS.items() if pattern.search(text)), "background")


def tfidf_logistic_regression(train_texts: list[str], train_labels: list[int], texts: list[str]) -> list[int]:
    """Logistic regression, classes weighted by frequency, on TF-IDF of one to three words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 3), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[\"“”?]"),
        LogisticRegression(C=10, class_weight="balanced", max_iter=2000),
    )
    return model.fit(train_texts, train_labels).predict(texts).tolist()


BASELINES = {"majority": majority, "rules": rules, "TF-IDF + logistic regression": tfidf_logistic_regression}
