import numpy as np
import pytest
from conftest import OWN_DATA

from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from claimsift.hub import SHIPPED_MODEL
from eval.baselines import BASELINES, MAJORITY, RULE_LIST
from eval.predictions import Predictions, predict


@pytest.fixture(scope="module")
def dataset():
    return load_annotations(OWN_DATA)


def test_predictions_come_back_from_their_file(tmp_path):
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 5)
    kept = Predictions(["007", "b", "c, d", "é", "f"], {"a: model": probabilities, "other": probabilities[::-1]})
    kept.write(tmp_path / "new" / "dev.csv.gz")
    again = Predictions.read(tmp_path / "new" / "dev.csv.gz")
    assert again.ids == kept.ids
    assert list(again.systems) == ["a: model", "other"]
    for name, given in kept.systems.items():
        assert again.systems[name] == pytest.approx(given, abs=1e-6)


def test_the_same_predictions_give_the_same_bytes(tmp_path):
    kept = Predictions(["a"], {"model": np.full((1, 4), 0.25)})
    first, second = tmp_path / "1" / "dev.csv.gz", tmp_path / "2" / "dev.csv.gz"
    kept.write(first)
    kept.write(second)
    assert first.read_bytes() == second.read_bytes()


def test_rows_are_found_in_the_order_of_the_predictions(dataset):
    ids = dataset["train"]["id"][3::-1]
    assert list(Predictions(ids, {}).rows(dataset["train"])["id"]) == list(ids)
    with pytest.raises(ClaimsiftError, match="predictions of nowhere, which the dataset does not hold"):
        Predictions(["nowhere"], {}).rows(dataset["train"])


def test_every_system_gives_every_sentence_a_distribution(dataset):
    rows = dataset["train"]  # the largest split; neither the model nor the rules have learnt from it
    predictions = predict(rows, rows, BASELINES, {"claimsift": SHIPPED_MODEL})
    assert list(predictions.systems) == [*BASELINES, "claimsift"]
    for probabilities in predictions.systems.values():
        assert probabilities.shape == (len(rows), 4)
        assert probabilities.sum(-1) == pytest.approx(1, abs=1e-5)
    labels = np.array(rows["label"])
    right = {name: (given.argmax(-1) == labels).mean() for name, given in predictions.systems.items()}
    assert right["claimsift"] > max(right[MAJORITY], right[RULE_LIST])


def test_a_label_that_train_lacks_gets_no_probability():
    for baseline in BASELINES.values():
        given = baseline(["he denied it", "she denied all", "they left", "we left"], [1, 1, 3, 3], ["he denied it"])
        assert given.shape == (1, 4)
