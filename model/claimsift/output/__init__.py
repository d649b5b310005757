"""Scored articles into rows of a file or lines on a terminal."""

from collections.abc import Callable
from typing import Protocol, TextIO

from claimsift.output.csv import CsvWriter
from claimsift.output.jsonl import JsonlWriter
from claimsift.output.text import TextWriter
from claimsift.predict import ScoredSentence

WRITERS: dict[str, Callable[[TextIO], "Writer"]] = {"jsonl": JsonlWriter, "csv": CsvWriter, "text": TextWriter}
FORMATS = tuple(WRITERS)


class Writer(Protocol):
    """Writes articles to a stream, one after the other."""

    def write(self, article_id: str, sentences: list[ScoredSentence]) -> None: ...
