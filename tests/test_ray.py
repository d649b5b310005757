import csv
import gzip
import json
import logging
import os
import subprocess
import sys

import pytest
from conftest import OWN_DATA, ROOT

from claimsift import LABELS, ClaimsiftError, cli
from claimsift.hub import ONNX_FILE, SHIPPED_MODEL

EXAMPLE = ROOT / "examples" / "ferry.txt"
PROBABILITIES = ("score", *LABELS)
# Only the ONNX backend gives a sentence the same score, to the last bit, whatever is in its batch.
TOLERANCE = 0 if (SHIPPED_MODEL / ONNX_FILE).exists() else 1e-5


@pytest.fixture(scope="module")
def engine():
    ray = pytest.importorskip("ray", reason="Ray is not installed; run: pip install 'claimsift[ray]'")
    from claimsift import ray_engine

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(address="local", num_cpus=2, log_to_driver=False, logging_level=logging.CRITICAL, include_dashboard=False)
    yield ray_engine
    ray.shutdown()


@pytest.fixture
def archive(tmp_path):
    """Files of every kind, some of them broken, named from the folder they lie in."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder = tmp_path / "archive"
    (folder / "later").mkdir(parents=True)
    texts = {}
    for line in OWN_DATA.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        texts[row["doc"]] = f"{texts.get(row['doc'], '')} {row['text']}".strip()
    texts = [*texts.values(), EXAMPLE.read_text(encoding="utf-8")]

    (folder / "a.txt").write_text(texts[-1], encoding="utf-8")
    (folder / "b.txt").write_text("", encoding="utf-8")
    lines = [
        json.dumps({"id": f"c{number}", "title": "Police deny it", "url": [number], "text": f"Share this\n{text}"})
        for number, text in enumerate(texts)
    ]
    lines[2:2] = ["{broken", '{"id": "empty", "text": ""}', '{"text": 3}']
    (folder / "c.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    with (folder / "d.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["text", "url"], [texts[0], "x"], ["one field"], [texts[1], "y"]])
    (folder / "e.jsonl.gz").write_bytes(b"not packed")
    parquet.write_table(pyarrow.table({"text": [texts[2], None, texts[3]]}), folder / "later" / "f.parquet")
    return folder


def read(folder):
    """The rows of all parts, in the order of their names."""
    from pyarrow import parquet

    tables = [parquet.read_table(path) for path in sorted(folder.glob("*.parquet"))]
    assert all(table.schema == tables[0].schema for table in tables)
    return tables[0].schema, [row for table in tables for row in table.to_pylist()]


def failures(stderr):
    return [line for line in stderr.splitlines() if line.startswith("claimsift: ") and " sentences" not in line]


def test_rows_and_failures_are_those_of_a_single_process(engine, archive, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(engine, "SMALLEST_PIECE", 2000)  # else this archive is one
    monkeypatch.chdir(tmp_path)
    inputs = ["gone.txt", "archive", "none/*.txt", str(EXAMPLE), "archive/later"]
    arguments = ["-o", "local/", "--format", "parquet", "--errors", "local.jsonl", "--device", "cpu"]
    arguments += ["--title-column", "title", "--keep", "url", "--skip-furniture"]
    assert cli.main(["score", *inputs, *arguments]) == cli.EXIT_SOME_FAILED
    expected_failures = failures(capfd.readouterr().err)
    options = {"title_column": "title", "keep": ["url"], "skip_furniture": True}
    failed = engine.score_with_ray(inputs, "ray/", device="cpu", errors="ray.jsonl", **options)
    told = failures(capfd.readouterr().err)
    # Ids are compared within a file only, since others may be read elsewhere.
    assert told == [line for line in expected_failures if "came before" not in line]
    assert len(told) == failed + sum("holds no text" in line or "is taken to be empty" in line for line in told)
    assert failed == 8
    assert (tmp_path / "ray.jsonl").read_text() == (tmp_path / "local.jsonl").read_text()

    expected_schema, expected = read(tmp_path / "local")
    schema, rows = read(tmp_path / "ray")
    assert schema == expected_schema
    assert len(list((tmp_path / "ray").iterdir())) > 3
    assert len(rows) == len(expected) > 100
    for row, wanted in zip(rows, expected, strict=True):
        assert {name: row.pop(name) for name in PROBABILITIES} == pytest.approx(
            {name: wanted.pop(name) for name in PROBABILITIES}, rel=0, abs=TOLERANCE
        )
        assert row == wanted
    assert not (tmp_path / "ray.part").exists()


def test_rows_can_be_sentences_and_a_worker_can_have_all_cores(engine, write_jsonl, tmp_path):
    rows = [{"text": "He denied it. He left.", "context": "Half a pair: \ud800."}, {"text": "She left.", "context": 3}]
    path = write_jsonl("rows.jsonl", [json.dumps(row) for row in rows])
    assert engine.score_with_ray([str(path)], tmp_path / "out", unit="sentence", device="cpu", workers=1) == 0
    assert [(row["sentence_index"], row["text"]) for row in read(tmp_path / "out")[1]] == [
        (0, "He denied it. He left."),
        (0, "She left."),
    ]


def test_where_nothing_can_be_read_the_columns_are_there(engine, tmp_path):
    (tmp_path / "out").mkdir()  # an empty folder will do
    assert engine.score_with_ray([str(tmp_path / "gone.txt")], tmp_path / "out", device="cpu") == 1
    schema, rows = read(tmp_path / "out")
    assert {*PROBABILITIES, "article_id", "text"} < set(schema.names)
    assert rows == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda"}, "no machine in the Ray cluster has a GPU; choose --device cpu or auto"),
        ({"device": "cpu", "backend": "none"}, "unknown backend 'none'"),  # found out by the workers
    ],
)
def test_a_job_that_cannot_go_on_leaves_nothing_behind(engine, tmp_path, options, message):
    with pytest.raises(ClaimsiftError, match=message):
        engine.score_with_ray([str(EXAMPLE)], tmp_path / "out", **options)
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_there_is_refused(engine, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "part-00000.parquet").touch()
    (tmp_path / "file").touch()
    (tmp_path / "killed.part").mkdir()
    for name, message in [
        ("full", "is a folder with files in it; name an empty one"),
        ("file", "is a file; name a folder"),
        ("killed", "killed.part: another job writes it, or was killed; wait for it, or remove it"),
        ("gone/out", "cannot be written"),
    ]:
        with pytest.raises(ClaimsiftError, match=message):
            engine.score_with_ray([str(EXAMPLE)], tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "killed.part", "part-00000.parquet"]


def test_a_machine_without_the_model_fetches_the_same_revision(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "resolve_model", lambda *asked: asked)
    columns = "text", None, None, (), False
    job = engine.Job(tmp_path, tmp_path / "gone", "harbour/ferry", "v1", {}, "auto", "article", *columns)
    assert job.model_here() == ("harbour/ferry", "v1")


def test_a_revision_of_a_folder_is_refused(tmp_path, capsys):
    pytest.importorskip("ray")
    arguments = ["-o", str(tmp_path / "out"), "--format", "parquet", "--engine", "ray", "--revision", "v1"]
    assert cli.main(["score", str(EXAMPLE), *arguments]) == cli.EXIT_USAGE
    assert "a folder has no revisions; leave out v1" in capsys.readouterr().err


def test_standard_input_is_refused(engine, tmp_path):
    with pytest.raises(ClaimsiftError, match="-: standard input cannot be shared out by Ray; name files"):
        engine.score_with_ray([str(EXAMPLE), "-"], tmp_path / "out")


def test_without_ray_a_message_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "claimsift.ray_engine", raising=False)
    out = str(tmp_path / "out") + "/"
    assert cli.main(["score", str(EXAMPLE), "-o", out, "--format", "parquet", "--engine", "ray"]) == cli.EXIT_USAGE
    assert "pip install 'claimsift[ray]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_importing_the_library_does_not_import_ray():
    code = "import sys, claimsift, claimsift.cli; sys.exit('ray' in sys.modules or 'pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("cores", "workers", "expected"),
    [
        ([16], None, (16, 1)),
        ([16], 3, (3, 5)),
        ([16, 16], 3, (3, 8)),  # two on one machine, one on the other
        ([4, 2], 5, (5, 1)),
        ([2], 9, (2, 1)),
    ],
)
def test_workers_share_the_cores_of_their_machines(engine, monkeypatch, cores, workers, expected):
    nodes = [{"Alive": True, "Resources": {"CPU": float(count)}} for count in cores]
    monkeypatch.setattr(engine.ray, "nodes", lambda: [*nodes, {"Alive": False, "Resources": {"CPU": 64.0}}])
    pool = engine._choose_pool(None, "cpu", workers)
    assert (pool.workers, pool.cores) == expected


def test_small_files_are_read_together_and_none_is_left_out(engine):
    assert list(engine._groups([3, 3, 3, 20, 0, 1], 6)) == [slice(0, 2), slice(2, 3), slice(3, 4), slice(4, 6)]
    assert list(engine._groups([7], 6)) == [slice(0, 1)]


def test_a_piece_that_kills_its_workers_is_given_up(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(engine.Worker, "_load", lambda worker, pool: None)
    columns = "text", None, None, (), False
    job = engine.Job(tmp_path, SHIPPED_MODEL, None, None, {}, "auto", "article", *columns)
    piece = {"part": "part-1.parquet", "articles": [{"id": "a1", "text": "He left."}], "failures": [], "bytes": 8}
    (tmp_path / "part-1.attempts").write_bytes(b"." * engine.ATTEMPTS)
    pieces = engine.pyarrow.Table.from_pylist([piece], engine.PIECE)
    [answer] = engine.Worker(job, engine.Pool("cpu", 1))(pieces).to_pylist()
    assert "a1: this article, or one of the 0 behind it, killed 4 workers" in answer["error"]
