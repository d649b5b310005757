from hypothesis import given
from hypothesis import strategies as st

from claimsift.sentences import split_sentences

NEWS = st.lists(
    st.sampled_from(
        ["Dr. Reik", "said", '"We left', 'early,"', "he added.", "No.", "U.S.", "\n", "\r\n", " ", "“", "”", "🚢", "…"]
    )
).map(" ".join)


@given(st.one_of(st.text(max_size=400), NEWS))
def test_offsets_are_exact_and_no_word_is_lost_on_any_text(text):
    outside, end = "", 0
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.text == sentence.text.strip() != ""
        assert sentence.start >= end
        outside += text[end : sentence.start]
        end = sentence.end
    assert (outside + text[end:]).strip() == ""


@given(st.text(st.sampled_from("US.u\u00a0\u0085\u2028\u2003 \n“é"), max_size=12))
def test_an_initial_spaced_from_its_full_stop_is_no_panic(text):
    """What sentencex raises there is no Exception, and would end a job."""
    for sentence in split_sentences(f"{text} U\u00a0. Reik left. U\u2003\u2003. He said so."):
        assert sentence.text.strip()


def test_a_quotation_stays_with_its_attribution():
    text = '"We never fired. We were asleep," the captain said. Nobody was hurt.'
    assert [s.text for s in split_sentences(text)] == [text[:51], text[52:]]


def test_a_line_break_ends_a_sentence_and_offsets_survive_crlf_and_emoji():
    text = "Ferry aground 🚢\r\n\r\nThe crew said\r\nall was well.\u2028Photo: A. Reik"
    assert [s.text for s in split_sentences(text)] == [
        "Ferry aground 🚢",
        "The crew said",
        "all was well.",
        "Photo: A. Reik",
    ]


def test_abbreviations_and_decimals_do_not_end_a_sentence():
    text = "Dr. Reik of the U.S. embassy said growth was 3.5 per cent. The ministry agreed."
    assert len(split_sentences(text)) == 2


def test_context_is_what_comes_before():
    contexts = [s.context for s in split_sentences("One. Two. Three. Four.", context_sentences=2)]
    assert contexts == ["", "One.", "One. Two.", "Two. Three."]


def test_white_space_alone_has_no_sentence():
    assert split_sentences(" \n\t\u2003 ") == []
