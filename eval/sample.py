"""News that nobody labelled, for measurements of speed: articles that are in no split of the dataset."""

import random
from dataclasses import dataclass
from pathlib import Path

from claimsift.annotations.records import read_records
from claimsift.annotations.sources import read_documents
from claimsift.articles import Article
from claimsift.errors import ClaimsiftError
from claimsift.sentences import split_sentences

ANNOTATIONS = Path(__file__).resolve().parent.parent / "data" / "annotations"
SOURCE = "newsarticles"


@dataclass(frozen=True)
class Sample:
    """Articles, and sentences of theirs of which no two are the same."""

    articles: list[Article]
    sentences: list[str]


def draw(sentences: int, seed: int = 0) -> Sample:
    """Draws articles until they hold so many different sentences.

    Raises:
        ClaimsiftError: the source has not so many.
    """
    articles, found = [], {}
    for article in unlabelled_articles(seed):
        articles.append(article)
        found |= dict.fromkeys(sentence.text for sentence in split_sentences(article.text))
        if len(found) >= sentences:
            return Sample(articles, list(found)[:sentences])
    raise ClaimsiftError(f"{SOURCE} has only {len(found)} different sentences in no split; choose a smaller sample")


def unlabelled_articles(seed: int = 0) -> list[Article]:
    """Returns the articles of ``newsarticles`` that are in no split, in random order."""
    labelled = {record.doc for record in read_records(ANNOTATIONS) if record.source == SOURCE}
    articles = [Article(doc, text) for doc, text in read_documents(SOURCE).items() if doc not in labelled]
    random.Random(seed).shuffle(articles)
    return articles
