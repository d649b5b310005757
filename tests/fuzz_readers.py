"""Feeds the readers with spoilt files, for as long as it is told.

python tests/fuzz_readers.py --seconds 300

Each round takes a file of ``tests/corpus``, spoils it at random, in its packing or below it, and reads it. Whatever is
in a file, a reader may only yield articles or report an InputError. An input that breaks this is kept in the corpus as
``found-…``, which ``test_fuzz.py`` reads again for ever.
"""

import argparse
import gzip
import hashlib
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from claimsift.articles import ArticleReader
from claimsift.sentences import split_sentences

CORPUS = Path(__file__).parent / "corpus"
PACKINGS = {".gz": (gzip.compress, gzip.decompress), ".zst": (zstd.compress, zstd.decompress)}
# What files are made of, and what has broken readers elsewhere.
TOKENS = [
    *(b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\x0b", b"\x0c", b"\\", b"\\u", b"\\ud800"),
    *(b"\x00", b"\x1a", b"\x7f", b"\x80", b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc3", b"\xc2\x85"),
    *(b"\xed\xa0\x80", "\u2028\u200b\u202e\ufeff😀e\u0301".encode(), b"{", b"}", b"[", b"]", b":", b"null", b"NaN"),
    *(b"1e999", b"-" * 40, b"9" * 5000, b"[" * 2000, b'{"text": "One."}\n', b'"text"', b"text,id\n", b"PAR1"),
    *(b"<p>", b"</p>", b"<!--", b"]]>", b"&#0;", b"&#xD800;", b"<script>", b"<title>", b"\x1f\x8b\x08"),
    *(b"\x28\xb5\x2f\xfd", b"U.S. ", b'said. "', b"..."),
]
SECONDS_A_FILE = 20
MEMORY = 8 * 2**30


def check(path: Path) -> int:
    """Reads a file in all ways and returns how many errors were reported.

    Raises:
        AssertionError: an article, a sentence or an error is not as promised.
        Exception: any other that a reader lets out.
    """
    errors, notices = [], []
    for lines in (False, True):
        reader = ArticleReader(lines=lines, on_error=errors.append, on_notice=notices.append)
        for article in reader.read([str(path)]):
            article.id.encode()
            article.text.encode()
            end = 0
            for sentence in split_sentences(article.text):
                assert article.text[sentence.start : sentence.end] == sentence.text
                assert sentence.start >= end
                end = sentence.end
        assert reader.bytes_read == path.stat().st_size
    for error in errors + notices:
        assert error.place.startswith(str(path)), error
        assert len(str(error).splitlines()) == 1, error
    return len(errors)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, stop)
    unraisable = []
    sys.unraisablehook = unraisable.append
    randomly = random.Random(options.seed)
    corpus = {path: path.read_bytes() for path in sorted(CORPUS.iterdir())}
    end = time.monotonic() + options.seconds
    rounds, found = Counter(), set()
    with tempfile.TemporaryDirectory() as scratch:
        while time.monotonic() < end:
            seed, content = randomly.choice(list(corpus.items()))
            suffix = "".join(seed.suffixes)
            path = Path(scratch) / f"spoilt{suffix}"  # after a crash of the interpreter it is still there
            path.write_bytes(spoilt(content, seed.suffix, list(corpus.values()), randomly))
            outcome = read(path) or (f"{unraisable.pop().exc_type.__name__}, which was ignored" if unraisable else None)
            rounds[suffix] += 1
            if outcome not in found:
                found.add(outcome)
                keep(path, outcome)
    print(f"{sum(rounds.values()):,} files in {options.seconds:.0f} s: {dict(sorted(rounds.items()))}")
    print(f"{len(found - {None})} kinds of errors that should not be")
    return len(found - {None})


def read(path: Path) -> str | None:
    """Returns where and how reading goes wrong, if it does."""
    signal.alarm(SECONDS_A_FILE)
    try:
        check(path)
        return None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        trace = error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        return f"{type(error).__name__} in {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    finally:
        signal.alarm(0)


def keep(path: Path, outcome: str | None) -> None:
    if outcome:
        content = path.read_bytes()
        kept = CORPUS / f"found-{hashlib.sha256(content).hexdigest()[:8]}{''.join(path.suffixes)}"
        kept.write_bytes(content)
        print(f"{kept}: {outcome}", flush=True)


def spoilt(content: bytes, packing: str, others: list[bytes], randomly: random.Random) -> bytes:
    """Returns the content of a file with some changes, which lie below its packing in half of the cases."""
    if packing in PACKINGS and randomly.random() < 0.5:
        pack, unpack = PACKINGS[packing]
        try:
            return pack(mutated(unpack(content), others, randomly))
        except (EOFError, OSError, zstd.ZstdError):  # the file was meant to be damaged
            pass
    return mutated(content, others, randomly)


def mutated(content: bytes, others: list[bytes], randomly: random.Random) -> bytes:
    content = bytearray(content)
    for _ in range(randomly.choice((1, 1, 2, 4, 16))):
        start = randomly.randint(0, len(content))
        end = min(len(content), start + int(randomly.expovariate(1 / 8)))
        match randomly.randrange(6):
            case 0:
                content[start:end] = b""
            case 1:
                content[start:start] = randomly.choice(TOKENS)
            case 2:
                content[start:end] = randomly.randbytes(end - start)
            case 3:
                content[start:start] = content[start:end] * randomly.choice((1, 2, 100))
            case 4:
                other = randomly.choice(others)
                cut = randomly.randint(0, len(other))
                content[start:end] = other[cut : cut + 200]
            case 5:
                content[start:] = b"" if randomly.random() < 0.2 else content[start:]
    return bytes(content)


def stop(number: int, frame: object) -> None:
    raise TimeoutError(f"reading takes more than {SECONDS_A_FILE} s")


if __name__ == "__main__":
    sys.exit(main() > 0)
