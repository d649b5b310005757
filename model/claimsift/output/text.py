"""A table for people: each article's sentences behind their labels.

On a terminal labels are coloured and long sentences wrapped. In a pipe or a file every sentence is one line without
colour, fit for grep. NO_COLOR (https://no-color.org) is honoured.
"""

import re
from collections import Counter
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from claimsift.labels import COLOURS, LABELS
from claimsift.predict import ScoredSentence

# What an article holds must not steer the terminal it is shown on.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LABEL_WIDTH = max(map(len, LABELS))


class TextWriter:
    def __init__(self, stream: TextIO):
        self._stream = stream
        self._console = Console(file=stream, highlight=False)

    def write(self, article_id: str, sentences: list[ScoredSentence]) -> None:
        if self._console.is_terminal:
            self._console.print(Text(_without_controls(article_id), style="bold"), _table(sentences), sep="\n")
            self._console.print(Text(_summary(sentences), style="dim"), end="\n\n")
        else:
            lines = (f"{row.label:{LABEL_WIDTH}}  {row.score:.2f}  {_one_line(row)}" for row in sentences)
            self._stream.write("\n".join([_without_controls(article_id), *lines, _summary(sentences), "", ""]))


def _summary(sentences: list[ScoredSentence]) -> str:
    counts = Counter(sentence.label for sentence in sentences)
    return ", ".join(f"{counts[label]} {label}" for label in LABELS)


def _table(sentences: list[ScoredSentence]) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column()
    for sentence in sentences:
        label = Text(sentence.label, style=COLOURS[sentence.label])
        table.add_row(label, f"{sentence.score:.2f}", Text(_one_line(sentence)))
    return table


def _one_line(sentence: ScoredSentence) -> str:
    text = _without_controls(" ".join(sentence.text.split()))
    return text + (" [truncated]" if sentence.truncated else "")


def _without_controls(text: str) -> str:
    return CONTROL.sub("", text)
