"""Fine-tunes an encoder to label news sentences.

    accelerate launch train/finetune.py train/recipes/default.yaml [--any_option value]

A recipe sets fields of ``Recipe`` below and of ``transformers.TrainingArguments``; every one of them is an option too.
The finished model lies in ``<output_dir>/model``. ``train/release.sh`` says how the released one comes about.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import datasets
import evaluate
import numpy as np
import torch
import yaml
from accelerate.utils import get_int_from_env
from folds import nth_fold
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    HfArgumentParser,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import CONTEXT_SENTENCES
from claimsift.encoder import resolve_encoder
from claimsift.errors import ClaimsiftError
from claimsift.labels import ID_TO_LABEL, LABEL_TO_ID, LABELS

ROOT = Path(__file__).resolve().parent.parent
METRICS = ROOT / "eval" / "metrics" / "claim_metrics"
TARGETS = ("label", "soft_label")
COMPLETE = "complete"  # marks a checkpoint that was written to its end


@dataclass
class Recipe:
    """What is trained on what; everything else is set by ``TrainingArguments``."""

    base: str = field(default="embedded", metadata={"help": "embedded, a folder, or a Hub id"})
    data: str = field(default="data/annotations", metadata={"help": "dataset folder, or a JSONL file"})
    max_length: int = field(default=128, metadata={"help": "tokens of a sentence that the model reads"})
    context: bool = field(default=False, metadata={"help": "read the two preceding sentences as a second segment"})
    attention_dropout: float | None = field(default=None, metadata={"help": "default: as the encoder was trained"})
    class_weight_power: float = field(default=0.0, metadata={"help": "0 no class weights, 1 inverse to frequency"})
    oversample_power: float = field(default=0.0, metadata={"help": "0 no oversampling, 1 all labels equally often"})
    focal_gamma: float = field(
        default=0.0, metadata={"help": "focusing of the focal loss (Lin et al. 2017); 0 is none"}
    )
    smoothing: float = field(default=0.0, metadata={"help": "share of each target spread over all labels"})
    without: list[str] = field(default_factory=list, metadata={"help": "kinds of `drawn` that are not trained on"})
    folds: int = field(default=0, metadata={"help": "parts that the documents of train are cut into; 0 is none"})
    hold_back: int | None = field(default=None, metadata={"help": "which of the parts is not trained on, from 0"})
    limit: int = field(default=0, metadata={"help": "sentences of each split to use, for a trial run; 0 is all"})
    resume: bool = field(default=False, metadata={"help": "continue the run in output_dir"})


def main(arguments: list[str] | None = None) -> None:
    check_launch()
    recipe, args = parse(sys.argv[1:] if arguments is None else arguments)
    checkpoint = find_checkpoint(Path(args.output_dir), recipe.resume)
    dataset = load_dataset(recipe)
    run(make_trainer(recipe, args, dataset["train"], dataset["dev"]), recipe, dataset, checkpoint)


def load_dataset(recipe: Recipe) -> datasets.DatasetDict:
    """Returns the splits, of train only the part that the recipe trains on."""
    # Without one of its sources the documents would fall into other folds.
    dataset = load_annotations(find_data(recipe.data), require_all=recipe.folds > 0)
    if not {"train", "dev"} <= dataset.keys():
        raise ClaimsiftError(f"{recipe.data}: holds only {', '.join(dataset)}; training takes a train and a dev split")
    if recipe.folds:
        fold = nth_fold(dataset["train"], recipe.folds, recipe.hold_back)
        dataset["train"] = dataset["train"].select(fold.train)
    elif recipe.hold_back is not None:
        raise ClaimsiftError("hold_back names one of the parts that folds cuts train into; set folds too")
    dataset["train"] = without(recipe.without, dataset["train"])
    if recipe.limit:
        # A stride keeps all sources and labels in.
        dataset = datasets.DatasetDict({name: _stride(rows, recipe.limit) for name, rows in dataset.items()})
    return dataset


def without(kinds: list[str], rows: datasets.Dataset) -> datasets.Dataset:
    """Leaves out the rows that were drawn in one of these ways."""
    return rows.filter(lambda row: row["drawn"] not in kinds) if kinds else rows


def run(trainer: Trainer, recipe: Recipe, dataset: datasets.DatasetDict, checkpoint: str | None) -> None:
    """Trains, measures on dev, and writes the model."""
    seconds = trainer.train(resume_from_checkpoint=checkpoint).metrics["train_runtime"]
    figures = trainer.evaluate()
    if trainer.is_world_process_zero():
        folder = save_run(trainer, recipe, dataset, figures, seconds)
        print(f"dev macro-F1 {figures['eval_macro_f1']:.3f}; the model lies in {folder}")


def check_launch() -> None:
    """Refuses ``accelerate launch --cpu --num_processes 2``, which silently starts one process unless MPI runs it.

    The sign of it: where the processes are to meet is set, and of which rank this one is, is not.
    """
    rank = get_int_from_env(["RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"], -1)
    if os.environ.get("ACCELERATE_USE_CPU") == "True" and "MASTER_ADDR" in os.environ and rank == -1:
        raise ClaimsiftError("--cpu starts several processes only under MPI; launch them with --multi_gpu")


def parse(arguments: list[str], kind: type[Recipe] = Recipe) -> tuple[Recipe, TrainingArguments]:
    """Reads a recipe file, if the first argument is one, and the options that follow and override it."""
    parser = HfArgumentParser((kind, TrainingArguments))
    parser.set_defaults(
        use_cpu=not torch.cuda.is_available(),  # bf16 on a CPU has to be asked for
        report_to="tensorboard" if find_spec("tensorboard") else "none",
    )
    if arguments and not arguments[0].startswith("--"):
        path, *arguments = arguments
        parser.set_defaults(**read_recipe(Path(path), kind))
    recipe, args = parser.parse_args_into_dataclasses(arguments)
    if args.label_smoothing_factor:
        raise ClaimsiftError("label_smoothing_factor is not used beside the recipe's own loss; set smoothing instead")
    return recipe, args


def read_recipe(path: Path, kind: type[Recipe] = Recipe) -> dict:
    """Reads the settings of a YAML file; the parser reads numbers among them as if they stood on the command line."""
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ClaimsiftError(f"{path}: no recipe to read ({error})") from None
    unknown = settings.keys() - {
        setting.name for part in (kind, TrainingArguments) for setting in dataclasses.fields(part)
    }
    if unknown:
        raise ClaimsiftError(f"{path}: unknown settings {', '.join(sorted(unknown))}")
    return {key: str(value) if isinstance(value, float) else value for key, value in settings.items()}


def used_settings(recipe: Recipe, args: TrainingArguments) -> dict:
    """Returns the settings that differ from their defaults: a recipe that trains the same model."""
    default = TrainingArguments(output_dir=args.output_dir, use_cpu=args.use_cpu)
    ignored = {"output_dir", "use_cpu", "disable_tqdm", "resume", "report_to"}  # where and how it ran, not what it did
    used = dataclasses.asdict(recipe)
    for name in (setting.name for setting in dataclasses.fields(TrainingArguments)):
        value = getattr(args, name)
        if value != getattr(default, name) and isinstance(value, bool | int | float | str | list | dict):
            used[name] = value.value if isinstance(value, Enum) else value
    used["bf16"], used["fp16"] = (args.mixed_precision == kind for kind in ("bf16", "fp16"))  # the launcher may ask too
    return {name: value for name, value in used.items() if name not in ignored}


def find_data(data: str) -> Path:
    """The path as given or, where that is nothing, below the repository, so that recipes run from any folder."""
    return Path(data) if Path(data).exists() else ROOT / data


def make_trainer(
    recipe: Recipe,
    args: TrainingArguments,
    train: datasets.Dataset,
    dev: datasets.Dataset | None,
    kind: "Callable[..., LengthGroupedTrainer] | None" = None,
) -> Trainer:
    """Returns a ``Trainer`` of a new classifier on the recipe's encoder."""
    base = resolve_encoder(recipe.base)
    set_seed(args.seed)  # the classifier's first weights are drawn below
    tokenizer = AutoTokenizer.from_pretrained(base, model_max_length=recipe.max_length)
    config = AutoConfig.from_pretrained(base, num_labels=len(LABELS), id2label=ID_TO_LABEL, label2id=LABEL_TO_ID)
    if recipe.attention_dropout is not None:
        name = "attention_dropout" if hasattr(config, "attention_dropout") else "attention_probs_dropout_prob"
        setattr(config, name, recipe.attention_dropout)
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        config=config,
        dtype=torch.float32,
        use_safetensors=True,
        # On a CPU, PyTorch's fused attention takes two to three times as long as plain matrices to run backwards.
        attn_implementation="eager" if args.device.type == "cpu" else None,
    )
    # Not a setting of transformers: it tells the Predictor how the model was trained to read.
    model.config.context_sentences = CONTEXT_SENTENCES if recipe.context else 0
    counts = Counter(label for label in train["label"] if label >= 0)
    return (kind or LengthGroupedTrainer)(
        model=model,
        args=args,
        train_dataset=tokenize(oversample(train, recipe.oversample_power, args.seed), tokenizer, recipe),
        eval_dataset=None if dev is None else tokenize(dev, tokenizer, recipe),
        processing_class=tokenizer,
        compute_metrics=make_compute_metrics(),
        compute_loss_func=make_loss(recipe, counts),
        callbacks=[MarkComplete()],
    )


def tokenize(rows: datasets.Dataset, tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> datasets.Dataset:
    """Returns ``input_ids`` and ``attention_mask``, unpadded, beside the columns that hold the targets."""

    def encode(batch: dict) -> dict:
        pair = batch["context"] if recipe.context else None
        # Without segment ids, which the Predictor does not give either; DistilBERT has none.
        options = {"truncation": True, "max_length": recipe.max_length, "return_token_type_ids": False}
        return tokenizer(batch["text"], pair, **options)

    return rows.map(encode, batched=True, remove_columns=[name for name in rows.column_names if name not in TARGETS])


def oversample(rows: datasets.Dataset, power: float, seed: int) -> datasets.Dataset:
    """Repeats the rows of rare labels: one that occurs n times stands (largest / n) ** power as often."""
    if not power:
        return rows
    labels = np.array(rows["label"])
    counts = Counter(labels.tolist())
    times = np.array([(max(counts.values()) / counts[label]) ** power for label in labels.tolist()])
    # The fraction of a repetition is drawn, so that the mean is exact.
    repeats = (times + np.random.default_rng(seed).random(len(times))).astype(int)
    return rows.select(np.repeat(np.arange(len(labels)), repeats))


class LengthGroupedTrainer(Trainer):
    """Trains on batches of sentences of similar length, in random order.

    The Trainer's own ``group_by_length`` feeds each group of batches from its longest to its shortest. Short sentences
    are of other kinds than long ones, so the model would learn in turns of one kind each.
    """

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> "LengthGroupedSampler":
        rows = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(ids) for ids in rows["input_ids"]]
        return LengthGroupedSampler(lengths, self.args.per_device_train_batch_size, self.args.seed)


class LengthGroupedSampler(torch.utils.data.Sampler):
    """Shuffles, sorts by length within groups of some batches, cuts the groups into batches and shuffles those.

    The order depends on seed and epoch alone, so that a resumed run and all processes of one see the same.
    """

    GROUP_BATCHES = 30

    def __init__(self, lengths: list[int], batch_size: int, seed: int):
        self.lengths = np.array(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self.seed, self.epoch))
        order = random.permutation(len(self.lengths))
        size = self.batch_size * self.GROUP_BATCHES
        groups = [order[start : start + size] for start in range(0, len(order), size)]
        order = np.concatenate([group[np.argsort(self.lengths[group], kind="stable")] for group in groups])
        # A last, smaller batch stays last: anywhere else it would shift the others out of step.
        whole = len(order) - len(order) % self.batch_size
        batches = random.permutation(order[:whole].reshape(-1, self.batch_size))
        yield from np.concatenate([batches.ravel(), order[whole:]]).tolist()


def make_loss(recipe: Recipe, counts: Counter) -> Callable:
    """Returns a cross-entropy with class weights, focusing and label smoothing, as the recipe sets them."""
    weights = torch.tensor([max(1, counts[label]) ** -recipe.class_weight_power for label in range(len(LABELS))])
    weights /= (
        sum(weights[label] * count for label, count in counts.items()) / counts.total()
    )  # the mean over train is 1

    def loss(outputs, labels: torch.Tensor, num_items_in_batch: torch.Tensor | None = None) -> torch.Tensor:
        log_probabilities = outputs.logits.float().log_softmax(-1)
        chosen = log_probabilities.gather(1, labels[:, None]).squeeze(1)
        losses = -(1 - recipe.smoothing) * chosen - recipe.smoothing * log_probabilities.mean(-1)
        if recipe.focal_gamma:
            losses = losses * (1 - chosen.exp()) ** recipe.focal_gamma
        losses = losses * weights.to(losses.device)[labels]
        return losses.mean() if num_items_in_batch is None else losses.sum() / num_items_in_batch

    return loss


def make_compute_metrics() -> Callable:
    metric = evaluate.load(str(METRICS), keep_in_memory=True)

    def compute_metrics(prediction) -> dict[str, float]:
        figures = metric.compute(predictions=prediction.predictions.argmax(-1), references=prediction.label_ids)
        return {name: value for name, value in figures.items() if name != "confusion"}

    return compute_metrics


class MarkComplete(TrainerCallback):
    """Marks each checkpoint once it is whole, so that a run killed while writing one does not resume from it."""

    def on_save(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def find_checkpoint(output_dir: Path, resume: bool) -> str | None:
    """Returns the newest whole checkpoint of a run to resume, and takes away what a killed run left half-written.

    Raises:
        ClaimsiftError: there is a run in ``output_dir`` and it is not to be resumed.
    """
    checkpoints = sorted(output_dir.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    if checkpoints and not resume:
        raise ClaimsiftError(
            f"{output_dir} holds a run already: continue it with --resume, or choose another --output_dir"
        )
    whole = [path for path in checkpoints if (path / COMPLETE).exists()]
    if get_int_from_env(["RANK"], 0) == 0:
        for path in set(checkpoints) - set(whole):
            shutil.rmtree(path)
    return str(whole[-1]) if whole else None


def save_run(trainer: Trainer, recipe: Recipe, dataset: datasets.DatasetDict, figures: dict, seconds: float) -> Path:
    """Writes ``<output_dir>/model``: the folder appears under that name only once it is whole."""
    folder = Path(trainer.args.output_dir) / "model"
    staging = folder.with_name("model.part")
    shutil.rmtree(staging, ignore_errors=True)
    trainer.save_model(str(staging))
    (staging / "training_args.bin").unlink(missing_ok=True)  # a pickle, which no user should be asked to load
    record = {
        "recipe": used_settings(recipe, trainer.args),
        "processes": trainer.args.world_size,
        "train_seconds": round(seconds),  # since the last start, where the run was resumed
        "sentences": {split: len(rows) for split, rows in dataset.items()},
        "labels_sha256": labels_sha256(dataset),
        "best_epoch": best_epoch(trainer),
        "dev": {key.removeprefix("eval_"): value for key, value in figures.items()},
        "versions": {name: version(name) for name in ("claimsift", "torch", "transformers", "datasets", "accelerate")},
    }
    (staging / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    staging.replace(folder)
    return folder


def labels_sha256(dataset: datasets.DatasetDict) -> str:
    """A hash of the ids and labels of all sentences, which tells whether a dataset has changed since."""
    pairs = [(name, *pair) for name, rows in dataset.items() for pair in zip(rows["id"], rows["label"], strict=True)]
    return hashlib.sha256(json.dumps(sorted(pairs)).encode()).hexdigest()


def best_epoch(trainer: Trainer) -> float | None:
    steps = {entry["step"]: entry["epoch"] for entry in trainer.state.log_history if "eval_macro_f1" in entry}
    return steps.get(trainer.state.best_global_step)


def _stride(rows: datasets.Dataset, limit: int) -> datasets.Dataset:
    return rows.select(range(0, len(rows), max(1, -(-len(rows) // limit))))


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"finetune.py: {error}")
