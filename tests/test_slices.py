import datasets
import numpy as np

from eval.slices import by_length, by_position, by_quotation, slice_figures


def rows(texts: list[str], **columns) -> datasets.Dataset:
    count = len(texts)
    every = {
        "id": [str(number) for number in range(count)],
        "text": texts,
        "source": [None] * count,
        "doc": [None] * count,
        "start": [None] * count,
        "drawn": [None] * count,
        "label": [3] * count,
    }
    return datasets.Dataset.from_dict(every | columns)


def test_sentences_are_divided_by_words():
    lengths = by_length(rows(["word " * count for count in (1, 10, 11, 40, 41, 90)]))
    assert lengths == [" 1–10 words", " 1–10 words", "11–20 words", "31–40 words", "40+ words", "40+ words"]


def test_quotation_marks_are_told_from_apostrophes():
    texts = ["“Yes,” he said.", 'He said "no".', "'No,' he said.", "The men's boats weren't there.", "«Oui», dit-il."]
    assert [part == "with quotation marks" for part in by_quotation(rows(texts))] == [True, True, True, False, True]


def test_the_position_counts_in_articles_that_are_labelled_whole():
    positions = by_position(
        rows(
            ["c", "a", "b", "z", "x"],
            source=["s"] * 5,
            doc=["1", "1", "1", "1", "2"],
            start=[20, 0, 10, 30, 0],
            drawn=["article"] * 4 + ["cue"],
        )
    )
    assert positions == ["2nd third", "1st sentence", "1st third", "3rd third", ""]


def test_parts_too_small_to_say_anything_are_left_out():
    labels = [0] * 15 + [3] * 45
    texts = ["said so"] * 30 + ["“said so”"] * 20 + ["word " * 45] * 10
    sentences = rows(texts, label=labels, doc=[str(n % 6) for n in range(60)])
    divided = slice_figures(np.eye(4)[[0] * 15 + [3] * 30 + [0] * 15], sentences)
    assert list(divided["length"]) == [" 1–10 words"]
    assert list(divided["quotation"]) == ["without"]
    without = divided["quotation"]["without"]
    assert without["sentences"] == 40
    assert without["support"] == {"claim": 15, "denial": 0, "unverified_report": 0, "background": 25}
    # Of the last twenty-five, fifteen are background by prediction as well, and ten are taken for claims.
    assert without["precision"] == {"claim": 0.6, "denial": 0.0, "unverified_report": 0.0, "background": 1.0}
    assert without["recall"] == {"claim": 1.0, "denial": 0.0, "unverified_report": 0.0, "background": 0.6}
    assert divided["source"] == divided["drawn"] == {}
