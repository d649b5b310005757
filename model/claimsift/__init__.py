"""claimsift: on whose word does each sentence of a news article rest?"""

from claimsift.articles import Article
from claimsift.errors import ClaimsiftError, InputError
from claimsift.labels import LABELS
from claimsift.predict import Predictor, ScoredSentence

__version__ = "0.1.0"

__all__ = ["LABELS", "Article", "ClaimsiftError", "InputError", "Predictor", "ScoredSentence"]
