import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from conftest import ROOT, Instant

from claimsift import archive as archives
from claimsift import cli

KILLS = 20


@pytest.fixture
def archive(write_jsonl):
    """Articles of 0 to 3 sentences, with rows between them that cannot be read, at both ends too."""
    rows = [{"text": 3}]
    for number in range(30):
        rows.append({"id": f"a{number}", "text": "\n".join(f"Sentence {number}.{line}" for line in range(number % 4))})
        if number % 7 == 0:
            rows.append("{")
    return write_jsonl("archive.jsonl", [*rows, {"text": None}, "["])


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C at the 16th article, until it is switched off."""
    whole, state = Instant.score_articles, {"on": True}

    def half(self, articles, unit):
        for number, sentences in enumerate(whole(self, articles, unit)):
            if number == 15 and state["on"]:
                raise KeyboardInterrupt
            yield sentences

    monkeypatch.setattr(Instant, "score_articles", half)
    return state


def run(archive, *options):
    arguments = ["score", str(archive), "--errors", str(archive.parent / "errors.jsonl"), "--part-sentences", "5"]
    return cli.main([*arguments, *map(str, options)])


def results(folder, output):
    """All that a job leaves behind, and that no more than that is left."""
    left = sorted(path.name for path in folder.iterdir())
    return {name: (folder / name).read_bytes() for name in (output, "errors.jsonl")}, left


@pytest.mark.parametrize(
    ("format", "suffix"), [("jsonl", ".jsonl"), ("csv", ".csv"), ("text", ".txt"), ("html", ".html")]
)
def test_parts_make_the_file_that_a_stream_makes(archive, instant, capfdbinary, format, suffix):
    output = archive.parent / f"out{suffix}"
    assert run(archive, "-o", output) == 3
    capfdbinary.readouterr()
    assert run(archive, "--format", format) == 3
    assert output.read_bytes() == capfdbinary.readouterr().out


def test_parquet_holds_what_jsonl_holds_in_a_file_and_in_a_folder(archive, instant):
    folder = archive.parent
    run(archive, "-o", folder / "out.jsonl")
    run(archive, "-o", folder / "out.parquet")
    run(archive, "-o", f"{folder / 'out'}/", "--format", "parquet")
    expected = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert pyarrow.parquet.read_table(folder / "out.parquet").to_pylist() == expected
    assert pyarrow.parquet.read_table(folder / "out").to_pylist() == expected
    assert len(list((folder / "out").glob("part-*.parquet"))) > 5


def test_a_job_that_dies_at_any_change_of_a_folder_ends_with_the_same_rows(archive, instant, tmp_path):
    run(archive, "-o", tmp_path / "out.jsonl")
    expected = results(tmp_path, "out.jsonl")
    deaths = 0
    for before in (True, False):
        for nth in range(1, 100, 2):
            (tmp_path / "out.jsonl").unlink()
            (tmp_path / "errors.jsonl").unlink()
            deaths += dies(lambda: run(archive, "-o", tmp_path / "out.jsonl"), nth, before)
            assert run(archive, "-o", tmp_path / "out.jsonl") == 3
            assert results(tmp_path, "out.jsonl") == expected
    assert deaths > 40


def dies(job, nth, before):
    """Runs a job in a process that ends at once, before or after it makes, renames or removes a file the nth time."""
    child = os.fork()
    if child == 0:
        count = 0

        def dying(action):
            def act(*arguments, **options):
                nonlocal count
                count += 1
                if count == nth and before:
                    os._exit(9)
                result = action(*arguments, **options)
                if count == nth:
                    os._exit(9)
                return result

            return act

        for owner, name in ((Path, "replace"), (Path, "unlink"), (os, "unlink"), (os, "rmdir"), (os, "mkdir")):
            setattr(owner, name, dying(getattr(owner, name)))
        try:
            job()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_a_job_killed_again_and_again_ends_with_the_same_rows(tmp_path, write_jsonl):
    rows = [{"text": f"The ministry denied case {n}. Police said {n} men were held. It rained."} for n in range(600)]
    archive = write_jsonl("archive.jsonl", [*rows[:300], {"body": "x"}, *rows[300:]])
    command = [sys.executable, "-m", "claimsift.cli", "score", str(archive), "--part-sentences", "60"]
    command += ["-o", str(tmp_path / "out.jsonl"), "--errors", str(tmp_path / "errors.jsonl")]
    assert subprocess.run(command, capture_output=True).returncode == 3
    expected = results(tmp_path, "out.jsonl")
    assert len(expected[0]["out.jsonl"].splitlines()) == 1800

    randomly = random.Random(4)
    kills = 0
    while kills < KILLS:
        (tmp_path / "out.jsonl").unlink()
        (tmp_path / "errors.jsonl").unlink()
        while not (tmp_path / "out.jsonl").exists():
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            # In most runs long enough to have scored a part, the rest to meet it in loading and cleaning up too.
            until_parts_grow(tmp_path / "out.jsonl.parts", process, randomly.random() < 0.8)
            time.sleep(randomly.uniform(0, 0.3))
            kills += process.poll() is None
            process.kill()
            process.wait()
        subprocess.run(command, stderr=subprocess.DEVNULL)
        assert results(tmp_path, "out.jsonl") == expected


def until_parts_grow(folder, process, wait):
    def count():
        return len(list(folder.glob("part-*"))) if folder.exists() else 0

    before = count()
    while wait and process.poll() is None and count() == before:
        time.sleep(0.01)


def test_a_job_goes_on_and_does_not_score_again(archive, instant, interrupted, monkeypatch, capsys):
    output = archive.parent / "out.jsonl"
    assert run(archive, "-o", output) == 130
    assert "goes on when the same command is run again" in capsys.readouterr().err
    assert not output.exists()

    interrupted["on"] = False
    whole, scored = Instant.score_articles, []

    def counted(self, articles, unit):
        for sentences in whole(self, articles, unit):
            scored.append(sentences)
            yield sentences

    monkeypatch.setattr(Instant, "score_articles", counted)
    assert run(archive, "-o", output) == 3
    assert "going on after" in capsys.readouterr().err
    assert 15 <= len(scored) < 20
    assert len(output.read_text().splitlines()) == sum(number % 4 for number in range(30))


def test_a_job_goes_on_beyond_the_number_that_fills_the_digits(archive, instant, interrupted, monkeypatch):
    monkeypatch.setattr(archives, "DIGITS", 1)
    folder = archive.parent / "out"
    one_by_one = ["-o", f"{folder}/", "--format", "jsonl", "--part-sentences", "1"]
    assert run(archive, *one_by_one) == 130
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("part-*")}
    assert {"part-9.json", "part-9.jsonl", "part-10.json", "part-10.jsonl"} < {path.name for path in before}
    interrupted["on"] = False
    assert run(archive, *one_by_one) == 3
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("part-*")}
    assert before.items() < after.items()


def test_parts_of_another_job_are_not_mixed_in(archive, instant, monkeypatch, capsys):
    output = archive.parent / "out"
    assert run(archive, "-o", f"{output}/", "--format", "csv") == 3
    archive.write_text(archive.read_text() + '{"text": "One more."}\n')
    assert run(archive, "-o", f"{output}/", "--format", "csv") == 1
    assert "parts of a job with other inputs" in capsys.readouterr().err
    shutil.rmtree(output)
    assert run(archive, "-o", f"{output}/", "--format", "csv") == 3


def test_a_finished_folder_is_left_as_it_is(archive, instant):
    output = archive.parent / "out"
    run(archive, "-o", f"{output}/", "--format", "jsonl")
    before = {path: path.stat().st_mtime_ns for path in output.glob("part-*")}
    assert run(archive, "-o", f"{output}/", "--format", "jsonl") == 3
    assert {path: path.stat().st_mtime_ns for path in output.glob("part-*")} == before


def test_two_jobs_do_not_write_one_output(archive, instant, capsys):
    from filelock import FileLock

    records = archive.parent / "out.jsonl.parts" / "_claimsift"
    records.mkdir(parents=True)
    with FileLock(records / "lock"):
        assert run(archive, "-o", archive.parent / "out.jsonl") == 1
    assert "another job is writing it" in capsys.readouterr().err


def test_a_folder_with_other_files_is_refused(archive, instant, capsys):
    assert run(archive, "-o", archive.parent, "--format", "csv") == 1
    assert "a folder with other files" in capsys.readouterr().err
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]


def test_output_in_the_input_folder_is_not_read(tmp_path, instant):
    shutil.copy(ROOT / "examples" / "ferry.txt", tmp_path)
    for _ in range(2):
        assert cli.main(["score", str(tmp_path), "-o", str(tmp_path / "out.jsonl")]) == 0
        ids = {json.loads(line)["article_id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()}
        assert ids == {"ferry.txt"}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_followed_and_stays_a_link(archive, instant, interrupted, tmp_path, capsys, is_there):
    real = tmp_path / "real"
    real.mkdir()
    for name in ("out", "errors"):
        (tmp_path / f"{name}.jsonl").symlink_to(tmp_path / f"{name}.link")  # a link to a link
        (tmp_path / f"{name}.link").symlink_to(real / f"{name}.jsonl")
        if is_there:
            (real / f"{name}.jsonl").write_text("old")
    links = {path: path.readlink() for path in tmp_path.iterdir() if path.is_symlink()}
    assert run(archive, "-o", tmp_path / "out.jsonl") == 130
    assert (real / "out.jsonl.parts").is_dir()
    interrupted["on"] = False
    assert run(archive, "-o", tmp_path / "out.jsonl") == 3
    told = capsys.readouterr().err
    assert "going on after" in told and f"the rows are in {tmp_path / 'out.jsonl'}" in told
    assert {path: path.readlink() for path in tmp_path.iterdir() if path.is_symlink()} == links
    assert sorted(path.name for path in real.iterdir()) == ["errors.jsonl", "out.jsonl"]
    assert len((real / "out.jsonl").read_text().splitlines()) == sum(number % 4 for number in range(30))
    assert len((real / "errors.jsonl").read_text().splitlines()) == 8


@pytest.mark.parametrize("kind", ["file", "file without a name", "pipe"])
def test_a_link_to_standard_output_stays_and_its_rows_arrive(tmp_path, kind):
    (tmp_path / "a.txt").write_text("The army denied it.\n")
    link = tmp_path / "stdout"  # what /dev/stdout is, where it does no harm
    link.symlink_to("/proc/self/fd/1")
    command = [sys.executable, "-m", "claimsift.cli", "score", str(tmp_path / "a.txt")]
    command += ["-o", str(link), "--format", "jsonl"]
    if kind == "pipe":
        done = subprocess.run(command, capture_output=True)
        written = done.stdout
    elif kind == "file":
        with (tmp_path / "x").open("wb") as stream:
            done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE)
        written = (tmp_path / "x").read_bytes()
        (tmp_path / "x").unlink()
    else:
        with tempfile.TemporaryFile(dir=tmp_path) as stream:
            done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE)
            stream.seek(0)
            written = stream.read()
    assert done.returncode == 0
    assert json.loads(written)["label"] == "denial"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "stdout"]
    assert str(link.readlink()) == "/proc/self/fd/1"
