"""The browser demo, built as its README says and driven in Chromium from a plain static server."""

import functools
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from browser import assert_accessible
from conftest import ANNOTATIONS, ROOT
from playwright.sync_api import Page, expect

from claimsift.hub import ONNX_FILE, SHIPPED_MODEL
from claimsift.labels import COLOURS, LABELS
from claimsift.packages import file_sha256
from claimsift.sentences import split_sentences
from demo.agreement import page_spans, python_spans

DEMO = ROOT / "demo"
NO_NETWORK = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ENOTCACHED")
TIMEOUT = 120_000  # ms, for a machine that is busy with other things

STORY = """Letter alarms workers at Harrow Mill

Workers at Harrow Mill were told that the plant would shut in May, foreman Dale Ostrander said on Monday.

The owner, Finch & Lowe, denied that any decision had been taken. It was not clear who had sent the letter.

The mill was built in 1911."""
STORY_LABELS = ["background", "claim", "denial", "unverified_report", "background"]


@pytest.fixture(scope="module")
def packages() -> None:
    """The npm packages of the lock file, fetched unless they are there."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("no Node.js with npm on the PATH; install them to test the demo")
    lock, installed = DEMO / "package-lock.json", DEMO / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime > lock.stat().st_mtime:
        return
    done = subprocess.run(["npm", "ci", "--no-audit"], cwd=DEMO, capture_output=True, text=True, check=False)
    if NO_NETWORK.search(done.stderr):
        pytest.skip("no npm registry can be reached, and the demo's packages come from one")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(packages, tmp_path_factory) -> Path:
    """The folder of the built page, below the root of a host."""
    folder = tmp_path_factory.mktemp("host") / "space"
    command = ["npm", "run", "build", "--", "--outDir", str(folder)]
    done = subprocess.run(command, cwd=DEMO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def site(built) -> Iterator[str]:
    with serve(built.parent) as host:
        yield f"{host}/{built.name}/"


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def page(site, browser_page) -> Page:
    """The page, with its first example tagged."""
    browser_page.goto(site)
    wait_until_tagged(browser_page)
    return browser_page


def wait_until_tagged(page: Page) -> None:
    expect(page.locator("#status")).to_contain_text(" tagged", timeout=TIMEOUT)


def tag(page: Page, text: str) -> None:
    page.get_by_label("News text").fill(text)
    page.get_by_role("button", name="Tag the sentences").click()
    expect(page.locator("#article")).to_contain_text(text.splitlines()[-1][-20:].strip())
    wait_until_tagged(page)


def tagged(page: Page) -> list[tuple[str, str]]:
    """The sentences that the page shows, with their labels."""
    return page.locator(".sentence").evaluate_all("all => all.map(one => [one.textContent, one.dataset.label])")


def legend(page: Page, label: str):
    return page.locator(f"#legend [data-label={label}]")


def test_splits_texts_as_python_does_whatever_is_in_them(packages):
    pieces = [
        "He said no.\u2028She said yes.\x85They left.\x0bAll of them. ",
        "\ufeffA mark at the start. \ufeff And one within.",
        "“Not I,” said Dr. Ng 😀 at 3 p.m. “Nor I!” Then: nothing.",
        "One line\r\nanother one\n\n\n  \xa0 indented \x1f\n\tThe end…",
        "(Brackets. Within.) e.g. this, the U.S. one. No. 5 is out?! 'Yes.'",
    ]
    texts = ["", " \n ", *pieces, "\n".join(pieces), " ".join(reversed(pieces)), STORY]
    assert page_spans(texts) == python_spans(texts)


def test_readme_tells_the_agreement_that_was_measured():
    figures = json.loads((DEMO / "agreement.json").read_text(encoding="utf-8"))
    told = f"{figures['same_articles']:,} of {figures['articles']:,} real articles, {figures['sentences']:,} sentences"
    assert told in " ".join((DEMO / "README.md").read_text(encoding="utf-8").split())
    assert figures["same_sentences"] == figures["sentences"]


def test_the_page_has_the_colours_of_the_labels():
    declared = dict(re.findall(r"--(\w+): (#\w{6});", (DEMO / "src" / "style.css").read_text(encoding="utf-8")))
    assert {label: declared[label].upper() for label in LABELS} == COLOURS


def test_versions_are_pinned_and_the_lock_file_names_no_registry():
    package = json.loads((DEMO / "package.json").read_text(encoding="utf-8"))
    versions = package["dependencies"] | package["devDependencies"]
    assert all(re.match(r"\d+\.\d+\.\d+", version) for version in versions.values())
    lock = json.loads((DEMO / "package-lock.json").read_text(encoding="utf-8"))
    assert not any("resolved" in entry for entry in lock["packages"].values())


def test_the_build_is_a_static_space_below_40_mb_with_the_released_model(built):
    assert sum(path.stat().st_size for path in built.rglob("*")) < 40e6
    assert file_sha256(built / "model" / ONNX_FILE) == file_sha256(SHIPPED_MODEL / ONNX_FILE)
    _, header, _ = (built / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    settings = yaml.safe_load(header)
    assert settings["sdk"] == "static"
    assert (built / settings["app_file"]).is_file()


def test_labels_are_those_of_python(page, predictor):
    rows = map(json.loads, (ANNOTATIONS / "written.jsonl").read_text(encoding="utf-8").splitlines())
    sentences = [row["text"] for row in rows if len(split_sentences(row["text"])) == 1]
    text = "\n".join(sentences[:: len(sentences) // 300][:300])
    expected = [(sentence.text, sentence.label) for sentence in predictor.score_article(text)]
    tag(page, text)
    found = list(map(tuple, tagged(page)))
    assert len(found) == 300 and [sentence for sentence, _ in found] == [sentence for sentence, _ in expected]
    assert sum(map(tuple.__eq__, found, expected)) >= 297


def test_shows_progress_and_tags_an_example_by_itself(site, browser_page):
    browser_page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
            const bar = document.querySelector("#progress");
            window.shares = [];
            new MutationObserver(() => shares.push(bar.value)).observe(bar, { attributeFilter: ["value"] });
        })"""
    )
    browser_page.goto(site)
    expect(browser_page.locator("#status")).to_have_text(re.compile(r"Loading the model, \d\d MB"))
    wait_until_tagged(browser_page)
    shares = browser_page.evaluate("shares")
    assert shares == sorted(shares) and len([share for share in shares if 0 < share < 1]) > 5 and shares[-1] == 1
    expect(browser_page.locator("#progress")).to_be_hidden()
    assert all(label in LABELS for _, label in tagged(browser_page))


def test_tags_a_pasted_text(page):
    tag(page, STORY)
    assert [label for _, label in tagged(page)] == STORY_LABELS
    assert page.locator("#article").inner_text().split() == STORY.split()


def test_the_newest_text_wins(page):
    for name in ("Tabloid rumour", "Local paper", "Wire report", "Local paper"):
        page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("#article .headline")).to_contain_text("Ellerby")
    expect(page.locator(".sentence:not([data-label])")).to_have_count(0, timeout=TIMEOUT)
    wait_until_tagged(page)
    text = page.get_by_label("News text").input_value()
    assert [sentence for sentence, _ in tagged(page)] == [sentence.text for sentence in split_sentences(text)]


def test_every_example_shows_all_four_labels(page):
    for name in page.locator("#examples button").all_inner_texts():
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".sentence:not([data-label])")).to_have_count(0, timeout=TIMEOUT)
        wait_until_tagged(page)
        assert {label for _, label in tagged(page)} == set(LABELS)


def test_the_keyboard_is_enough(page):
    page.get_by_label("News text").fill(STORY)
    page.get_by_label("News text").press("Control+Enter")
    expect(page.locator("#article")).to_contain_text("1911")
    wait_until_tagged(page)
    page.locator("#legend button").last.focus()
    page.keyboard.press("Tab")
    for key, sentence in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("End", 4), ("Home", 0)):
        page.keyboard.press(key)
        expect(page.locator(".sentence").nth(sentence)).to_be_focused()
        expect(page.locator("#inspector .chosen")).to_have_attribute("data-label", STORY_LABELS[sentence])
    page.keyboard.press("Escape")
    expect(page.locator("#inspector table")).to_have_count(0)


def test_the_legend_counts_and_filters(page):
    tag(page, STORY)
    for label, count in Counter(STORY_LABELS).items():
        expect(legend(page, label).locator(".count")).to_have_text(str(count))
    legend(page, "denial").click()
    expect(legend(page, "denial")).to_have_attribute("aria-pressed", "true")
    shown = page.locator(".sentence:not(.off)")
    expect(shown).to_have_count(1)
    legend(page, "claim").click()
    expect(shown).to_have_count(2)
    page.locator(".sentence").nth(1).focus()
    page.keyboard.press("End")  # steps over what is filtered out
    expect(page.locator(".sentence").nth(2)).to_be_focused()
    for label in ("claim", "denial"):
        legend(page, label).click()
    expect(shown).to_have_count(5)


def test_hovering_and_tapping_show_the_four_probabilities(page, predictor):
    tag(page, STORY)
    scored = predictor.score_article(STORY)
    rows = page.locator("#inspector tr")
    page.locator(".sentence").nth(2).hover()
    expect(rows).to_have_count(4)
    for row, (label, share) in zip(rows.all(), scored[2].scores.items(), strict=True):
        assert row.get_attribute("data-label") == label
        if 0.005 <= share < 0.995:
            assert abs(int(row.locator("td").last.inner_text().rstrip("%")) - 100 * share) <= 0.6
    page.mouse.move(1, 1)
    expect(rows).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".sentence").nth(3).click()
    expect(page.locator("#inspector .chosen")).to_have_attribute("data-label", "unverified_report")
    page.locator("h1").click()
    expect(page.locator("#inspector")).to_be_hidden()


def test_says_that_a_long_sentence_was_cut_and_scores_its_head_like_python(page, predictor):
    text = "Mayor Ada Finch said the bridge had been closed " + "and opened and closed " * 40 + "again."
    (scored,) = predictor.score_article(text)
    assert scored.truncated
    tag(page, text)
    assert tagged(page) == [[text, scored.label]]
    page.locator(".sentence").hover()
    expect(page.locator("#inspector")).to_contain_text("scored on its head")


def test_says_when_there_is_nothing_to_tag(page):
    page.get_by_label("News text").fill(" \n ")
    page.get_by_role("button", name="Tag the sentences").click()
    expect(page.locator("#status")).to_have_text("There is no sentence in this text")
    expect(page.locator(".sentence")).to_have_count(0)


def test_works_offline_after_the_first_load(built, browser_page):
    with serve(built.parent) as host:
        browser_page.goto(f"{host}/{built.name}/")
        wait_until_tagged(browser_page)
        kept = """async () => {
            const cache = await caches.open((await caches.keys())[0]);
            return (await cache.keys()).some((request) => request.url.endsWith("model_quantized.onnx"));
        }"""
        browser_page.wait_for_function(kept)
    browser_page.context.set_offline(True)  # and the server is gone
    browser_page.reload()
    wait_until_tagged(browser_page)
    tag(browser_page, STORY)
    assert [label for _, label in tagged(browser_page)] == STORY_LABELS


def test_says_what_could_not_be_loaded(built, tmp_path, chromium):
    shutil.copytree(built, tmp_path / "site")
    (tmp_path / "site" / "model" / ONNX_FILE).unlink()
    with serve(tmp_path / "site") as host:
        page = chromium.new_page()
        page.goto(host)
        expect(page.locator("#status")).to_contain_text("model_quantized.onnx cannot be loaded (404)", timeout=TIMEOUT)
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desktop", "phone"])
def test_is_accessible_and_fits_the_screen(page, predictor, tmp_path, scheme, size):
    text = (ROOT / "examples" / "dam.txt").read_text(encoding="utf-8")
    unsure = [sentence for sentence in predictor.score_article(text) if sentence.score < 0.6]  # CHECK_BELOW of the page
    assert unsure, "take a text with a label to check"
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tag(page, text)
    low = page.locator(".sentence.low")
    expect(low).to_have_count(len(unsure))
    assert_accessible(page)
    low.first.click()
    legend(page, "unverified_report").click()
    low.first.focus()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    page.screenshot(path=tmp_path / "page.png", full_page=True)
