import json
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from conftest import ROOT

from claimsift import cli
from claimsift.articles import Article
from claimsift.labels import COLOURS, LABELS
from claimsift.output.html import WORDS, HtmlWriter
from claimsift.predict import ScoredSentence

EXAMPLES = sorted((ROOT / "examples").glob("*.txt"))


def sentence(text, start=0, label="claim", score=0.97, truncated=False):
    rest = (1 - score) / (len(LABELS) - 1)
    scores = {each: score if each == label else rest for each in LABELS}
    return ScoredSentence(text, start, start + len(text), label, score, scores, truncated)


def page(*articles):
    stream = BytesIO()
    writer = HtmlWriter(stream)
    for article, sentences in articles:
        writer.write(article, sentences)
    writer.close()
    return stream.getvalue().decode()


class Reader(HTMLParser):
    """The lines of text of a page's articles, and the names of all elements in them."""

    def __init__(self, html):
        super().__init__()
        self.lines, self.elements, self._in_text = [], [], False
        self.feed(html[html.index("<main") : html.index("</main>")])

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        if ("class", "text") in attributes:
            self._in_text = True
        elif tag == "p":
            self.lines.append("")

    def handle_endtag(self, tag):
        if tag == "article":
            self._in_text = False

    def handle_data(self, data):
        if self._in_text and self.lines:
            self.lines[-1] += data.removesuffix("\n") if data == "\n" else data


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_article_stands_in_the_page_line_by_line_as_it_reads(predictor, path):
    text = path.read_text()
    html = page((Article(path.name, text), predictor.score_article(text)))
    assert Reader(html).lines == [line.strip() for line in text.splitlines() if line.strip()]


def test_what_stands_between_sentences_and_around_them_is_kept():
    text = "  1) He fell.  (sic)  She <laughed>.\nEnd.\n\n* * *"
    pieces = ["He fell.", "She <laughed>.", "End."]
    html = page((Article("a", text), [sentence(piece, text.index(piece)) for piece in pieces]))
    assert Reader(html).lines == ["1)He fell.  (sic)  She <laughed>.", "End.* * *"]


def test_articles_cannot_bring_elements_or_attributes_of_their_own():
    attack = '</script></p></main><script>alert(1)</script><img src=x onerror="alert(2)">\'"><!-- &lt;'
    html = page((Article(attack, attack), [sentence(attack)]))
    assert html.count("<script") == html.count("</script>") == 1
    assert {"script", "img"}.isdisjoint(Reader(html).elements)
    assert "".join(Reader(html).lines) == attack


def test_an_empty_article_and_no_article_at_all_make_a_page():
    assert "No sentences." in page((Article("empty", " \n"), []))
    assert page().count("<main") == 1


def test_the_page_holds_no_address_but_none():
    html = page((Article("a", "He fell."), [sentence("He fell.")]))
    assert re.findall(r"https?:|url\(|@import|src=", html) == []
    assert "default-src 'none'" in html


def test_every_label_has_its_colour_and_its_words():
    html = page()
    for label in LABELS:
        assert f"--{label}:{COLOURS[label]}" in html
        assert f'data-label="{label}"' in html
    assert list(WORDS) == list(LABELS)


def test_a_job_in_parts_makes_the_page_that_a_job_in_one_makes(tmp_path):
    inputs = list(map(str, EXAMPLES))
    assert cli.main(["score", *inputs, "-o", str(tmp_path / "whole.html")]) == 0
    assert cli.main(["score", *inputs, "-o", str(tmp_path / "joined.html"), "--part-sentences", "1"]) == 0
    assert (tmp_path / "whole.html").read_bytes() == (tmp_path / "joined.html").read_bytes()
    assert cli.main(["score", *inputs, "-o", f"{tmp_path}/parts/", "--format", "html", "--part-sentences", "1"]) == 0
    parts = sorted((tmp_path / "parts").glob("*.html"))
    assert len(parts) == len(EXAMPLES) + 1  # the last one is empty
    assert all(part.read_text().endswith("</html>\n") for part in parts)


def test_a_row_that_is_one_sentence_is_an_article_of_one(tmp_path, write_jsonl):
    rows = write_jsonl("rows.jsonl", [{"id": "x", "text": "He denied it.\n\nTwice."}])
    assert cli.main(["score", str(rows), "--unit", "sentence", "-o", str(tmp_path / "out.html")]) == 0
    assert Reader((tmp_path / "out.html").read_text()).lines == ["He denied it.\n\nTwice."]


def test_explaining_asks_for_a_page(tmp_path, capsys):
    assert cli.main(["score", str(EXAMPLES[0]), "-o", str(tmp_path / "out.jsonl"), "--explain"]) == 1
    assert "--format html" in capsys.readouterr().err


def test_labels_of_the_page_are_those_of_the_rows(tmp_path, capfd):
    assert cli.main(["score", *map(str, EXAMPLES), "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert cli.main(["score", *map(str, EXAMPLES), "-o", str(tmp_path / "out.html")]) == 0
    found = re.findall(r'class="s (\w+) c\d[^"]*" data-p="([\d ]+)"', (tmp_path / "out.html").read_text())
    assert found == [(row["label"], " ".join(str(round(1000 * row[label])) for label in LABELS)) for row in rows]


def furnished():
    """An article with a title of its own, and its sentences, the middle one page furniture."""
    text = "Police said so.\nShare this\nNobody knows.\n"
    menu = ScoredSentence("Share this", 16, 26, "background", 1.0, dict.fromkeys(LABELS, 0.25), False, furniture=True)
    title = ScoredSentence("Ferry sinks", -1, -1, "background", 0.9, dict.fromkeys(LABELS, 0.25), False)
    return Article("a", text, title="Ferry sinks"), [
        title,
        sentence("Police said so."),
        menu,
        sentence("Nobody knows.", 27),
    ]


def test_a_title_stands_first_and_furniture_stands_back():
    html = page(furnished())
    assert Reader(html).lines == ["Ferry sinks", "Police said so.", "Share this", "Nobody knows."]
    assert '<p class="headline"><span class="s background' in html
    assert re.search(r'<span class="s background c9 furniture"[^>]*>Share this', html)


def test_furniture_that_is_skipped_leaves_no_gap():
    stream = BytesIO()
    writer = HtmlWriter(stream, skip_furniture=True)
    writer.write(*furnished())
    writer.close()
    html = stream.getvalue().decode()
    assert Reader(html).lines == ["Ferry sinks", "Police said so.", "Nobody knows."]
    assert "1 background" in html
    assert "Share this" not in html


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("\nMENU ", "<p><mark>Nobody"),
        ("\n\nMENU ", '<p class="apart"><mark>Nobody'),
        ("\nMENU MENU ", "<p><mark>Nobody"),
        (" MENU\n", "<p><mark>Nobody"),
        (" MENU ", "</mark> <mark>Nobody"),
    ],
)
def test_furniture_that_is_skipped_takes_no_line_break_with_it(between, expected):
    text = f"Police said so.{between}Nobody knows."
    menus = [
        ScoredSentence("MENU", found.start(), found.end(), "background", 1.0, dict.fromkeys(LABELS, 0.25), False, True)
        for found in re.finditer("MENU", text)
    ]
    stream = BytesIO()
    writer = HtmlWriter(stream, skip_furniture=True)
    writer.write(Article("a", text), [sentence("Police said so."), *menus, sentence("Nobody knows.", len(text) - 13)])
    assert expected in re.sub("<mark [^>]*>", "<mark>", stream.getvalue().decode())
