"""A table for people: each article's sentences behind their labels.

On a terminal labels are coloured and long sentences wrapped. In a pipe or a file every sentence is one line without
colour, fit for grep. NO_COLOR (https://no-color.org) is honoured.
"""

from collections import Counter
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from claimsift.labels import COLOURS, LABELS
from claimsift.predict import ScoredSentence

PIPE_WIDTH = 2**20


class TextWriter:
    def __init__(self, stream: TextIO):
        self._console = Console(file=stream, highlight=False)
        if not self._console.is_terminal:
            self._console.width = PIPE_WIDTH

    def write(self, article_id: str, sentences: list[ScoredSentence]) -> None:
        self._console.print(Text(article_id, style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column()
        for sentence in sentences:
            style = COLOURS[sentence.label]
            table.add_row(Text(sentence.label, style=style), f"{sentence.score:.2f}", _one_line(sentence))
        self._console.print(table)
        counts = Counter(sentence.label for sentence in sentences)
        self._console.print(Text(", ".join(f"{counts[label]} {label}" for label in LABELS), style="dim"), end="\n\n")


def _one_line(sentence: ScoredSentence) -> Text:
    return Text(" ".join(sentence.text.split()) + (" [truncated]" if sentence.truncated else ""))
