"""Scored articles into rows of a file, a page, or lines on a terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from claimsift.articles import Article
from claimsift.output.csv import CsvWriter
from claimsift.output.html import HtmlWriter
from claimsift.output.jsonl import JsonlWriter
from claimsift.output.parquet import ParquetWriter
from claimsift.output.text import TextWriter
from claimsift.predict import ScoredSentence

WRITERS: dict[str, Callable[..., "Writer"]] = {
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "parquet": ParquetWriter,
    "html": HtmlWriter,
    "text": TextWriter,
}
FORMATS = tuple(WRITERS)
SUFFIXES = {"jsonl": ".jsonl", "csv": ".csv", "parquet": ".parquet", "html": ".html", "text": ".txt"}


class Writer(Protocol):
    """Writes articles to a stream of bytes, one after the other; ``close`` ends the file and leaves the stream open.

    It is made of the stream and of options: ``keep`` and ``skip_furniture``, as :func:`~claimsift.output.rows.to_rows`
    takes them.
    """

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None: ...

    def close(self) -> None: ...

    @staticmethod
    def join(parts: list[Path], stream: BinaryIO) -> None:
        """Writes the content of several files of this format as one."""
