"""Scoring on Ray: files are read in parallel, and a pool of workers scores them piece by piece, each into a part.

A piece is a run of articles, and of failures to read one, as they follow each other in the input. It names its part, so
that one which is scored again, since the worker died, replaces what there may be of it; and pieces are named in order.
"""

import contextlib
import json
import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from claimsift.archive import cannot_be_written, replacing, write_failures
from claimsift.articles import STANDARD_INPUT, Article, ArticleReader
from claimsift.articles.rows import to_json
from claimsift.backends import load_backend
from claimsift.errors import ClaimsiftError, InputError, InputNotice, without_controls
from claimsift.hub import resolve_model, weights_sha256
from claimsift.output.parquet import ParquetWriter
from claimsift.output.rows import as_text
from claimsift.predict import UNITS, Predictor, ScoredSentence
from claimsift.score import print_failure, progress_bar

try:
    import pyarrow
    import ray
    import ray.data
except ImportError:
    raise ClaimsiftError("scoring on Ray needs Ray; run: pip install 'claimsift[ray]'") from None

# Text that is scored as one: half a minute's work of a core, so that parts are not too small; less where the job is
# small, so that there is work for all workers until the end.
LARGEST_PIECE, SMALLEST_PIECE = 8 * 2**20, 64 * 2**10
PIECES_PER_WORKER = 8
MOST_READERS = 4096  # tasks that files are shared out to, however many there are
READING_CPUS = 0.1  # the share of a core that a task which reads is given, and that each worker leaves for one
# What a worker is given at a time, the piece in work included. With more, one would work on while others are done.
PIECES_ON_CPU, PIECES_ON_GPU = 1, 2
ATTEMPTS = 4  # at a piece whose workers die: that may be the fault of their machine, or of the piece

FILE = pyarrow.schema(
    {
        "number": pyarrow.int64(),
        "name": pyarrow.binary(),  # it need not be UTF-8
        "path": pyarrow.binary(),
        "reason": pyarrow.string(),  # why there is no such file, if that is known
    }
)
ARTICLE = pyarrow.struct(
    {
        "id": pyarrow.string(),
        "text": pyarrow.string(),
        "title": pyarrow.string(),
        "context": pyarrow.binary(),  # unlike a text, it may hold half of a surrogate pair
        "kept": pyarrow.string(),  # JSON
    }
)
FAILURES = pyarrow.list_(
    pyarrow.struct({"place": pyarrow.string(), "reason": pyarrow.string(), "is_notice": pyarrow.bool_()})
)
PIECE = pyarrow.schema(
    {
        "part": pyarrow.string(),
        "articles": pyarrow.list_(ARTICLE),
        "failures": FAILURES,
        "bytes": pyarrow.int64(),  # of the files, read for it
    }
)
DONE = pyarrow.schema(
    {
        "part": pyarrow.string(),
        "sentences": pyarrow.int64(),
        "failures": FAILURES,
        "bytes": pyarrow.int64(),
        "error": pyarrow.string(),  # why the job cannot go on
    }
)


def score_with_ray(
    inputs: Iterable[str],
    output: str | Path,
    *,
    model: str | Path | None = None,
    revision: str | None = None,
    device: str = "auto",
    backend: str = "auto",
    unit: str = "article",
    text_column: str = "text",
    id_column: str | None = None,
    title_column: str | None = None,
    keep: Iterable[str] = (),
    skip_furniture: bool = False,
    workers: int | None = None,
    errors: str | Path | None = None,
    exclude: frozenset[Path] = frozenset(),
) -> int:
    """Scores articles on Ray into a folder of Parquet files, with the rows that ``claimsift score`` gives without Ray.

    Read in the order of their names, the files hold the rows in the order of the input. They are written to a folder
    beside ``output``, called like it with ``.part`` behind, which takes the name of ``output`` when all are there and
    is removed when the job fails. A job that was killed has to begin anew. Failures are reported at the end.

    Where Ray is running, it is used: the one that this process is connected to, else that of the variable
    ``RAY_ADDRESS``. Otherwise one is started on this machine for as long as the job takes. In a cluster, all machines
    must see inputs and output under the same paths, and need claimsift and the model: the shipped one comes with
    claimsift, a folder must be there under the same path, and a Hub id is fetched where it is not.

    Args:
        inputs: files, folders and globs; not standard input, which other processes cannot read.
        output: the folder, which must be empty or not be there yet.
        model: as for :meth:`~claimsift.predict.Predictor.from_pretrained`, like ``revision``, ``device`` and
            ``backend``; the device ``auto`` takes the cluster's GPUs where there are some that the model runs on.
        unit: ``article``, or ``sentence`` where each text is one sentence already.
        text_column: the column of a row that holds the article.
        id_column: the column that names it.
        title_column: the column of a row that holds the article's title.
        keep: columns that each row of the output repeats, as text.
        skip_furniture: whether page furniture gets no row.
        workers: how many copies of the model run: by default, and at most, one for each GPU, or on CPUs one for each
            core. Fewer of them have several cores each.
        errors: a file to write the failures to, as JSON lines.
        exclude: resolved paths of files and folders that folders and globs are read without.

    Returns:
        The number of inputs that failed.

    Raises:
        ClaimsiftError: wrong usage, no model, an output that cannot be written, or Ray gave up.
    """
    inputs, output = list(inputs), Path(output).resolve()
    if unit not in UNITS:
        raise ValueError(f"unknown unit {unit!r}; choose from {', '.join(UNITS)}")
    if STANDARD_INPUT in inputs:
        raise ClaimsiftError("-: standard input cannot be shared out by Ray; name files, or leave out --engine ray")
    folder = resolve_model(model, revision).resolve()
    reader = ArticleReader(exclude=exclude)
    files = _list_files(reader, inputs)
    failures: dict[str, list[dict]] = {}
    started, sentences = time.monotonic(), 0
    with _unfinished(output) as unfinished, _connected():
        job = Job(
            unfinished,
            folder,
            model,
            revision,
            weights_sha256(folder),
            backend,
            unit,
            text_column,
            id_column,
            title_column,
            tuple(keep),
            skip_furniture,
        )
        pool = _choose_pool(job, device, workers)
        paths = [("", Path(os.fsdecode(file["path"]))) for file in files]
        with progress_bar(reader, paths) as progress, contextlib.closing(_run(files, job, pool)) as answers:
            for done in answers:
                if done["error"]:
                    raise ClaimsiftError(done["error"])
                failures[done["part"]] = done["failures"]
                sentences += done["sentences"]
                reader.bytes_read += done["bytes"]
                progress(range(done["sentences"]))
        if not any(unfinished.iterdir()):  # who reads the folder shall find the columns even then
            _write_part(job, _part_name(0, 0), [])
    _rename(unfinished, output)
    failed = _report([failure for part in sorted(failures) for failure in failures[part]], errors)
    seconds = time.monotonic() - started
    print(
        f"claimsift: {sentences} sentences in {seconds:.1f} s, {len(failed)} inputs failed; "
        f"the rows are in {without_controls(str(output))}",
        file=sys.stderr,
    )
    return len(failed)


@dataclass(frozen=True)
class Job:
    """What the tasks on all machines have to know."""

    folder: Path  # for the parts
    model_folder: Path  # on the machine that the job was started on
    model: str | Path | None  # as it was given, like the revision
    revision: str | None
    weights: dict[str, str]
    backend: str
    unit: str
    text_column: str
    id_column: str | None
    title_column: str | None
    keep: tuple[str, ...]
    skip_furniture: bool

    def model_here(self) -> Path:
        """Returns the model's folder on this machine, perhaps another than the job was started on."""
        return self.model_folder if self.model_folder.exists() else resolve_model(self.model, self.revision)


@dataclass(frozen=True)
class Pool:
    """How many workers there are, and what each is given: some cores, and a GPU if the device is one."""

    device: str
    workers: int
    cores: int = 1


class Worker:
    """A copy of the model in a process of its own.

    What it cannot do, it says in its answer; an exception would come out among pages of Ray's own.
    """

    def __init__(self, job: Job, pool: Pool):
        self._job = job
        self._error = None
        try:
            self._predictor = self._load(pool)
        except ClaimsiftError as error:
            self._error = str(error)

    def _load(self, pool: Pool) -> Predictor:
        folder = self._job.model_here()
        if weights_sha256(folder) != self._job.weights:
            raise ClaimsiftError(f"{folder}: is another model on {platform.node()}; put the same on every machine")
        if pool.device == "cuda":
            return Predictor.from_pretrained(folder, device=pool.device, backend=self._job.backend)
        # The tokenizer and torch read these when they start their threads.
        os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(pool.cores)
        return Predictor.from_pretrained(folder, device="cpu", backend=self._job.backend, threads=pool.cores)

    def __call__(self, pieces: pyarrow.Table) -> pyarrow.Table:
        """Scores the pieces of a table of :data:`PIECE`; returns a table of :data:`DONE`."""
        return pyarrow.Table.from_pylist([self._do(piece) for piece in pieces.to_pylist()], DONE)

    def _do(self, piece: dict) -> dict:
        done = {**piece, "sentences": 0, "error": self._error}
        if piece["articles"] and not self._error:
            try:
                done["sentences"] = self._score(piece["part"], piece["articles"])
            except ClaimsiftError as error:
                done["error"] = str(error)
            except OSError as error:
                reason = error.strerror or error
                done["error"] = f"{self._job.folder}: cannot be written on {platform.node()} ({reason})"
        return done

    def _score(self, part: str, rows: list[dict]) -> int:
        attempts = (self._job.folder / part).with_suffix(".attempts")  # Ray itself would try for ever
        with attempts.open("ab") as stream:
            stream.write(b".")
            if stream.tell() > ATTEMPTS:
                raise ClaimsiftError(
                    f"{rows[0]['id']}: this article, or one of the {len(rows) - 1} behind it, killed {ATTEMPTS} "
                    "workers; give them more memory, or leave it out"
                )
        articles = [
            Article(
                row["id"], row["text"], json.loads(row["kept"]) | {"context": _decoded(row["context"])}, row["title"]
            )
            for row in rows
        ]
        scored = self._predictor.score_articles(articles, self._job.unit)
        written = _write_part(self._job, part, zip(articles, scored, strict=True))
        attempts.unlink(missing_ok=True)
        return written


class PieceCutter:
    """Collects what is read until it is enough for a piece."""

    def __init__(self, first_file: int, keep: tuple[str, ...]):
        self._first_file, self._keep = first_file, keep
        self._pieces = self.characters = self.bytes = 0
        self._articles: list[dict] = []
        self._failures: list[dict] = []

    def add(self, article: Article) -> None:
        context = _encoded(article.metadata.get("context"))
        kept = to_json({column: as_text(article.metadata.get(column)) for column in self._keep})
        row = {"id": article.id, "text": article.text, "title": article.title, "context": context, "kept": kept}
        self._articles.append(row)
        self.characters += len(article.text)

    def add_failure(self, error: InputError) -> None:
        place = error.place.encode("utf-8", "replace").decode()  # a folder's name need not be UTF-8
        is_notice = isinstance(error, InputNotice)
        self._failures.append({"place": place, "reason": error.reason, "is_notice": is_notice})

    def cut(self) -> pyarrow.Table:
        """Returns a table of :data:`PIECE` with one row, and begins the next."""
        part = _part_name(self._first_file, self._pieces)
        piece = {"part": part, "articles": self._articles, "failures": self._failures, "bytes": self.bytes}
        self._articles, self._failures, self.characters, self.bytes = [], [], 0, 0
        self._pieces += 1
        return pyarrow.Table.from_pylist([piece], PIECE)


def read_pieces(files: pyarrow.Table, job: Job, piece_characters: int) -> Iterator[pyarrow.Table]:
    """Reads the files of a table of :data:`FILE`; yields tables of :data:`PIECE`."""
    cutter = PieceCutter(files["number"][0].as_py(), job.keep)
    for file in files.to_pylist():
        name, path = os.fsdecode(file["name"]), Path(os.fsdecode(file["path"]))
        if file["reason"]:
            cutter.add_failure(InputError(name, file["reason"]))
            continue
        reader = ArticleReader(
            job.text_column,
            job.id_column,
            job.unit == "sentence",
            cutter.add_failure,
            title_column=job.title_column,
            keep=job.keep,
            on_notice=cutter.add_failure,
        )
        bytes_before = 0
        for article in reader.read_file(name, path):
            cutter.add(article)
            if cutter.characters >= piece_characters:
                cutter.bytes, bytes_before = cutter.bytes + reader.bytes_read - bytes_before, reader.bytes_read
                yield cutter.cut()
        cutter.bytes += reader.bytes_read - bytes_before
    yield cutter.cut()


def _part_name(first_file: int, piece: int) -> str:
    return f"part-{first_file:07}-{piece:07}.parquet"


def _encoded(context: object) -> bytes | None:
    return context.encode("utf-8", "surrogatepass") if isinstance(context, str) else None


def _decoded(context: bytes | None) -> str | None:
    return None if context is None else context.decode("utf-8", "surrogatepass")


def _write_part(job: Job, part: str, scored: Iterable[tuple[Article, list[ScoredSentence]]]) -> int:
    """Returns how many sentences were written."""
    written = 0
    with replacing(job.folder / part) as stream:
        writer = ParquetWriter(stream, job.keep, job.skip_furniture)
        for article, sentences in scored:
            writer.write(article, sentences)
            written += len(sentences)
        writer.close()
    return written


def _run(files: list[dict], job: Job, pool: Pool) -> Iterator[dict]:
    """Yields a row of :data:`DONE` for each piece, as they are done."""
    if not files:
        return
    sizes = [_size(file) for file in files]
    piece_bytes = min(max(sum(sizes) // (pool.workers * PIECES_PER_WORKER), SMALLEST_PIECE), LARGEST_PIECE)
    groups = _groups(sizes, max(piece_bytes, sum(sizes) // MOST_READERS))
    listed = ray.data.from_arrow([pyarrow.Table.from_pylist(files[group], FILE) for group in groups])
    listed.context.enable_progress_bars = listed.context.print_on_execution_start = False
    listed.context.target_max_block_size = 1  # every piece by itself, as soon as it is read
    # With the same resources Ray would join this step to the next, and leave a file to the worker that reads it.
    pieces = listed.map_batches(
        read_pieces, batch_size=None, batch_format="pyarrow", fn_args=(job, piece_bytes), num_cpus=READING_CPUS
    )
    done = pieces.map_batches(
        Worker, batch_size=1, batch_format="pyarrow", fn_constructor_args=(job, pool), **_resources(pool)
    )
    with _quiet():
        try:
            for table in done.iter_batches(batch_size=None, batch_format="pyarrow"):
                yield from table.to_pylist()
        except ray.exceptions.RayTaskError:  # a bug of ours, which its traceback tells more about
            raise
        except ray.exceptions.RayError as error:
            raise ClaimsiftError(f"Ray gave up ({str(error).splitlines()[0]}); its logs may say more") from error


def _size(file: dict) -> int:
    try:
        return os.stat(file["path"]).st_size
    except OSError:  # it is reported when the file is to be read
        return 0


def _groups(sizes: list[int], group_bytes: int) -> Iterator[slice]:
    """Yields runs of files that one task reads, of so many bytes or one file each."""
    start = held = 0
    for index, size in enumerate(sizes):
        if index > start and held + size > group_bytes:
            yield slice(start, index)
            start, held = index, 0
        held += size
    yield slice(start, len(sizes))


def _resources(pool: Pool) -> dict:
    on_gpu = pool.device == "cuda"
    # A pool that begins before it is whole also works on a cluster that others use, or that is still growing.
    compute = ray.data.ActorPoolStrategy(
        min_size=1,
        initial_size=pool.workers,
        max_size=pool.workers,
        max_tasks_in_flight_per_actor=PIECES_ON_GPU if on_gpu else PIECES_ON_CPU,
    )
    # By itself, Ray would give a worker on a GPU a whole core too, and where cores are few none would be left to read.
    return {"compute": compute, "num_cpus": pool.cores - READING_CPUS, "num_gpus": 1 if on_gpu else None}


def _choose_pool(job: Job, device: str, workers: int | None) -> Pool:
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = sum(int(node.get("GPU", 0)) for node in nodes)
    if device == "cuda" and not gpus:
        raise ClaimsiftError("no machine in the Ray cluster has a GPU; choose --device cpu or auto")
    if device == "auto":
        device = ray.get(ray.remote(num_gpus=1)(_device_here).remote(job)) if gpus else "cpu"
    if device == "cuda":
        return Pool(device, min(workers or gpus, gpus))
    cores = [int(node.get("CPU", 0)) for node in nodes]
    if not any(cores):
        raise ClaimsiftError("no machine in the Ray cluster has a CPU to score on; start Ray with --num-cpus")
    workers = min(workers or sum(cores), sum(cores))
    # The most cores with which all workers find a place, since none can have cores of two machines.
    fitting = (each for each in range(max(cores), 0, -1) if sum(node // each for node in cores) >= workers)
    return Pool(device, workers, next(fitting))


def _device_here(job: Job) -> str:
    """Whether the model runs on a GPU of the cluster can only be tried there."""
    try:
        return load_backend(job.model_here(), job.backend).device
    except ClaimsiftError:  # a worker will say what is wrong
        return "cpu"


def _list_files(reader: ArticleReader, inputs: list[str]) -> list[dict]:
    """Returns rows of :data:`FILE`, in the order of the inputs; one with a reason for an input without a file."""
    return [
        {
            "number": number,
            "name": os.fsencode(name),
            "path": os.fsencode(os.path.abspath(path)),
            "reason": error and error.reason,
        }
        for number, (name, path, error) in enumerate(reader.find(inputs))
    ]


@contextlib.contextmanager
def _unfinished(output: Path) -> Iterator[Path]:
    """Makes the folder that is written in place of the output, and removes it on an error."""
    unfinished = output.with_name(output.name + ".part")
    try:
        if output.exists() and not output.is_dir():
            raise ClaimsiftError(f"{output}: is a file; name a folder to write")
        if output.exists() and any(output.iterdir()):
            raise ClaimsiftError(f"{output}: is a folder with files in it; name an empty one, or a new one")
        unfinished.mkdir()
    except FileExistsError:
        raise ClaimsiftError(f"{unfinished}: another job writes it, or was killed; wait for it, or remove it") from None
    except OSError as error:
        raise cannot_be_written(output, error) from error
    try:
        yield unfinished
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _rename(unfinished: Path, output: Path) -> None:
    try:
        unfinished.replace(output)
    except OSError as error:
        reason = error.strerror or error
        raise ClaimsiftError(f"{output}: cannot be written ({reason}); all rows are in {unfinished}") from error


def _report(told: list[dict], errors: str | Path | None) -> list[InputError]:
    """Prints failures and notices as they followed each other; returns the failures."""
    failed = []
    for one in told:
        error = InputError(one["place"], one["reason"])
        print_failure(error)
        if not one["is_notice"]:
            failed.append(error)
    if errors:
        write_failures(Path(errors), (error.record for error in failed))
    return failed


@contextlib.contextmanager
def _connected() -> Iterator[None]:
    """Uses the Ray that is running, or one that runs for as long as this takes."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what is scored here is nobody else's business
    try:
        ray.init(log_to_driver=False, logging_level=logging.CRITICAL, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClaimsiftError(f"Ray cannot be started or reached ({error}); see to RAY_ADDRESS") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leaves what Ray Data has to say to its log file."""
    consoles = [one for one in logging.getLogger("ray.data").handlers if isinstance(one, logging.StreamHandler)]
    levels = [console.level for console in consoles]
    for console in consoles:
        console.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for console, level in zip(consoles, levels, strict=True):
            console.setLevel(level)
