"""A table for people: each article's sentences behind their labels.

On a terminal labels are coloured and long sentences wrapped. In a pipe or a file every sentence is one line without
colour, fit for grep. NO_COLOR (https://no-color.org) is honoured.
"""

import io
from collections import Counter
from typing import BinaryIO, TextIO

from claimsift.articles import Article
from claimsift.errors import without_controls
from claimsift.explain import ExplainedSentence, levels
from claimsift.labels import COLOURS, LABELS
from claimsift.output.rows import concatenate
from claimsift.predict import ScoredSentence

LABEL_WIDTH = max(map(len, LABELS))
TOP_WORDS = 5  # listed with their weights on a terminal


class TextWriter:
    join = staticmethod(concatenate)

    def __init__(self, stream: BinaryIO, skip_furniture: bool = False):
        self._skip_furniture = skip_furniture
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n", write_through=True)
        self._table = Table(self._text) if stream.isatty() else None

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        if self._skip_furniture:
            sentences = [sentence for sentence in sentences if not sentence.furniture]
        name, summary = without_controls(article.id), _summary(sentences)
        if self._table:
            self._table.write(name, sentences, summary)
        else:
            lines = (f"{row.label:{LABEL_WIDTH}}  {row.score:.2f}  {_one_line(row)}" for row in sentences)
            self._text.write("\n".join([name, *lines, summary, "", ""]))

    def close(self) -> None:
        self._text.detach()  # else it would close the stream too


class Table:
    """The form for a terminal; rich is imported for it alone, which takes a tenth of a second."""

    def __init__(self, stream: io.TextIOBase):
        from rich.console import Console

        self._console = Console(file=stream, highlight=False)

    def write(self, name: str, sentences: list[ScoredSentence], summary: str) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for _ in range(3):
            table.add_column()
        for sentence in sentences:
            label = Text(sentence.label, style=COLOURS[sentence.label])
            table.add_row(label, f"{sentence.score:.2f}", Text(_one_line(sentence)))
        self._console.print(Text(name, style="bold"), table, sep="\n")
        self._console.print(Text(summary, style="dim"), end="\n\n")


def write_explanation(stream: TextIO, sentence: ExplainedSentence) -> None:
    """Writes a sentence with the words that carry its label: tinted on a terminal, as a list of weights elsewhere."""
    heaviest = sorted(sentence.words, key=lambda word: -word.weight)
    rows = [f"{round(word.weight, 2) + 0.0:5.2f}  {without_controls(word.text)}" for word in heaviest]
    if not stream.isatty():
        stream.write("\n".join([f"{sentence.label}  {sentence.score:.2f}", *rows, ""]))
        return
    from rich.console import Console
    from rich.text import Text

    colour = COLOURS[sentence.label]
    styles = ("", f"underline {colour}", f"bold underline {colour}", f"bold black on {colour}")
    tinted = Text(" ").join(
        Text(without_controls(word.text), style=styles[level])
        for word, level in zip(sentence.words, levels(sentence.words), strict=True)
    )
    console = Console(file=stream, highlight=False)
    console.print(Text(f"{sentence.label}  {sentence.score:.2f}", style=colour), tinted, sep="\n")
    shown = min(TOP_WORDS, len(rows))
    console.print(Text("\n".join(["", "falls by, without", *rows[:shown]]), style="dim"))


def _summary(sentences: list[ScoredSentence]) -> str:
    counts = Counter(sentence.label for sentence in sentences)
    return ", ".join(f"{counts[label]} {label}" for label in LABELS)


def _one_line(sentence: ScoredSentence) -> str:
    text = without_controls(" ".join(sentence.text.split()))
    return text + (" [truncated]" if sentence.truncated else "")
