"""Measures on real articles whether the page splits sentences as the Python library does; writes agreement.json.

python demo/agreement.py        # after npm ci, with the sources of the dataset (claimsift fetch)
"""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from claimsift.annotations.sources import read_documents
from claimsift.errors import ClaimsiftError
from claimsift.sentences import split_sentences

DEMO = Path(__file__).resolve().parent
SOURCES = ("newsarticles", "lee", "fnc1-train")

Spans = list[list[int]]  # start and end of each sentence, in code points


def main() -> None:
    articles = [text for source in SOURCES for text in read_documents(source).values()]
    pairs = list(zip(python_spans(articles), page_spans(articles), strict=True))
    lock = json.loads((DEMO / "package-lock.json").read_text(encoding="utf-8"))
    figures = {
        "articles": len(articles),
        "same_articles": sum(python == page for python, page in pairs),
        "sentences": sum(len(python) for python, _ in pairs),
        "same_sentences": sum(len(set(map(tuple, python)) & set(map(tuple, page))) for python, page in pairs),
        "sources": SOURCES,
        "sentencex": metadata.version("sentencex"),
        "sentencex-wasm": lock["packages"]["node_modules/sentencex-wasm"]["version"],
    }
    (DEMO / "agreement.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def python_spans(texts: list[str]) -> list[Spans]:
    return [[[sentence.start, sentence.end] for sentence in split_sentences(text)] for text in texts]


def page_spans(texts: list[str]) -> list[Spans]:
    done = subprocess.run(
        ["node", DEMO / "split.js"], input=json.dumps(texts), capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise ClaimsiftError(f"{DEMO / 'split.js'}: {done.stderr.strip()}; run npm ci in {DEMO} first")
    return json.loads(done.stdout)


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"agreement.py: {error}")
