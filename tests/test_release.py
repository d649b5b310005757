import json

import pytest
from safetensors.torch import load_file

from claimsift.errors import ClaimsiftError
from claimsift.hub import SHIPPED_MODEL, resolve_model
from train.release import check_complete, write_release


@pytest.fixture
def run(tmp_path):
    """A finished run, made of the shipped model with its weights in fp32, as training leaves them."""
    from safetensors.torch import save_file

    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "training.json"):
        (model / name).write_bytes((SHIPPED_MODEL / name).read_bytes())
    weights = {name: weight.float() for name, weight in load_file(SHIPPED_MODEL / "model.safetensors").items()}
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    return model


def test_a_release_is_a_whole_hub_repository(run, tmp_path):
    folder = tmp_path / "release"
    write_release(run, folder)
    resolve_model(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in SHIPPED_MODEL.iterdir())
    assert (folder / "model.safetensors").read_bytes() == (SHIPPED_MODEL / "model.safetensors").read_bytes()
    assert (folder / "README.md").read_text().startswith("---\nlicense: ")


def test_an_unfinished_run_is_not_released(tmp_path):
    with pytest.raises(ClaimsiftError, match="no finished run"):
        check_complete(tmp_path)


def test_a_run_on_a_part_of_the_dataset_is_not_released(run, all_sources):
    check_complete(run)
    record = json.loads((run / "training.json").read_text())
    record["sentences"]["train"] -= 1
    (run / "training.json").write_text(json.dumps(record))
    with pytest.raises(ClaimsiftError, match="train it anew"):
        check_complete(run)
