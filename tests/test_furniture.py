import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from claimsift import Article
from claimsift.furniture import find_furniture, is_furniture
from claimsift.sentences import split_sentences
from eval import furniture as measurement

PIECES = st.lists(
    st.sampled_from(
        [
            "Share",
            "Facebook ",
            "Home | News",
            "By Ann Bee",
            " and Cee",
            "1.",
            "May 3",
            "\n",
            "http://a.example,",
            "(AP/",
        ]
    )
    | st.text(max_size=8)
).map("".join)


def furniture(text):
    sentences = split_sentences(text)
    marked = zip(sentences, find_furniture(text, sentences), strict=True)
    return [sentence.text for sentence, mark in marked if mark]


@pytest.mark.parametrize("pages", ["tuned", "held_out"])
def test_no_sentence_of_a_page_is_taken_for_furniture(pages):
    measured = measurement.measure(measurement.written_pages(measurement.PAGES / pages))
    assert measured["pages"] >= 8
    assert measured["swallowed"] == 0
    assert measured["recall"] > (0.85 if pages == "tuned" else 0.7)


def test_no_sentence_of_the_real_articles_is_taken_for_furniture():
    if not measurement.ARTICLES.exists():
        pytest.skip("the five articles are not here; CLAIMSIFT_ARTICLES names their folder")
    measured = measurement.measure(measurement.real_articles(measurement.ARTICLES))
    assert (measured["pages"], measured["swallowed"]) == (5, 0)
    assert measured["missed"] <= 1


def test_furniture_of_the_real_articles_gets_no_label_but_background(predictor):
    if not measurement.ARTICLES.exists():
        pytest.skip("the five articles are not here; CLAIMSIFT_ARTICLES names their folder")
    for page in measurement.real_articles(measurement.ARTICLES):
        scored = {sentence.start: sentence for sentence in predictor.score_article(page.text)}
        assert all(page.text[one.start : one.end] == one.text for one in scored.values())
        labels = {scored[one.start].label for one, flag in zip(page.sentences, page.truth, strict=True) if flag}
        assert labels <= {"background"}


@pytest.mark.parametrize("split", measurement.SPLITS)
def test_sentences_that_people_labelled_are_hardly_ever_taken_for_furniture(all_sources, split):
    counts = measurement.count_labels(ROOT / "data" / "annotations")[split]
    others = counts["claim"] + counts["denial"] + counts["unverified_report"]
    assert counts["background"] >= 15
    assert others <= (0 if split == "dev" else 12)  # headlines in links to other articles


@pytest.mark.parametrize(
    "sentence",
    [
        "Share the pain of the flood, the bishop said.",
        "By Monday evening the bridge had been closed.",
        "Comment is free, but facts are sacred, the editor said.",
        "Copyright law was changed in 2014.",
        "We use cookies as evidence that he was in the kitchen, said the detective, laughing, and took one.\n" * 5,
        "Rumour of bank run spreads on Facebook, Twitter and WhatsApp",
        "Designed by Otto Feld in 1911, the hall burned down on Sunday.",
        "No comment.",
        "Police: two held over theft",
        "Photo: A soldier guards the bridge that rebels claim to hold",
        "Source close to minister denies deal",
        "Ferry aground",
        "The army denied it",
    ],
)
def test_what_looks_like_furniture_and_is_none_stays(sentence):
    assert not is_furniture(sentence)


@pytest.mark.parametrize(
    "headline",
    [
        "Comments by Varn anger Kelmar",
        "Comments are off the mark, says minister",
        "First to comment on scandal was mayor",
        "4 responses to crisis that failed",
        "Tagged as smuggler, skipper denies plot",
        "Tagged with trackers, wolf kills hiker",
        "Heard on the quay: operator denies fault",
        "Become an AU member",
        "More from Lorvik as siege goes on",
        "More-than-expected losses hit Oster",
        "More Kelmar links found",
        "Most popular minister denies affair",
        "Latest fake news denied",
        "Elsewhere on the front, army retreats",
        "Image credit denied by agency",
        "Video source denies leak",
        "Media source: army shelled town",
        "Follow Varn on Twitter, aide says he told police.",
        "Share your story, police urge victims",
        "Share this lie on Facebook and lose your job, minister warns",
        "Find our killers on Facebook, family begs police",
        "Sign up for free school meals, parents told",
        "Register for flood alerts, agency tells villagers",
        "Subscribe to free speech or lose funds, senator says",
        "Log in to your account, fraudster told victim",
        "Download the app, police told victims",
        "Leave your comments at home, coach tells fan",
        "I accept the conditions of the ceasefire",
        "(c) the suspect fled before dawn.",
        "Powered by rumour the bank run spread",
        "Website designed by hackers stole data",
        "Jump to safety saved boy",
        "The post claiming that he had died first appeared on Twitter.",
        "The video was first published on Facebook.",
        "The views expressed by the author are racist, critics say.",
        "A former spy contributed to the report.",
        "Reporting by state media was false, monitors say",
        "With files from hacked server, paper shames mayor",
        "Army denies (AFP)",
        "Kelmar Sues AP",
        "Mob Attacks VPA Correspondent",
        "By Night Rebels Steal Grain, Farmers Say",
        "Source: Premier Ordered Raid On Mayor",
        "Source Denies Affair",
        "Oster – Mayor Resigns Today",
        "Kelmar Blocks News",
        "Facebook, Twitter, YouTube deny bias",
        "« We never fired », says army",
        "<50 killed, ministry claims",
    ],
)
def test_a_headline_that_begins_like_furniture_stays(headline):
    assert not is_furniture(headline)


@pytest.mark.parametrize(
    "text",
    [
        "Το πλοίο προσάραξε.\nΗ εταιρεία το διαψεύδει.",
        "Паром сел на мель.\nКомпания это отрицает.",
        "渡轮搁浅。\n公司否认此事。",
        "جنحت العبارة.\nالشركة تنفي ذلك.",
    ],
)
def test_an_article_in_another_script_is_no_furniture(text):
    assert furniture(text) == []


def test_of_a_headline_and_its_copies_one_stays():
    text = "\n".join(
        [
            "mine fire kills six",
            "Oster Online",
            "Mine fire kills six",
            "Oster Online",
            "Oster Online Mine fire kills six",
            "Oster Online",
            "Six miners died in a fire on Sunday, the governor said.",
            "Mine fire kills six",
        ]
    )
    assert len(furniture(text)) == 6
    assert furniture(text).count("Mine fire kills six") == 1


def test_a_headline_of_few_words_is_no_part_of_the_menu_above_it():
    page = "Home\nCouncil chamber\n{}\nBy Ann Bee\nThe mayor said so on Monday."
    assert furniture(page.format("Mayor denies fraud")) == ["Home", "By Ann Bee"]
    assert furniture(page.format("Mayor denies fraud in bridge fund")) == ["Home", "By Ann Bee"]
    longer = page.format("City hall\nMayor denies fraud in bridge fund")
    assert furniture(longer) == ["Home", "Council chamber", "City hall", "By Ann Bee"]


def test_a_sentence_that_comes_again_stays_unless_furniture_is_on_all_sides():
    sentence = "Comments that insult others are taken down without notice."
    assert furniture(f"{sentence}\nThe bridge fell on Monday.\n{sentence}") == []
    form = f"Name *\n{sentence}\nPost comment"
    assert sentence in furniture(f"The bridge fell on Monday.\n{form}\n{form}")


def test_links_below_the_heading_of_a_list_are_furniture_and_a_list_of_events_is_not():
    links = ["Two charged over museum theft", "Storm heads for coast"]
    text = "\n".join(["The bridge fell on Monday.", "Related articles", *links, "It was built in 1960."])
    assert furniture(text) == ["Related articles", *links]
    text = "\n".join(["The day began quietly.", "9:10 a.m.", "Ferry leaves port", "9:40 a.m.", "Crew calls for help"])
    assert furniture(text) == ["9:10 a.m.", "9:40 a.m."]


def test_furniture_is_not_scored_and_costs_no_probability(predictor):
    scored = predictor.score_article("Police denied it.\nShare this story\nName *")
    assert [one.furniture for one in scored] == [False, True, True]
    assert (scored[1].label, scored[1].score, scored[1].truncated) == ("background", 1.0, False)
    assert scored[1].scores == {"claim": 0.0, "denial": 0.0, "unverified_report": 0.0, "background": 1.0}
    assert scored[0].scores == predictor.score_article("Police denied it.")[0].scores


def test_a_sentence_that_is_given_as_one_is_never_furniture(predictor):
    assert not predictor.score_sentences(["Share this story"])[0].furniture
    assert not next(predictor.score_articles(["Share this story"], unit="sentence"))[0].furniture


def test_a_title_is_the_first_sentence_and_stands_outside_the_text(predictor):
    article = Article("a", "It sank. Nobody was hurt.", title="Ferry sinks, says crew. Or did it?")
    first, *rest = next(predictor.score_articles([article]))
    assert (first.text, first.start, first.end, first.furniture) == (article.title, -1, -1, False)
    assert [article.text[one.start : one.end] for one in rest] == ["It sank.", "Nobody was hurt."]


@given(PIECES)
def test_any_text_gets_one_answer_for_each_sentence(text):
    sentences = split_sentences(text)
    assert len(find_furniture(text, sentences)) == len(sentences)


@pytest.mark.parametrize(
    "text",
    [
        "facebook " * 30 + "x.",
        "1." * 140 + " x",
        "show " + "1" * 200 + "x",
        "By Ann Bee" + " and Cee" * 34 + " xx!x",
        "http://a," * 30 + " x y",
        "(AP" + "/AP" * 80 + "x",
        "Share " + "this page " * 25 + "x",
        "Mon " * 70 + "x",
        "Reporting by Ann Bee" + " and Cee" * 33 + " !x",
        "I agree to the " + "terms of " * 31 + "!x",
        "Oster Facebook " * 20,
        "Follow us on " + "Twitter and " * 23 + "!x",
        "Most read in " + "news " * 55 + "!x",
        "A " * 149 + "!x",
    ],
)
def test_no_pattern_takes_for_ever(text):
    """One that tries all ways to divide these would."""
    assert is_furniture(text) in (True, False)
