import re
from io import BytesIO

import pytest
from browser import assert_accessible
from conftest import ROOT

from claimsift.articles import Article
from claimsift.explain import ExplainedSentence, Word, explain_articles
from claimsift.labels import LABELS
from claimsift.output.html import HtmlWriter
from claimsift.predict import ScoredSentence

EXAMPLES = [Article(path.name, path.read_text()) for path in sorted((ROOT / "examples").glob("*.txt"))]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
VIEWS = [(size, scheme) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")]
VIEW_NAMES = [f"{name}-{scheme}" for name in ("desktop", "phone") for scheme in ("light", "dark")]
CHIP = ".chip[data-label={}]"


def write_page(path, scored):
    stream = BytesIO()
    writer = HtmlWriter(stream)
    for article, sentences in scored:
        writer.write(article, sentences)
    writer.close()
    path.write_bytes(stream.getvalue())
    return path.as_uri()


@pytest.fixture(scope="module")
def scored(predictor):
    return [(article, predictor.score_article(article.text)) for article in EXAMPLES]


@pytest.fixture(scope="module")
def sentences(scored):
    return [sentence for _, sentences in scored for sentence in sentences]


@pytest.fixture
def report(browser_page, scored, tmp_path):
    """The report of the example articles, open in a desktop's window."""
    browser_page.set_viewport_size(DESKTOP)
    browser_page.goto(write_page(tmp_path / "report.html", scored))
    return browser_page


def seen(page, selector="main .s"):
    """The texts of the elements that are not left out."""
    return [element.text_content() for element in page.locator(f"{selector}:visible").all() if element.is_visible()]


def of(sentences, *labels):
    return [sentence.text for sentence in sentences if sentence.label in labels]


def test_the_page_opens_with_every_article_and_sentence(report, scored, sentences):
    assert report.title() == "claimsift report"
    assert seen(report) == [sentence.text for sentence in sentences]
    assert seen(report, "main h2") == [article.id for article, _ in scored]
    assert report.locator("#status").text_content() == f"{len(sentences)} sentences in {len(scored)} articles"


def test_the_legend_counts_and_filters(report, sentences):
    for label in LABELS:
        assert report.locator(f"{CHIP.format(label)} .count").text_content() == str(len(of(sentences, label)))
    report.click(CHIP.format("denial"))
    assert seen(report) == of(sentences, "denial")
    report.click(CHIP.format("unverified_report"))
    assert seen(report) == of(sentences, "denial", "unverified_report")
    report.click(CHIP.format("denial"))
    report.click(CHIP.format("unverified_report"))
    assert len(seen(report)) == len(sentences)


def test_a_filter_leaves_out_articles_without_such_sentences(browser_page, predictor, tmp_path):
    articles = [
        Article("no", "The ship was built in 1994."),
        Article("yes", "The owner denied it. It was built in 1994."),
    ]
    scored = [(article, predictor.score_article(article.text)) for article in articles]
    browser_page.goto(write_page(tmp_path / "report.html", scored))
    browser_page.click(CHIP.format("denial"))
    assert seen(browser_page, "main h2") == ["yes"]
    assert browser_page.locator("#status").text_content() == "Showing 1 sentence in 1 of 2 articles"


def test_pointing_at_a_sentence_shows_its_four_probabilities(report, sentences):
    denied = next(sentence for sentence in sentences if sentence.label == "denial")
    report.locator("main mark.denial").first.hover()
    rows = report.locator(".card tr").all()
    assert [row.locator("th").text_content() for row in rows] == ["Claim", "Denial", "Unverified", "Background"]
    for row, label in zip(rows, LABELS, strict=True):
        shown = row.locator("td").last.text_content()
        assert shown == {0: "<1%", 100: ">99%"}.get(round(100 * denied.scores[label]), f"{denied.scores[label]:.0%}")
        rail = row.locator(".rail").bounding_box()["width"]
        bar = row.locator(".rail span").bounding_box()["width"]
        assert bar == pytest.approx(max(2, rail * denied.scores[label]), abs=1)
    report.mouse.move(5, 5)
    assert report.locator(".card").is_hidden()


def test_a_tap_shows_the_probabilities_at_the_foot_of_a_phone_and_hides_no_sentence(report):
    report.set_viewport_size(PHONE)
    for mark in report.locator("main mark").all()[:8]:
        mark.click()
        card, box = report.locator(".card").bounding_box(), mark.bounding_box()
        assert (card["x"], card["width"]) == (0, PHONE["width"])
        assert card["y"] + card["height"] == pytest.approx(PHONE["height"], abs=1)
        assert box["y"] + box["height"] <= card["y"]


def test_the_keyboard_reaches_everything(report, sentences):
    report.keyboard.press("Tab")
    assert report.evaluate("document.activeElement.className") == "skip"
    report.keyboard.press("Enter")
    report.keyboard.press("Tab")
    reached = []
    while not report.evaluate("document.activeElement.matches('.s')"):
        reached.append(report.evaluate("document.activeElement.dataset.label"))
        report.keyboard.press("Tab")
    first = EXAMPLES[0].id
    assert reached == [each for each in LABELS if report.locator(f"article[aria-label='{first}'] .s.{each}").count()]
    focused = "document.activeElement.textContent"
    assert report.evaluate(focused) == sentences[0].text
    assert report.locator(".card").is_visible()
    report.keyboard.press("ArrowRight")
    assert report.evaluate(focused) == sentences[1].text
    said = report.locator("#announcement").text_content()
    assert said.startswith({"unverified_report": "Unverified."}.get(sentences[1].label, sentences[1].label.title()))
    report.keyboard.press("ArrowLeft")
    assert report.evaluate(focused) == sentences[0].text
    report.keyboard.press("Escape")
    assert report.locator(".card").is_hidden()


def test_arrows_step_over_what_a_filter_leaves_out_and_on_into_the_next_article(report, sentences):
    denials = of(sentences, "denial")
    report.click(CHIP.format("denial"))
    report.locator("main .s:visible").first.click()
    for text in denials:
        assert report.evaluate("document.activeElement.textContent") == text
        report.keyboard.press("ArrowRight")
    assert report.evaluate("document.activeElement.textContent") == denials[-1]


def test_the_summary_of_an_article_jumps_to_its_sentences_one_after_the_other(report, scored):
    article, sentences = scored[1]
    denials = of(sentences, "denial")
    button = report.locator(f"article[aria-label='{article.id}'] .strip [data-label=denial]")
    assert button.text_content() == f"{len(denials)} denials"
    for text in [*denials, denials[0]]:
        button.click()
        assert report.evaluate("document.activeElement.textContent") == text
    report.click(CHIP.format("claim"))
    button.click()
    assert len(of(sentences, "background")) > 0
    assert report.locator("main .background").first.is_visible()


def test_what_is_less_sure_than_the_threshold_is_marked_for_checking(report, sentences):
    threshold = report.locator("#threshold")
    for limit in (80, 95):
        threshold.fill(str(limit))
        doubtful = [sentence.text for sentence in sentences if round(sentence.score, 3) * 100 < limit]
        assert doubtful
        assert seen(report, "main .low") == doubtful
        assert report.locator(".chip.check .count").text_content() == str(len(doubtful))
    report.click(".chip.check")
    assert seen(report) == doubtful
    threshold.focus()
    threshold.press("Home")
    assert report.locator("output").text_content() == "25%"
    assert seen(report) == []


def test_the_index_sorts_itself_and_the_articles(report, scored):
    def denials(pair):
        return len(of(pair[1], "denial"))

    orders = {
        "most denials": sorted(scored, key=denials, reverse=True),
        "longest": sorted(scored, key=lambda pair: len(pair[1]), reverse=True),
        "name": sorted(scored, key=lambda pair: pair[0].id),
    }
    for name, ordered in orders.items():
        report.select_option("#sort", label=name)
        ids = [article.id for article, _ in ordered]
        assert seen(report, "nav .id") == seen(report, "main h2") == ids


def test_the_index_leads_to_the_article_and_shows_its_labels_as_a_bar(report, scored):
    article, sentences = scored[1]
    link = report.locator("nav a", has_text=article.id)
    bar = link.locator(".bar")
    widths = {label: bar.locator(f".{label}").bounding_box()["width"] for label in LABELS}
    share = len(of(sentences, "denial")) / len(sentences)
    assert widths["denial"] / sum(widths.values()) == pytest.approx(share, abs=0.01)
    assert f"{len(of(sentences, 'denial'))} denials" in bar.get_attribute("aria-label")
    link.click()
    assert report.locator(f"article[aria-label='{article.id}'] h2").bounding_box()["y"] < DESKTOP["height"] / 2


@pytest.mark.parametrize(("size", "scheme"), VIEWS, ids=VIEW_NAMES)
def test_axe_finds_nothing_serious(browser_page, predictor, scored, tmp_path, size, scheme):
    explained = list(explain_articles(predictor, scored[-1:], "article"))
    browser_page.set_viewport_size(size)
    browser_page.emulate_media(color_scheme=scheme)
    browser_page.goto(write_page(tmp_path / "report.html", [*scored, *explained]))
    browser_page.evaluate("document.querySelector('details').open = true")
    assert_accessible(browser_page)
    browser_page.locator("main mark").first.click()
    assert_accessible(browser_page)
    browser_page.locator("article").last.locator("mark").first.click()  # its words are tinted now
    assert_accessible(browser_page)
    browser_page.check("#words")
    assert_accessible(browser_page)
    browser_page.click(CHIP.format("denial"))
    browser_page.click(".chip.check")
    browser_page.locator("#threshold").fill("95")
    assert_accessible(browser_page)


def luminance(colour):
    """The relative luminance of WCAG 2 of three shares of red, green and blue."""
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink, paper, tint):
    *hue, alpha = tint
    ground = [alpha * over + (1 - alpha) * under for over, under in zip(hue, paper, strict=True)]
    dark, light = sorted(map(luminance, (ink, ground)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_every_tint(browser_page, tmp_path, scheme):
    """axe-core leaves aside what stands on a gradient, as the tints are."""

    def numbers(colour):  # rgb(28, 30, 34) or color(srgb 0.3 0.7 0.9 / 0.4)
        found = [float(number) for number in re.findall(r"[\d.]+", colour)]
        return [share / 255 for share in found] if colour.startswith("rgb(") else found

    sentences = []
    for label in LABELS:
        for score in (0.3, 0.95):
            words = tuple(Word(text, 3 * place, 3 * place + 2, 0.9**place) for place, text in enumerate(("aa", "bb")))
            words += (Word("cc", 6, 8, 0.5), Word("dd", 9, 11, 0.2))
            scores = dict.fromkeys(LABELS, 0.1) | {label: score}
            sentences.append(ExplainedSentence("aa bb cc dd", 0, 11, label, score, scores, False, words=words))
            sentences.append(ScoredSentence("plain", 0, 5, label, score, scores, False))
    browser_page.emulate_media(color_scheme=scheme)
    browser_page.goto(write_page(tmp_path / "report.html", [(Article("a", ""), sentences)]))
    colours = """element => [element, ...element.querySelectorAll("i")].map(each => {
        const style = getComputedStyle(each);
        return [style.color, style.backgroundImage.match(/gradient\\(((?:rgb|color)[^)]*\\))/)?.[1]];
    })"""
    paper = numbers(browser_page.evaluate("getComputedStyle(document.body).backgroundColor"))
    measured = []
    for element in browser_page.locator("main .s").all():
        found = element.evaluate(colours)
        element.hover()
        for ink, tint in [*found, *element.evaluate(colours)]:
            if tint:
                red, green, blue, *alpha = numbers(tint)
                measured.append(contrast(numbers(ink), paper, [red, green, blue, *(alpha or [1.0])]))
    assert len(measured) == 60
    assert min(measured) >= 4.5


@pytest.mark.parametrize(("size", "scheme"), VIEWS, ids=VIEW_NAMES)
def test_nothing_is_cut_off_or_wider_than_the_screen(report, tmp_path, size, scheme):
    report.set_viewport_size(size)
    report.emulate_media(color_scheme=scheme)
    report.evaluate("document.querySelector('details').open = true")
    assert report.evaluate("document.documentElement.scrollWidth") <= size["width"]
    clipped = "[...document.querySelectorAll('.chip, .strip button, label, .side p, h1, h2, summary')]"
    clipped += ".filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)"
    assert report.evaluate(f"{clipped}.map(e => e.textContent)") == []
    picture = tmp_path / "report.png"
    report.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 20_000
    red, green, blue = report.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (min(red, green, blue) > 200) if scheme == "light" else (max(red, green, blue) < 60)


def test_print_shows_the_articles_without_the_controls_and_on_white(report, sentences):
    report.emulate_media(media="print", color_scheme="dark")
    assert seen(report) == [sentence.text for sentence in sentences]
    assert seen(report, "#threshold, nav, .chip.check, .skip") == []
    assert report.evaluate("getComputedStyle(document.body).color") == "rgb(28, 30, 34)"


def test_words_that_carry_a_label_are_tinted_on_pointing_and_by_a_switch(browser_page, predictor, scored, tmp_path):
    browser_page.goto(write_page(tmp_path / "report.html", explain_articles(predictor, scored[-1:], "article")))
    word = browser_page.locator("main mark.denial i.w3", has_text="denied").first
    background = "element => getComputedStyle(element).backgroundImage"
    assert word.evaluate(background) == "none"
    word.hover()
    assert word.evaluate(background) != "none"
    assert "denied" in browser_page.locator(".card").text_content()
    browser_page.mouse.move(5, 5)
    assert word.evaluate(background) == "none"
    browser_page.check("#words")
    assert word.evaluate(background) != "none"


def test_without_explanations_there_is_no_switch_for_them(report):
    assert report.locator("#words").is_hidden()


def hand_made(text, start=0):
    scores = {"claim": 0.9, "denial": 0.04, "unverified_report": 0.03, "background": 0.03}
    return ScoredSentence(text, start, start + len(text), "claim", 0.9, scores, False)


def test_articles_are_shown_and_not_obeyed(browser_page, tmp_path):
    attacks = [
        "</script><script>document.title = 'taken'</script>",
        "<img src=x onerror=\"document.title = 'taken'\">",
        "\"'><svg onload=\"document.title = 'taken'\"></mark></p></main>",
        "<!--<style>body { display: none }</style>",
        "<meta http-equiv=refresh content='0;url=https://example.org'>",
    ]
    scored = [(Article(attack, attack), [hand_made(attack)]) for attack in attacks]
    browser_page.goto(write_page(tmp_path / "report.html", scored))
    browser_page.locator("main mark").first.hover()
    assert browser_page.title() == "claimsift report"
    assert seen(browser_page) == seen(browser_page, "main h2") == seen(browser_page, "nav .title") == attacks


def test_even_a_script_that_got_in_would_neither_run_nor_fetch(chromium, scored, tmp_path):
    page = chromium.new_page()
    fetched = []
    page.on("requestfinished", lambda request: fetched.append(request.url))
    page.goto(write_page(tmp_path / "report.html", scored))
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "document.title = 'taken'";
                document.body.append(script, Object.assign(new Image(), { src: "http://127.0.0.1:9/x.png" }));
            }"""
        )
    assert page.evaluate("fetch('http://127.0.0.1:9/').catch(error => error.name)") == "TypeError"
    assert page.title() == "claimsift report"
    assert fetched == [page.url]
    page.close()


def test_without_scripts_the_articles_can_be_read(chromium, scored, sentences, tmp_path):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(write_page(tmp_path / "report.html", scored))
    assert seen(page) == [sentence.text for sentence in sentences]
    assert seen(page, ".filters, .contents") == []
    context.close()


def test_five_hundred_articles_can_be_sorted_filtered_and_reached(browser_page, tmp_path):
    line = "The mayor of Orvești said that the bridge would hold."
    text = "\n\n".join([line] * 30)
    many = [hand_made(line, start) for start in range(0, len(text), len(line) + 2)]
    scored = [(Article(f"article-{number}", text), many) for number in range(500)]
    browser_page.set_viewport_size(DESKTOP)
    browser_page.goto(write_page(tmp_path / "report.html", scored))
    assert browser_page.locator("#status").text_content() == "15,000 sentences in 500 articles"
    browser_page.click("nav li:nth-child(400) a")
    heading = browser_page.locator("article[aria-label=article-399] h2")
    assert 0 <= heading.bounding_box()["y"] < DESKTOP["height"]
    browser_page.click(CHIP.format("denial"))
    assert browser_page.locator("#status").text_content() == "Showing 0 sentences in 0 of 500 articles"


def test_an_empty_report_opens(browser_page, tmp_path):
    browser_page.goto(write_page(tmp_path / "report.html", []))
    assert browser_page.locator("#status").text_content() == "0 sentences in 0 articles"
