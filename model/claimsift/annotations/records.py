"""Annotation records: one JSON object a line, validated as they are read.

Two kinds share the files of a dataset. A *stand-off* record points into a document of a source that is not ours to
redistribute; a *text* record carries its sentence, as those written for the dataset and everybody's own do::

    {"id": …, "source": "newsarticles", "doc": "123", "start": 0, "end": 154, "sha1": …, "label": …, "split": "train"}
    {"text": …, "label": …}      optionally with id, source, doc, context, split
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from claimsift.articles.lines import is_encodable
from claimsift.errors import InputError
from claimsift.labels import LABELS

UNSEEN_OUTLETS = "unseen_outlets"  # a second test split, of outlets of which nothing is in train or the unlabelled pool
SPLITS = ("train", "dev", "test", UNSEEN_OUTLETS)
READINGS = "readings.jsonl"  # lies beside the records: the readings behind the labels, not records themselves
AUTHORED = "authored"  # the source of sentences written for the dataset
# How sentences were drawn that train holds to teach rare kinds and other outlets, and that are never held back from it.
WRITTEN, UNCERTAIN, OUTLETS = "written", "uncertain", "outlets"
ADDED = (WRITTEN, UNCERTAIN, OUTLETS)
OWN = "own"  # the source of text records that name none

_STRINGS = ("id", "source", "doc", "sha1", "label", "split", "drawn", "text", "context")
_STAND_OFF = ("id", "source", "doc", "start", "end", "sha1", "split")


class RecordError(InputError):
    """A broken record; the message gives file, line and reason."""


@dataclass(frozen=True, slots=True)
class Record:
    """A labelled sentence. ``text`` is None until a stand-off record is hydrated; ``split`` may be None in own data."""

    place: str
    id: str
    label: str
    source: str = OWN
    doc: str | None = None
    split: str | None = None
    start: int | None = None
    end: int | None = None
    sha1: str | None = None
    drawn: str | None = None
    text: str | None = None
    context: str | None = None

    @property
    def document(self) -> str:
        return document_name(self.source, self.doc, self.id)


def document_name(source: str, doc: str | None, sentence_id: str) -> str:
    """Names what a split may not cut through: the document, or the sentence itself where it belongs to none."""
    return f"{source}/id:{sentence_id}" if doc is None else f"{source}/{doc}"


def sentence_sha1(sentence: str) -> str:
    """The first 16 hex digits of the SHA-1 of the sentence's UTF-8 bytes."""
    return hashlib.sha1(sentence.encode()).hexdigest()[:16]


def record_files(path: Path) -> list[Path]:
    """Returns ``path`` itself, or the record files of the folder it is.

    Raises:
        RecordError: there is no such file, or no record file in the folder.
    """
    if path.is_file():
        return [path]
    files = sorted(file for file in path.glob("*.jsonl") if file.name != READINGS)
    if not files:
        raise RecordError(str(path), "no such file, and no folder with .jsonl files; name one of the two")
    return files


def read_records(path: Path | str) -> list[Record]:
    """Reads and validates a record file, or every record file of a folder.

    Raises:
        RecordError: a record has no known label, split or schema, or an id or a document it may not have, or a file
            holds no record.
    """
    records = []
    for file in record_files(Path(path)):
        found = list(_read_file(file))
        if not found:
            raise RecordError(str(file), "holds no record")
        records += found
    _check_ids(records)
    _check_documents(records)
    return records


def _read_file(file: Path) -> Iterator[Record]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{file}:{number}"
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:  # the second of brackets nested a thousand deep
                raise RecordError(place, f"not valid JSON ({error})") from None
            yield _record(place, fields, default_id=f"{file.name}:{number}")


def _record(place: str, fields: object, default_id: str) -> Record:
    if not isinstance(fields, dict):
        raise RecordError(place, "not a JSON object")
    # null stands for a field that is not there, as the exports of many tools write it.
    known = {
        key: value for key, value in fields.items() if key in Record.__dataclass_fields__ and value is not None
    } | {"place": place}
    for key in _STRINGS:
        if not isinstance(known.get(key, ""), str):
            raise RecordError(place, f"{key!r} is {json.dumps(known[key])}; it must be a string")
        if not is_encodable(known.get(key, "")):
            raise RecordError(place, f"{key!r} holds half of a surrogate pair, which is no character")
    for key in ("start", "end"):
        if type(known.get(key, 0)) is not int:  # bool is an int too
            raise RecordError(place, f"{key!r} is {json.dumps(known[key])}; it must be a whole number")
    if known.get("label") not in LABELS:
        raise RecordError(place, f"label {json.dumps(known.get('label'))} is none of {', '.join(LABELS)}")
    if known.get("split", SPLITS[0]) not in SPLITS:
        raise RecordError(place, f"split {json.dumps(known['split'])} is none of {', '.join(SPLITS)}")
    if "text" in known:
        if not known["text"].strip():
            raise RecordError(place, "'text' is empty")
        known.setdefault("id", default_id)
    else:
        _check_stand_off(place, known)
    return Record(**known)


def _check_stand_off(place: str, known: dict) -> None:
    missing = [key for key in _STAND_OFF if key not in known]
    if missing:
        raise RecordError(
            place,
            f"has no {', '.join(map(repr, missing))}; a record carries 'text' or points to it with "
            f"{', '.join(map(repr, _STAND_OFF))}",
        )
    if not 0 <= known["start"] < known["end"]:
        raise RecordError(place, f"start {known['start']} and end {known['end']} enclose no text")


def _check_ids(records: Iterable[Record]) -> None:
    places = {}
    for record in records:
        if record.id in places:
            raise RecordError(record.place, f"id {record.id!r} is that of {places[record.id]} already")
        places[record.id] = record.place


def _check_documents(records: Iterable[Record]) -> None:
    first = {}
    for record in records:
        if record.split is None:
            continue
        other = first.setdefault(record.document, record)
        if other.split != record.split:
            raise RecordError(
                record.place,
                f"document {record.doc!r} of {record.source} is in {record.split} here and in {other.split} at "
                f"{other.place}; a document belongs to one split",
            )
