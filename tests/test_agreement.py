import pytest
from conftest import ANNOTATIONS

from claimsift.annotations.agreement import agreement, measure_agreement
from claimsift.annotations.records import RecordError


def test_kappa_of_a_worked_example():
    """Two readers agree on 35 of 50 with shares .5/.5 and .6/.4: κ = (.70 − .50) / (1 − .50)."""
    pairs = [("claim", "claim")] * 20 + [("claim", "denial")] * 5 + [("denial", "claim")] * 10
    measured = agreement([*pairs, *[("denial", "denial")] * 15])
    assert measured.agreed == pytest.approx(0.70)
    assert measured.kappa == pytest.approx(0.40)
    assert measured.by_label["claim"] == pytest.approx(0.40)


def test_the_dataset_s_figures_come_out_of_its_readings():
    measured = measure_agreement(ANNOTATIONS)
    figures = {name: (figure.sentences, round(figure.kappa, 2)) for name, figure in measured.items()}
    assert figures["dev, two first readings"] == (933, 0.94)
    assert figures["test, two first readings"] == (955, 0.95)
    assert figures["hard rows of dev and test, two second readings"] == (369, 0.89)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "dev-1", "first": ["clam"], "second": []}', "unknown label clam"),
        ('{"id": "dev-1", "first": ["claim"]}', "not a reading with id, first and second"),
        ('{"first": [], "second": []}', "not a reading with id, first and second"),
        ("[", "not a reading"),
    ],
)
def test_a_broken_reading_is_named(tmp_path, line, reason):
    (tmp_path / "readings.jsonl").write_text(line + "\n")
    with pytest.raises(RecordError, match=rf"readings\.jsonl:1: {reason}"):
        measure_agreement(tmp_path)
