"""Records into a ``datasets.DatasetDict``, with the text of every sentence and what comes before it."""

import logging
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from claimsift.annotations.records import SPLITS, Record, RecordError, document_name, read_records, sentence_sha1
from claimsift.annotations.sources import SOURCES, read_documents
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from claimsift.sentences import split_sentences

if TYPE_CHECKING:
    import datasets

logger = logging.getLogger(__name__)

CONTEXT_SENTENCES = 2
DEV_SHARE, TEST_SHARE = 0.1, 0.1  # of the documents of own data that name no split
COLUMNS = ("text", "context", "label", "id", "source", "doc", "start", "end", "drawn")


def load_annotations(path: Path | str, require_all: bool = False, seed: int = 0) -> "datasets.DatasetDict":
    """Loads a dataset: ``data/annotations``, or a file of one's own.

    Args:
        path: a folder of record files, or one file.
        require_all: raise when a source is missing, instead of leaving its records out with a warning.
        seed: of the split of records that name none.

    Returns:
        One ``Dataset`` for each split that has records, with the columns ``text``, ``context`` (up to two sentences
        before it in the same document, joined by a space), ``label`` (a ``ClassLabel``), ``id``, ``source``, ``doc``,
        ``start``, ``end`` and ``drawn``; the last four are None where a record has none.

    Raises:
        RecordError: a record is broken, or does not fit its document.
        ClaimsiftError: a source is missing and ``require_all`` is set, or nothing is left.
    """
    records = assign_splits(hydrate(read_records(path), require_all), seed)
    if not records:
        raise ClaimsiftError(f"{path}: no record is left without the missing sources")
    return to_dataset(records)


def hydrate(records: Iterable[Record], require_all: bool = False) -> list[Record]:
    """Gives stand-off records the text and the context that they point to; records with text pass through."""
    records = list(records)
    by_document = defaultdict(list)
    for record in records:
        by_document[None if record.text is not None else (record.source, record.doc)].append(record)
    hydrated = by_document.pop(None, [])
    sources = {source: _read_documents(source, group[0], require_all) for (source, _), group in by_document.items()}
    _warn_of_missing(by_document, sources)
    for (source, doc), group in by_document.items():
        if sources[source] is not None:
            hydrated += _hydrate_document(group, sources[source].get(doc))
    order = {record.id: index for index, record in enumerate(records)}
    return sorted(hydrated, key=lambda record: order[record.id])


def _read_documents(source: str, record: Record, require_all: bool) -> dict[str, str] | None:
    if source not in SOURCES:
        raise RecordError(record.place, f"unknown source {source!r}; known are {', '.join(SOURCES)}")
    try:
        return read_documents(source)
    except ClaimsiftError:
        if require_all:
            raise
        return None


def _warn_of_missing(by_document: dict, sources: dict) -> None:
    for source, documents in sources.items():
        if documents is None:
            count = sum(len(group) for (name, _), group in by_document.items() if name == source)
            how = SOURCES[source].how_to_get
            logger.warning("source %s is not here: %d records are left out; get it with: %s", source, count, how)


def _hydrate_document(records: list[Record], text: str | None) -> list[Record]:
    if text is None:
        raise RecordError(records[0].place, f"{records[0].source} has no document {records[0].doc!r}")
    spans = split_sentences(text)
    ends = [span.end for span in spans]
    hydrated = []
    for record in records:
        sentence = text[record.start : record.end]
        if record.end > len(text):
            raise RecordError(record.place, f"end {record.end} lies outside the text of {len(text)} characters")
        if sentence_sha1(sentence) != record.sha1:
            raise RecordError(record.place, f"the text at {record.start}–{record.end} is not the one that was labelled")
        # Sentences that end before this one starts; annotated boundaries need not be the splitter's.
        before = bisect_left(ends, record.start + 1)
        context = " ".join(span.text for span in spans[max(0, before - CONTEXT_SENTENCES) : before])
        hydrated.append(replace(record, text=sentence, context=context))
    return hydrated


def assign_splits(records: Iterable[Record], seed: int = 0) -> list[Record]:
    """Gives records without a split one, by document: 80% train, 10% dev, 10% test."""
    records = list(records)
    given = {record.document: record.split for record in records if record.split}
    documents = sorted({record.document for record in records if not record.split} - given.keys())
    random.Random(seed).shuffle(documents)
    # At least one document each, of as few as three.
    dev, test = (max(round(len(documents) * share), len(documents) >= 3) for share in (DEV_SHARE, TEST_SHARE))
    for index, document in enumerate(documents):
        given[document] = "dev" if index < dev else "test" if index < dev + test else "train"
    return [replace(record, split=given[record.document]) for record in records]


def to_dataset(records: Iterable[Record]) -> "datasets.DatasetDict":
    """Turns hydrated records into a ``DatasetDict``; column types do not depend on the values."""
    import datasets

    types = {
        "label": datasets.ClassLabel(names=list(LABELS)),
        "start": datasets.Value("int32"),
        "end": datasets.Value("int32"),
    }
    features = datasets.Features({column: types.get(column, datasets.Value("string")) for column in COLUMNS})
    by_split = defaultdict(list)
    for record in records:
        row = {column: getattr(record, column) for column in COLUMNS}
        by_split[record.split].append(row | {"context": record.context or ""})
    return datasets.DatasetDict(
        {split: datasets.Dataset.from_list(by_split[split], features=features) for split in SPLITS if split in by_split}
    )


def document_names(rows: "datasets.Dataset") -> list[str]:
    """Returns the name of each row's document."""
    return list(map(document_name, rows["source"], rows["doc"], rows["id"]))
