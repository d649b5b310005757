import pytest
from conftest import ANNOTATIONS, ROOT

from claimsift.annotations.card import agreement_table, label_counts, written_figures
from claimsift.annotations.records import AUTHORED, read_records
from claimsift.cards import fill_block, with_block
from claimsift.errors import ClaimsiftError
from claimsift.hub import SHIPPED_MODEL
from train.release import example

README = (ROOT / "README.md").read_text()


def test_a_block_is_replaced_and_the_text_around_it_kept(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("Before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n")
    fill_block(path, "figures", "new\n")
    fill_block(path, "figures", "new\n")
    assert path.read_text() == "Before\n<!-- figures -->\nnew\n<!-- /figures -->\nafter\n"


def test_a_card_without_the_marks_is_named():
    with pytest.raises(ClaimsiftError, match=r"a\.md: has no place for these figures"):
        with_block("text", "figures", "new", place="a.md")


def test_the_dataset_card_holds_what_its_command_writes():
    card = (ANNOTATIONS / "README.md").read_text()
    assert card == with_block(card, "label counts", label_counts(read_records(ANNOTATIONS)))
    written = [record for record in read_records(ANNOTATIONS) if record.source == AUTHORED]
    assert card == with_block(card, "written", written_figures(written))
    assert card == with_block(card, "agreement", agreement_table(ANNOTATIONS))


def test_the_readme_shows_what_the_shipped_model_says():
    assert with_block(README, "example", example(SHIPPED_MODEL)) == README
