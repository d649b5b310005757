"""One page for people: the articles as they read, each sentence tinted by its label.

The page is a file of its own that fetches nothing. What comes from outside is escaped, and the page's policy runs no
script and applies no style but its own. Without scripts it still reads and prints.
"""

import base64
import functools
import hashlib
from collections import Counter
from collections.abc import Iterator
from html import escape
from importlib import resources
from pathlib import Path
from typing import BinaryIO

import claimsift
from claimsift.articles import Article
from claimsift.explain import ExplainedSentence, levels
from claimsift.labels import BACKGROUND, COLOURS, LABELS
from claimsift.predict import OUTSIDE, ScoredSentence

# What the page calls one sentence of a label and several, and how the legend explains it.
WORDS = {
    "claim": ("claim", "claims", "somebody identified says so"),
    "denial": ("denial", "denials", "somebody rejects it as untrue"),
    "unverified_report": ("unverified", "unverified", "passed on as not established"),
    "background": ("background", "background", "none of these"),
}


class HtmlWriter:
    def __init__(self, stream: BinaryIO, skip_furniture: bool = False):
        self._stream, self._skip_furniture = stream, skip_furniture
        self._head, self._foot = frame()
        self._stream.write(self._head)

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        skipped = [self._skip_furniture and sentence.furniture for sentence in sentences]
        self._stream.write(_article(article, sentences, skipped).encode())

    def close(self) -> None:
        self._stream.write(self._foot)

    @staticmethod
    def join(parts: list[Path], stream: BinaryIO) -> None:
        head, foot = frame()
        stream.write(head)
        for path in parts:
            stream.write(path.read_bytes()[len(head) : -len(foot)])
        stream.write(foot)


@functools.cache
def frame() -> tuple[bytes, bytes]:
    """Returns what stands before the articles of every page, and what stands behind them."""
    files = resources.files("claimsift.output") / "report"
    colours = "".join(f"--{label}:{colour};" for label, colour in COLOURS.items())
    style = f":root{{{colours}}}\n{(files / 'page.css').read_text(encoding='utf-8')}"
    script = (files / "page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = (files / "page.html").read_text(encoding="utf-8")
    values = {
        "policy": policy,
        "version": escape(claimsift.__version__),
        "style": style,
        "legend": "\n".join(map(_chip, LABELS)),
        "script": script,
    }
    for name, value in values.items():
        page = page.replace(f"{{{{{name}}}}}", value)
    head, foot = page.split("{{articles}}")
    return head.encode(), foot.encode()


def _hash(source: str) -> str:
    """The name that a content security policy knows an inline script or style by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def _chip(label: str) -> str:
    name, names, about = WORDS[label]
    return (
        f'<button type="button" class="chip {label}" data-label="{label}" data-name="{name.capitalize()}" '
        f'data-names="{names}" aria-pressed="false"><span class="tag" aria-hidden="true">{name[0].upper()}</span>'
        f'<span class="name">{names.capitalize()} <span class="about">{about}</span></span>'
        '<span class="count"></span></button>'
    )


def _article(article: Article, sentences: list[ScoredSentence], skipped: list[bool]) -> str:
    name = escape(article.id)
    counts = Counter(sentence.label for sentence, skip in zip(sentences, skipped, strict=True) if not skip)
    summary = "".join(
        f'<li><button type="button" class="{label}" data-label="{label}"{"" if counts[label] else " disabled"}>'
        f"{counts[label]} {WORDS[label][counts[label] != 1]}</button></li>"
        for label in LABELS
    )
    return (
        f'<article aria-label="{name}">\n<header><h2><bdi>{name}</bdi></h2>\n'
        f'<ul class="strip" aria-label="Jump to the next sentence of a label">{summary}</ul></header>\n'
        f'<div class="text">{"".join(_lines(article.text, sentences, skipped))}</div>\n</article>\n'
    )


def _lines(text: str, sentences: list[ScoredSentence], skipped: list[bool]) -> Iterator[str]:
    """Yields a paragraph for each line of the article that holds a sentence; what is between sentences stays."""
    end, breaks, is_open = 0, 0, False
    for sentence, skip in zip(sentences, skipped, strict=True):
        if sentence.start == OUTSIDE:
            yield f'<p class="headline">{_sentence(sentence)}</p>'
            continue
        gap = text[end : sentence.start]
        end = sentence.end
        breaks = max(breaks, len(f"x{gap}x".splitlines()) - 1)  # one before what is skipped counts too
        if skip:
            continue
        if breaks or not is_open:
            yield ("</p>" if is_open else "") + ('<p class="apart">' if breaks > 1 else "<p>")
            gap, is_open = gap.strip(), True
        breaks = 0
        yield escape(gap) + _sentence(sentence)
    yield f"{escape(text[end:].strip())}</p>" if is_open else ""
    if all(skipped):
        yield "<p>No sentences.</p>"


def _sentence(sentence: ScoredSentence) -> str:
    tag = "span" if sentence.label == BACKGROUND else "mark"
    per_mille = " ".join(str(round(1000 * sentence.scores[label])) for label in LABELS)
    classes = ["s", sentence.label, f"c{min(9, int(10 * sentence.score))}"]
    classes += [name for name, holds in (("cut", sentence.truncated), ("furniture", sentence.furniture)) if holds]
    return f'<{tag} class="{" ".join(classes)}" data-p="{per_mille}">{_words(sentence)}</{tag}>'


def _words(sentence: ScoredSentence) -> str:
    """The text of a sentence, with the words marked that carry its label where that is known."""
    pieces, end = [], 0
    if isinstance(sentence, ExplainedSentence):
        for word, level in zip(sentence.words, levels(sentence.words), strict=True):
            if level:
                pieces += (escape(sentence.text[end : word.start]), f'<i class="w{level}">{escape(word.text)}</i>')
                end = word.end
    return "".join([*pieces, escape(sentence.text[end:])])
