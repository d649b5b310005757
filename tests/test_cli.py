import csv
import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT

from claimsift import ClaimsiftError, cli, score
from claimsift.annotations.sources import read_documents

EXAMPLE = ROOT / "examples" / "ferry.txt"
COLUMNS = ["article_id", "sentence_index", "start", "end", "text", "label", "score"]
COLUMNS += ["claim", "denial", "unverified_report", "background", "truncated", "furniture"]


def claimsift(*arguments, stdin=None, cwd=None, env=None):
    command = [sys.executable, "-m", "claimsift.cli", *map(str, arguments)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"} | (env or {})
    return subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=cwd, env=environment)


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_jsonl_rows_have_the_promised_columns_and_point_into_the_article():
    done = claimsift("score", EXAMPLE, "--format", "jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    article = EXAMPLE.read_text()
    scored = rows(done.stdout)
    assert len(scored) == 11
    for index, row in enumerate(scored):
        assert list(row) == COLUMNS
        assert (row["article_id"], row["sentence_index"]) == (str(EXAMPLE), index)
        assert article[row["start"] : row["end"]] == row["text"]


def test_csv_holds_what_jsonl_holds(tmp_path):
    out = tmp_path / "out.csv"
    assert claimsift("score", EXAMPLE, "-o", out).returncode == 0
    with out.open(newline="", encoding="utf-8") as stream:
        from_csv = list(csv.DictReader(stream))
    from_jsonl = rows(claimsift("score", EXAMPLE, "--format", "jsonl").stdout)
    assert from_csv == [{key: str(value) for key, value in row.items()} for row in from_jsonl]


def test_a_pipe_gets_one_plain_line_a_sentence():
    done = claimsift("score", EXAMPLE)
    lines = done.stdout.splitlines()
    assert lines[0] == str(EXAMPLE)
    assert len(lines) == 1 + 11 + 1 + 1
    assert "\x1b" not in done.stdout


def test_a_terminal_gets_colours_unless_no_color_is_set():
    def on_a_terminal(env):
        command = f"{sys.executable} -m claimsift.cli score {EXAMPLE}"
        done = subprocess.run(
            ["script", "-qec", command, "/dev/null"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"TERM": "xterm-256color"} | env,
        )
        assert done.returncode == 0
        return done.stdout

    import re

    coloured = re.compile(r"\x1b\[[\d;]*3[0-9]")
    assert coloured.search(on_a_terminal({}))
    assert not coloured.search(on_a_terminal({"NO_COLOR": "1"}))


def test_inputs_that_fail_are_named_and_recorded_and_the_rest_is_scored_in_order(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a1", "text": "He denied it."}\n{"text": 3}\n{"text": "She said so."}\n')
    done = claimsift(
        "score", "a.jsonl", "gone.txt", EXAMPLE, "--format", "jsonl", "--errors", "errors.jsonl", cwd=tmp_path
    )
    assert done.returncode == 3
    ids = list(dict.fromkeys(row["article_id"] for row in rows(done.stdout)))
    assert ids == ["a1", "a.jsonl:3", str(EXAMPLE)]
    recorded = rows((tmp_path / "errors.jsonl").read_text())
    assert [entry["input"] for entry in recorded] == ["a.jsonl:2", "gone.txt"]
    for entry in recorded:
        assert f"claimsift: {entry['input']}: {entry['error']}" in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_and_sentences_that_are_split_already():
    lines = [{"id": "x", "text": "He denied it. He left.", "context": "He was accused."}, {"text": "She said so."}]
    done = claimsift(
        "score", "-", "--unit", "sentence", "--format", "jsonl", stdin="".join(json.dumps(row) + "\n" for row in lines)
    )
    scored = rows(done.stdout)
    assert [(row["article_id"], row["sentence_index"], row["text"]) for row in scored] == [
        ("x", 0, "He denied it. He left."),
        ("-:2", 0, "She said so."),
    ]


def test_a_dash_is_standard_output(tmp_path):
    done = claimsift("score", EXAMPLE, "-o", "-", "--format", "jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(rows(done.stdout)) == 11
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score"], "arguments are required: INPUT"),
        (["score", EXAMPLE, "--model", "nowhere/at-all"], "nowhere/at-all: no such folder"),
        (["score", EXAMPLE, "-o", "gone/out.jsonl"], "gone/out.jsonl: cannot be written"),
        (["score", EXAMPLE, "-o", "."], ".: no format has this suffix"),
        (["score", EXAMPLE, "--errors", "gone/errors.jsonl"], "gone/errors.jsonl: cannot be written"),
        (["score", EXAMPLE, "--part-sentences", "0"], "0 is no whole number above 0"),
        (["score", EXAMPLE, "--engine", "ray"], "add -o FOLDER/ --format parquet"),
        (["score", EXAMPLE, "-o", "out.xyz"], "choose one with --format"),
        (["score", EXAMPLE, "-o", "a.jsonl", "--errors", "./a.jsonl"], "choose two files"),
        (["score", EXAMPLE, "-o", EXAMPLE], "is an input too"),
        (["score", EXAMPLE, "--format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_wrong_usage_exits_with_1_and_says_why(tmp_path, arguments, message):
    done = claimsift(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_output_that_was_there_stays_when_scoring_fails_halfway(tmp_path, monkeypatch):
    class Failing:
        def score_articles(self, articles, unit):
            next(articles)
            yield []
            raise ClaimsiftError("the power went out")

    monkeypatch.setattr(score.Predictor, "from_pretrained", lambda *args, **kwargs: Failing())
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    assert cli.main(["score", str(EXAMPLE), "-o", str(out)]) == 1
    assert out.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_a_device_can_be_written_to(tmp_path):
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    assert claimsift("score", EXAMPLE, "-o", link, "--format", "jsonl").returncode == 0
    assert link.is_symlink()
    assert claimsift("score", EXAMPLE, "--errors", link).returncode == 0
    assert claimsift("score", EXAMPLE, "-o", tmp_path / "out.csv", "--errors", link).returncode == 0
    assert link.is_symlink()


def test_a_device_that_takes_no_more_is_named():
    done = claimsift("score", EXAMPLE, "-o", "/dev/full", "--format", "jsonl")
    assert done.returncode == 1
    assert "/dev/full: cannot be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr


def test_escape_sequences_of_an_article_do_not_reach_the_terminal():
    done = claimsift("score", "-", stdin="The army denied it.\x1b[2J\n")
    assert "\x1b" not in done.stdout
    assert "The army denied it." in done.stdout
    row = json.dumps({"id": "a\x1b[2J", "text": "He denied it."})
    assert "\x1b" not in claimsift("score", "-", stdin=row).stdout


def test_escape_sequences_of_a_file_name_do_not_reach_the_terminal(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a\x1b[2J\n.txt").write_bytes(b"The caf\xe9 was shut.")  # gets a notice
    (folder / "b\x9b2J\r.jsonl").write_text("{")  # and this is a failure
    out, errors = tmp_path / "out\x1b[2J.jsonl", tmp_path / "errors.jsonl"
    done = claimsift("score", folder, folder / "c\x07.txt", "-o", out, "--errors", errors)
    assert done.returncode == 3
    assert not set("\x1b\x9b\r\x07") & set(done.stderr)
    told = [line.partition(": ")[2] for line in done.stderr.splitlines()]
    assert told[0] == "a[2J.txt: read as Windows-1252, it is not UTF-8"
    assert told[1].startswith("b2J.jsonl:1: ") and told[2].startswith(f"{folder}/c.txt: ")
    assert told[3].endswith(f"the rows are in {tmp_path}/out[2J.jsonl")
    assert rows(errors.read_text())[0]["input"] == "b\x9b2J\r.jsonl:1"  # as it is
    refused = claimsift("score", out, "-o", out)
    assert "is an input too" in refused.stderr and "\x1b" not in refused.stderr


def test_a_real_article_is_scored_with_exact_offsets(tmp_path):
    """A broadcast story of the lee source, which comes out of its package and is not kept here."""
    text = read_documents("lee")["0"]
    (tmp_path / "story.txt").write_text(text)
    done = claimsift("score", tmp_path / "story.txt", "--format", "jsonl")
    scored = rows(done.stdout)
    assert len(scored) > 10
    assert [text[row["start"] : row["end"]] for row in scored] == [row["text"] for row in scored]
    assert {row["label"] for row in scored} >= {"claim", "background"}


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "He denied it."}\n' * 5000)
    options = f"--format jsonl --errors {tmp_path / 'errors.jsonl'}"
    command = f"{sys.executable} -m claimsift.cli score {tmp_path / 'a.jsonl'} {options} | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_library_does_not_import_torch():
    code = "import sys, claimsift, claimsift.cli; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
