"""Archives: output in parts, so that a job that was killed goes on where it stopped, and no row is lost or doubled.

The parts of a job lie in ``OUT.parts`` until the last is done and they are joined to ``OUT``; where ``OUT`` is a
folder, they lie in it and stay. Beside them, in ``_claimsift/``, which readers of such folders skip, ``job.json`` says
what the job is, and ``part-….json`` what a part covers. A part counts once that record is there, and is written first.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from claimsift.articles import Article
from claimsift.errors import ClaimsiftError, InputError
from claimsift.output import SUFFIXES, WRITERS
from claimsift.predict import ScoredSentence

REMEDIES = {
    errno.ENOENT: "make the folder it is to be in",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOSPC: "make room, and run the same command again",
    errno.EDQUOT: "make room, and run the same command again",
    errno.EFBIG: "allow larger files, and run the same command again",
}
PART_SENTENCES = 50_000  # half a minute's work on a CPU
RECORDS = "_claimsift"
DIGITS = 7  # of a part's number: readers put parts in the order of their names


class Job:
    """The output of one run of ``claimsift score``, part by part.

    Every article and every failure has a place in the input, the number of articles read before it. A part covers a
    range of places, and its record holds the failures of that range.

    Args:
        output: the file, or the folder, to write.
        is_folder: which of the two.
        format: one of :data:`~claimsift.output.FORMATS`.
        description: what must be the same for a job to go on; None for one that cannot, since its input is gone once
            it is read.
        part_sentences: how many sentences make a part: what a killed job loses at most.
        on_failure: called with each failure that is new.
        writer_options: for the format's writer.
    """

    def __init__(
        self,
        output: Path,
        is_folder: bool,
        format: str,
        description: dict | None = None,
        part_sentences: int = PART_SENTENCES,
        on_failure: Callable[[InputError], None] = lambda error: None,
        writer_options: dict | None = None,
    ):
        self.output = output
        self.is_folder = is_folder
        self.format = format
        self.description = description
        target = follow_link(output)
        self.folder = target if is_folder else target.with_name(target.name + ".parts")
        self.part_sentences = part_sentences
        self._on_failure = on_failure
        self._writer_options = writer_options or {}
        self._records: list[dict] = []
        self._failures: list[tuple[int, dict]] = []  # those of no finished part, with their place
        self._part: Part | None = None
        self._articles_read = 0
        self._finished = False

    @contextlib.contextmanager
    def opened(self) -> Iterator["Job"]:
        """Takes hold of the output and finds the parts that are there.

        Raises:
            ClaimsiftError: another job, now or before, writes there.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            if not (self.folder / RECORDS).exists() and any(self.folder.iterdir()):
                raise ClaimsiftError(f"{self.folder}: is a folder with other files in it; name an empty one, or a file")
            (self.folder / RECORDS).mkdir(exist_ok=True)
            with FileLock(self.folder / RECORDS / "lock", timeout=0):
                self._find_parts()
                try:
                    yield self
                finally:
                    with uninterrupted():
                        self._leave()
        except Timeout:
            raise ClaimsiftError(f"{self.output}: another job is writing it; wait for it, or stop it") from None
        except OSError as error:
            raise cannot_be_written(self.output, error) from error

    @property
    def articles_done(self) -> int:
        return self._records[-1]["articles"] if self._records else 0

    @property
    def _complete(self) -> bool:
        return bool(self._records) and self._records[-1]["last"]

    @property
    def failed(self) -> int:
        return len(self._failures) + sum(len(record["failures"]) for record in self._records)

    def still_to_do(self, articles: Iterator) -> Iterator:
        """Passes on the articles that no finished part covers; reads none where the parts cover all."""
        if self._complete:
            return
        for article in articles:
            self._articles_read += 1
            if self._articles_read > self.articles_done:
                yield article

    def add_failure(self, error: InputError) -> None:
        if self._articles_read >= self.articles_done:
            self._failures.append((self._articles_read, error.record))
            self._on_failure(error)

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        """Writes the next article, and closes the part with it if it is full."""
        with uninterrupted():
            self._write(article, sentences)

    def _write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        self._part = self._part or self._new_part()
        self._part.write(article, sentences)
        if self._part.sentences >= self.part_sentences:
            self._close_part()

    def finish(self, errors: Path | None = None) -> None:
        """Closes the last part, writes the failures to ``errors``, and joins the parts where the output is one file."""
        if not self._complete:
            with uninterrupted():
                self._part = self._part or self._new_part()
                self._close_part(last=True)
        if errors:
            write_failures(errors, (failure for record in self._records for failure in record["failures"]))
        if not self.is_folder:
            with replacing(self.output) as stream:
                WRITERS[self.format].join([self._path(number) for number in range(len(self._records))], stream)
        self._finished = True

    def _new_part(self) -> "Part":
        return Part(self._path(len(self._records)), self.format, self._writer_options)

    def _close_part(self, last: bool = False) -> None:
        articles = self.articles_done + self._part.articles
        record = {
            "articles": articles,  # since the start of the job
            "sentences": self._part.sentences,
            "last": last,
            "failures": [failure for place, failure in self._failures if last or place < articles],
        }
        self._failures = [] if last else [(place, failure) for place, failure in self._failures if place >= articles]
        self._part.close()
        with replacing(self._record_path(len(self._records))) as stream:
            stream.write(json.dumps(record).encode())
        self._records.append(record)
        self._part = None

    def _find_parts(self) -> None:
        path = self.folder / RECORDS / "job.json"
        if path.exists() and (self.is_folder or self.description is not None):
            self._check_same(json.loads(path.read_text(encoding="utf-8")))
        elif path.exists():
            self._forget_records(since=0)
        while self._record_path(len(self._records)).exists() and self._path(len(self._records)).exists():
            self._records.append(json.loads(self._record_path(len(self._records)).read_text(encoding="utf-8")))
        self._forget_records(since=len(self._records))  # of a job that was killed while it cleaned up
        with replacing(path) as stream:
            stream.write(json.dumps(self.description).encode())

    def _check_same(self, known: dict | None) -> None:
        ours = json.loads(json.dumps(self.description))
        if known is None or ours is None:
            raise ClaimsiftError(f"{self.folder}: holds other output; remove it, or choose another name")
        differing = [name for name in ours if known.get(name) != ours[name]]
        if differing:
            raise ClaimsiftError(
                f"{self.folder}: holds parts of a job with other {', '.join(differing)}; run that one to its end, "
                "remove the folder, or choose another output"
            )

    def _leave(self) -> None:
        """Leaves behind what the same job can go on with, and nothing else."""
        if self._part and self._part.is_whole and self._part.sentences:
            with contextlib.suppress(OSError):
                self._close_part()
        if self._part:
            self._part.discard()
        if self.is_folder:
            if not self._records:
                shutil.rmtree(self.folder / RECORDS, ignore_errors=True)
        elif self._finished or not self._records:
            # The parts first, since a folder of parts without records is not taken for ours.
            for path in self.folder.glob("part-*"):
                path.unlink()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _forget_records(self, since: int) -> None:
        for path in (self.folder / RECORDS).glob("part-*.json"):
            if int(path.stem.removeprefix("part-")) >= since:
                path.unlink()

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:0{DIGITS}}{SUFFIXES[self.format]}"

    def _record_path(self, number: int) -> Path:
        return self.folder / RECORDS / f"part-{number:0{DIGITS}}.json"


class Part:
    """A part while it is written; the file appears under its name only once it is whole."""

    def __init__(self, path: Path, format: str, writer_options: dict):
        self._path = path
        self._unfinished = path.parent / RECORDS / (path.name + ".part")
        self._stream = self._unfinished.open("wb")
        self._writer = WRITERS[format](self._stream, **writer_options)
        self.articles = self.sentences = 0
        self.is_whole = True  # no article was written in part

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        self.is_whole = False
        self._writer.write(article, sentences)
        self.articles += 1
        self.sentences += len(sentences)
        self.is_whole = True

    def close(self) -> None:
        self.is_whole = False
        self._writer.close()
        _sync(self._stream)
        self._stream.close()
        self._unfinished.replace(self._path)

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written cannot now either
            self._stream.close()
        self._unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears under its name, in place of an older one, only once it is whole.

    What is no ordinary file is written to as it is; of a link, what it leads to is replaced.
    """
    if is_special(path):
        with path.open("wb") as stream:
            yield stream
        return
    path = follow_link(path)
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("wb") as stream:
            yield stream
            _sync(stream)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Puts off Ctrl-C and SIGTERM until what is begun here is whole."""
    if threading.current_thread() is not threading.main_thread():  # only that one is ever interrupted
        yield
        return
    caught = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in handlers:
        signal.signal(number, lambda number, frame: caught.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in caught:
            signal.raise_signal(number)


def is_special(path: Path) -> bool:
    """Whether this is a device or a pipe, in whose place no file must be put, or a link to what has no name."""
    target = Path(os.path.realpath(path))
    return path.exists() and not (target.is_file() or target.is_dir())


def follow_link(path: Path) -> Path:
    """Returns where a link leads, which must not be replaced itself (it may be /dev/stdout); another path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def write_failures(path: Path, records: Iterable[dict]) -> None:
    """Writes the records of :class:`~claimsift.errors.InputError` as JSON lines.

    Raises:
        ClaimsiftError: the file cannot be written.
    """
    try:
        with replacing(path) as stream:
            stream.writelines(f"{json.dumps(record, ensure_ascii=False)}\n".encode() for record in records)
    except OSError as error:
        raise cannot_be_written(path, error) from error


def cannot_be_written(path: Path | str, error: OSError) -> ClaimsiftError:
    remedy = REMEDIES.get(error.errno, "choose another name or place")
    return ClaimsiftError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")


def _sync(stream: BinaryIO) -> None:
    """Brings the content to the disk before its name is there: after a power cut no name must lack its content."""
    stream.flush()
    os.fsync(stream.fileno())
