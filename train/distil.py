"""Distils slow teachers into the small encoder that ships (Hinton et al. 2015, https://arxiv.org/abs/1503.02531).

    accelerate launch train/distil.py train/recipes/distilled.yaml [--any_option value]

The student learns the labels of train and, on the same sentences and on the unlabelled pool that ``pool.py`` gathers,
the probabilities of its teachers, which are runs of ``finetune.py``. A sentence of train gets those of the teachers
that were not trained on its document, where there are any: a teacher is too sure of what it has learnt by heart.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import datasets
import numpy as np
import torch
from finetune import (
    LengthGroupedTrainer,
    Recipe,
    check_launch,
    find_checkpoint,
    find_data,
    load_dataset,
    make_trainer,
    parse,
    run,
    without,
)
from folds import held_back_fold, read_training
from tqdm import tqdm
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments
from transformers.modeling_outputs import SequenceClassifierOutput

from claimsift.annotations import load_annotations
from claimsift.annotations.records import sentence_sha1
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from claimsift.packages import file_sha256

UNLABELLED = -100
CHUNK = 2048  # sentences whose soft labels are kept in one file: what a killed run loses at most
BATCH = 32


@dataclass
class DistilRecipe(Recipe):
    """A recipe with teachers."""

    teachers: list[str] = field(default_factory=list, metadata={"help": "folders of finished runs of finetune.py"})
    pool: str = field(default="", metadata={"help": "file that pool.py wrote; without one, train alone is used"})
    temperature: float = field(default=2.0, metadata={"help": "softens the probabilities of teachers and student"})
    label_weight: float = field(default=1.0, metadata={"help": "weight of the loss on labels beside that on teachers"})


def main(arguments: list[str] | None = None) -> None:
    check_launch()
    recipe, args = parse(sys.argv[1:] if arguments is None else arguments, DistilRecipe)
    if not recipe.teachers:
        raise ClaimsiftError("no teachers to learn from: set teachers to folders of finished runs of finetune.py")
    if recipe.context or recipe.oversample_power:
        raise ClaimsiftError("distillation reads single sentences, each once: leave context and oversample_power alone")
    checkpoint = find_checkpoint(Path(args.output_dir), recipe.resume)
    dataset = load_dataset(recipe)
    run(make_student(recipe, args, dataset["train"], dataset["dev"]), recipe, dataset, checkpoint)


def make_student(
    recipe: DistilRecipe, args: TrainingArguments, train: datasets.Dataset, dev: datasets.Dataset | None
) -> Trainer:
    """Returns a ``Trainer`` of a new student; where soft labels are missing, the teachers give them first."""
    args.remove_unused_columns = False  # the soft labels are no input of the model
    with args.main_process_first(desc="soft labels"):  # the other processes find them on disk
        train = with_soft_labels(train, read_pool(recipe), recipe, args)
    return make_trainer(recipe, args, train, dev, partial(DistilTrainer, recipe=recipe))


def read_pool(recipe: DistilRecipe) -> datasets.Dataset | None:
    if not recipe.pool:
        return None
    if not Path(recipe.pool).exists():
        raise ClaimsiftError(f"{recipe.pool}: no such file; python train/pool.py --output {recipe.pool} writes it")
    with open(recipe.pool, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][: recipe.limit or None]
    return datasets.Dataset.from_list([row | {"label": UNLABELLED} for row in rows])


def with_soft_labels(
    train: datasets.Dataset, pool: datasets.Dataset | None, recipe: DistilRecipe, args: TrainingArguments
) -> datasets.Dataset:
    """Returns labelled and unlabelled sentences with ``soft_label``: the teachers' four probabilities, softened."""
    columns = ["text", "context", "label"]
    parts = [train.select_columns(columns).cast_column("label", datasets.Value("int64"))]
    if pool is not None:
        parts.append(pool.select_columns(columns))
    rows = datasets.concatenate_datasets(parts)
    may_teach = np.ones((len(recipe.teachers), len(rows)), bool)
    probabilities = np.zeros((len(recipe.teachers), len(rows), len(LABELS)), np.float32)
    for number, folder in enumerate(recipe.teachers):
        teacher = Path(folder)
        may_teach[number, : len(train)] = not_seen(teacher, train)
        logits = soft_label_logits(teacher / "model", list(rows["text"]), args)
        probabilities[number] = torch.from_numpy(logits / recipe.temperature).softmax(-1).numpy()
    may_teach |= ~may_teach.any(0)  # all of them, where each has seen the sentence
    mean = (probabilities * may_teach[..., None]).sum(0) / may_teach.sum(0)[:, None]
    return rows.add_column("soft_label", list(mean))


def not_seen(teacher: Path, train: datasets.Dataset) -> np.ndarray:
    """Returns which sentences of train the teacher was not trained on, a bool for each."""
    settings = read_training(teacher)["recipe"]
    recipe = Recipe(**{key: value for key, value in settings.items() if key in Recipe.__dataclass_fields__})
    everything = load_annotations(find_data(recipe.data))["train"]
    seen = set(without(recipe.without, everything)["id"])
    if recipe.folds:
        seen -= set(everything.select(held_back_fold(teacher, everything).held_back)["id"])
    return np.array([sentence not in seen for sentence in train["id"]])


def soft_label_logits(model: Path, texts: list[str], args: TrainingArguments) -> np.ndarray:
    """Returns a teacher's logits, ``(sentences, 4)`` in float32; those computed before are kept beside its run."""
    folder = model.parent / "soft_labels" / file_sha256(model / "model.safetensors")[:16]
    folder.mkdir(parents=True, exist_ok=True)
    known = {}
    for path in folder.glob("*.npz"):
        with np.load(path, allow_pickle=False) as part:
            known |= dict(zip(part["sentences"].tolist(), part["logits"], strict=True))
    keys = [sentence_sha1(text) for text in texts]
    missing = [(key, text) for key, text in dict(zip(keys, texts, strict=True)).items() if key not in known]
    score = make_scorer(model, args) if missing else None
    progress = tqdm(total=len(missing), desc=f"soft labels of {model.parent.name}", disable=args.disable_tqdm)
    for start in range(0, len(missing), CHUNK):
        chunk, sentences = zip(*missing[start : start + CHUNK], strict=True)
        logits = score(sentences)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
            np.savez(part, sentences=np.array(chunk), logits=logits)
        Path(part.name).replace(folder / f"{chunk[0]}.npz")
        known |= dict(zip(chunk, logits, strict=True))
        progress.update(len(chunk))
    return np.stack([known[key] for key in keys])


def make_scorer(model: Path, args: TrainingArguments) -> Callable[[Sequence[str]], np.ndarray]:
    tokenizer = AutoTokenizer.from_pretrained(model)
    dtype = torch.bfloat16 if args.bf16 else torch.float32
    network = AutoModelForSequenceClassification.from_pretrained(model, dtype=dtype, use_safetensors=True)
    network.to(args.device).eval()

    @torch.inference_mode()
    def score(texts: Sequence[str]) -> np.ndarray:
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        logits = np.empty((len(texts), len(LABELS)), np.float32)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            inputs = tokenizer([texts[index] for index in batch], truncation=True, padding=True, return_tensors="pt")
            logits[batch] = network(**inputs.to(args.device)).logits.float().cpu().numpy()
        return logits

    return score


class DistilTrainer(LengthGroupedTrainer):
    """Trains on the teachers' probabilities and on the labels, where a sentence has one."""

    def __init__(self, *, recipe: DistilRecipe, compute_loss_func: Callable, **options):
        super().__init__(**options)
        self.model_accepts_loss_kwargs = False  # the loss is a mean over its batch: let the Trainer average batches
        self.recipe = recipe
        self.label_loss = compute_loss_func

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        soft_labels = inputs.pop("soft_label", None)
        if soft_labels is None:  # dev
            return super().compute_loss(model, inputs, return_outputs)
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = distillation_loss(outputs.logits, soft_labels, self.recipe.temperature)
        labelled = labels != UNLABELLED
        if labelled.any():
            chosen = SequenceClassifierOutput(logits=outputs.logits[labelled])
            loss = loss + self.recipe.label_weight * self.label_loss(chosen, labels[labelled], len(labels))
        return (loss, outputs) if return_outputs else loss


def distillation_loss(logits: torch.Tensor, soft_labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """The Kullback-Leibler divergence of the student's softened probabilities from the teachers', batch mean.

    The square of the temperature keeps its gradients as large as those of a loss on labels (Hinton et al. 2015).
    """
    student = (logits.float() / temperature).log_softmax(-1)
    return torch.nn.functional.kl_div(student, soft_labels.float(), reduction="batchmean") * temperature**2


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"distil.py: {error}")
