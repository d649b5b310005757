"""What ``claimsift score`` does: inputs through the model into rows, on standard output or in a resumable job."""

import argparse
import contextlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import claimsift
from claimsift.archive import PART_SENTENCES, Job, cannot_be_written, is_special, replacing, write_failures
from claimsift.articles import Article, ArticleReader
from claimsift.errors import ClaimsiftError, InputError, without_controls
from claimsift.explain import explain_articles
from claimsift.hub import resolve_model, weights_sha256
from claimsift.output import FORMATS, SUFFIXES, WRITERS
from claimsift.output.rows import COLUMNS
from claimsift.predict import Predictor, ScoredSentence

ENGINES = ("local", "ray")


def score_inputs(options: argparse.Namespace) -> int:
    """Scores the inputs that ``claimsift score`` was given.

    Args:
        options: as :func:`claimsift.cli.build_parser` reads them.

    Returns:
        The number of inputs that failed.

    Raises:
        ClaimsiftError: wrong usage, no model, or an output that cannot be written.
    """
    format = output_format(options)  # before the model is loaded: wrong usage shows at once
    if options.escape_formulas and format != "csv":
        raise ClaimsiftError(f"--escape-formulas is for spreadsheets, which read CSV, not {format}; leave it out")
    check_files(options)
    check_columns(options, format)
    if options.explain and format != "html":
        raise ClaimsiftError("--explain shows words in a page; add --format html")
    if options.workers and options.engine != "ray":
        raise ClaimsiftError("--workers is for --engine ray; leave it out, or add --engine ray")
    if options.engine == "ray":
        return score_on_ray(options, format)
    folder = resolve_model(options.model, options.revision)
    predictor = Predictor.from_pretrained(folder, device=options.device, backend=options.backend)
    # To standard output, a device or a pipe rows go as they come.
    if options.output is None or is_special(Path(options.output)):
        return score_to_stream(options, format, predictor)
    return score_to_parts(options, format, predictor, folder)


def score_to_stream(options: argparse.Namespace, format: str, predictor: Predictor) -> int:
    """Returns the number of inputs that failed."""
    failures = []

    def fail(error: InputError) -> None:
        print_failure(error)
        failures.append(error.record)

    reader = make_reader(options, fail)
    output = replacing(Path(options.output)) if options.output else contextlib.nullcontext(sys.stdout.buffer)
    try:
        with output as stream:
            writer = WRITERS[format](stream, **writer_options(options))
            for article, sentences in scored(predictor, reader.read(options.inputs), options):
                writer.write(article, sentences)
            writer.close()
            stream.flush()
    except BrokenPipeError:  # its reader has seen enough
        raise
    except OSError as error:
        raise cannot_be_written(options.output or "standard output", error) from error
    finally:
        if options.errors:
            write_failures(options.errors, failures)
    return len(failures)


def score_to_parts(options: argparse.Namespace, format: str, predictor: Predictor, model: Path) -> int:
    """Returns the number of inputs that failed, those of earlier attempts at the job included."""
    output = Path(options.output)
    is_folder = output.is_dir() or options.output.endswith(("/", os.sep))
    # A job goes on only with the inputs that it began with; the rows must not depend on where it was interrupted.
    reader = make_reader(options, lambda error: job.add_failure(error))
    files = reader.files(options.inputs)
    description = describe(options, format, files, model)
    part_sentences = options.part_sentences or PART_SENTENCES
    job = Job(output, is_folder, format, description, part_sentences, print_failure, writer_options(options))
    started, sentences_scored = time.monotonic(), 0
    with job.opened(), progress_bar(reader, files) as progress:
        if job.articles_done:
            print(f"claimsift: going on after {job.articles_done} articles that are done", file=sys.stderr)
        for article, sentences in scored(predictor, job.still_to_do(reader.read(options.inputs)), options):
            job.write(article, sentences)
            sentences_scored += len(sentences)
            progress(sentences)
        job.finish(options.errors)
        seconds = time.monotonic() - started
    print(
        f"claimsift: {sentences_scored} sentences, {predictor.repeated:.0%} of them repeated, in {seconds:.1f} s, "
        f"{job.failed} inputs failed; the rows are in {without_controls(options.output)}",
        file=sys.stderr,
    )
    return job.failed


def score_on_ray(options: argparse.Namespace, format: str) -> int:
    """Returns the number of inputs that failed."""
    if options.output is None or format != "parquet":
        raise ClaimsiftError("--engine ray writes a folder of Parquet files; add -o FOLDER/ --format parquet")
    if options.texts:
        raise ClaimsiftError("--texts does not go with --engine ray; score the pages without it")
    if options.part_sentences:
        raise ClaimsiftError("--part-sentences does not go with --engine ray, which sizes parts itself; leave it out")
    from claimsift.ray_engine import score_with_ray

    return score_with_ray(
        options.inputs,
        Path(options.output),
        model=options.model,
        revision=options.revision,
        device=options.device,
        backend=options.backend,
        unit=options.unit,
        text_column=options.text_column,
        id_column=options.id_column,
        title_column=options.title_column,
        keep=options.keep,
        skip_furniture=options.skip_furniture,
        workers=options.workers,
        errors=options.errors,
        exclude=written_paths(options),
    )


def scored(
    predictor: Predictor, articles: Iterator, options: argparse.Namespace
) -> Iterator[tuple[Article, list[ScoredSentence]]]:
    """Returns each article with its sentences."""
    articles, to_score = itertools.tee(articles)
    pairs = ((next(articles), sentences) for sentences in predictor.score_articles(to_score, options.unit))
    return explain_articles(predictor, pairs, options.unit) if options.explain else pairs


def make_reader(options: argparse.Namespace, on_error: Callable[[InputError], None]) -> ArticleReader:
    return ArticleReader(
        options.text_column,
        options.id_column,
        options.unit == "sentence",
        on_error,
        written_paths(options),
        options.title_column,
        options.keep,
        options.texts,
        on_notice=print_failure,
    )


def written_paths(options: argparse.Namespace) -> frozenset[Path]:
    """Returns what the job writes, which may lie in a folder that it reads."""
    written = [os.path.realpath(path) for path in (options.output, options.errors, options.texts) if path]
    return frozenset(Path(f"{path}{suffix}") for path in written for suffix in ("", ".part", ".parts"))


def describe(options: argparse.Namespace, format: str, files: list[tuple[str, Path]], model: Path) -> dict | None:
    """Returns what makes a job the same job; None where an input, a pipe say, cannot be read twice."""
    if any((path.exists() and not path.is_file()) or name == "-" for name, path in files):
        return None
    found = [(name, path.stat()) for name, path in files if path.exists()]
    return {
        "inputs": [[name, status.st_size, status.st_mtime_ns] for name, status in found],
        "model": weights_sha256(model),
        "version": claimsift.__version__,
        "options": [
            format,
            options.unit,
            options.text_column,
            options.id_column,
            options.title_column,
            options.device,
            options.backend,
            options.explain,
        ],
        "writer options": writer_options(options),
    }


def writer_options(options: argparse.Namespace) -> dict:
    chosen = {
        "keep": options.keep,
        "skip_furniture": options.skip_furniture,
        "escape_formulas": options.escape_formulas,
    }
    return {name: value for name, value in chosen.items() if value}


def check_columns(options: argparse.Namespace, format: str) -> None:
    """Raises ClaimsiftError where columns are asked for that cannot be read or written."""
    if options.title_column and options.unit == "sentence":
        raise ClaimsiftError("--title-column is for articles; leave it out, or leave out --unit sentence")
    if options.keep and format not in ("jsonl", "csv", "parquet"):
        raise ClaimsiftError(f"--keep needs columns, which {format} has not; choose --format jsonl, csv or parquet")
    taken = [column for column in options.keep if column in COLUMNS]
    if taken:
        raise ClaimsiftError(f"--keep {taken[0]}: the output has a column of that name; rename that of the input")


def print_failure(error: InputError) -> None:
    print(f"claimsift: {error}", file=sys.stderr)


def check_files(options: argparse.Namespace) -> None:
    """Raises ClaimsiftError where a file cannot be written, or would be written twice or over an input."""
    written = {os.path.realpath(path): path for path in (options.output, options.errors) if path}
    taken = {os.path.realpath(given) for given in options.inputs if Path(given).is_file()}
    for target, path in written.items():
        if target in taken:
            raise ClaimsiftError(f"{path}: is an input too; choose another file to write")
    if options.output and options.errors and len(written) == 1:
        raise ClaimsiftError(f"{options.errors}: cannot take both the output and the errors; choose two files")
    if options.errors and (options.errors.is_dir() or not options.errors.absolute().parent.is_dir()):
        raise ClaimsiftError(f"{options.errors}: cannot be written; name a file in a folder that is there")


def output_format(options: argparse.Namespace) -> str:
    if options.format:
        return options.format
    by_suffix = {suffix: format for format, suffix in SUFFIXES.items()}
    suffix = Path(options.output).suffix.lower() if options.output else SUFFIXES["text"]
    if suffix not in by_suffix:
        raise ClaimsiftError(
            f"{options.output}: no format has this suffix; choose one with --format {'|'.join(FORMATS)}"
        )
    return by_suffix[suffix]


@contextlib.contextmanager
def progress_bar(reader: ArticleReader, files: list[tuple[str, Path]]) -> Iterator[Callable[[list], None]]:
    """Shows share, rate and time left on standard error, where that is a terminal; the share is that of bytes read."""
    if not sys.stderr.isatty():
        yield lambda sentences: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[sentences]:,} sentences, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    total = sum(path.stat().st_size for _, path in files if path.is_file()) or None
    started, count = time.monotonic(), 0
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("score", total=total, sentences=0, rate=0.0)

        def advance(sentences: list) -> None:
            nonlocal count
            count += len(sentences)
            rate = count / max(1e-3, time.monotonic() - started)
            progress.update(task, completed=reader.bytes_read, sentences=count, rate=rate)

        yield advance
