import torch
from transformers import AutoModel, AutoTokenizer

from claimsift.annotations.sources import read_documents
from claimsift.encoder import convert_embedded, embedded_encoder, extract_embedded, resolve_encoder
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
