import json
import os
import shutil
import subprocess
import sys
import threading

import pytest
from conftest import ROOT
from hub_stand_in import HubStandIn, Refused, serve

from claimsift import cli
from claimsift.hub import ONNX_FILE, SHIPPED_MODEL, published_files

EXAMPLE = ROOT / "examples" / "ferry.txt"
TOKEN = "hf_of_the_harbour"


@pytest.fixture
def hub():
    hub = HubStandIn({TOKEN: {"harbour"}})
    server = serve(hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def run(tmp_path, hub):
    """Runs Python in a process that takes the stand-in for the Hub, since huggingface_hub reads its address once."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    ours |= {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}

    def run(*arguments, token=TOKEN, **environment):
        environment = ours | {"HF_ENDPOINT": hub.url} | ({"HF_TOKEN": token} if token else {}) | environment
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    return run


@pytest.fixture
def claimsift(run):
    return lambda *arguments, **options: run("-m", "claimsift.cli", *arguments, **options)


@pytest.fixture
def small(tmp_path):
    """The shipped model with its int8 weights alone, among things that do not go to the Hub."""
    folder = shutil.copytree(
        SHIPPED_MODEL, tmp_path / "small", ignore=shutil.ignore_patterns("*.safetensors", "report")
    )
    (folder / "report" / "plots").mkdir(parents=True)
    (folder / "report" / "report.html").write_text("<p>0.85</p>")
    (folder / "report" / "plots" / "curve.svg").write_text("<svg/>")
    for name in (".DS_Store", ".cache/config.json", "report/.report.html", "onnx/model_quantized.onnx.part"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("left over")
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "notes.txt", "checkpoint-1/config.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no part of a release")
    return folder


GOES = {"README.md", "config.json", "tokenizer.json", "tokenizer_config.json", "training.json", "recipe.yaml"}
GOES |= {ONNX_FILE, "onnx/export.json", "report/report.html", "report/plots/curve.svg"}


def labels(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["label"] for line in done.stdout.splitlines()]


def test_a_dry_run_lists_what_goes_with_sizes_and_needs_neither_token_nor_network(claimsift, small, hub):
    done = claimsift("push", "harbour/ferry", "--model", small, "--dry-run", token=None, HF_HUB_OFFLINE="1")
    assert (done.returncode, done.stderr) == (0, "")
    *files, total = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    listed = {name: int(size.replace(",", "")) for size, name in files}
    assert list(listed) == sorted(listed)
    assert listed == {name: (small / name).stat().st_size for name in GOES}
    assert total == [f"{sum(listed.values()):,}", f"bytes in {len(GOES)} files would go to harbour/ferry"]
    assert hub.requests == []


def test_every_file_of_the_shipped_model_is_published():
    files = {path.relative_to(SHIPPED_MODEL).as_posix() for path in SHIPPED_MODEL.rglob("*") if path.is_file()}
    assert set(published_files("harbour/ferry")) == files


def test_what_was_pushed_is_read_back_at_each_revision(claimsift, run, small, hub, tmp_path):
    """The shipped model, then another, with int8 weights alone and two labels that have changed places."""
    first = claimsift("push", "harbour/ferry", "--private")
    assert first.returncode == 0, first.stderr
    repository = hub.repositories["harbour/ferry"]
    assert repository.private
    _, commit = repository.commits
    assert first.stdout == f"{hub.url}/harbour/ferry/commit/{commit}\n"
    shipped = {name: path.read_bytes() for name, path in published_files("harbour/ferry").items()}
    assert repository.commits[commit] == {".gitattributes": b"*.safetensors filter=lfs\n"} | shipped

    repository.references["v1"] = commit
    repository.commits[commit]["notes.txt"] = b"by somebody else"
    config = json.loads((small / "config.json").read_text())
    swapped = ["background", "denial", "unverified_report", "claim"]
    config |= {"id2label": dict(enumerate(swapped)), "label2id": {label: index for index, label in enumerate(swapped)}}
    (small / "config.json").write_text(json.dumps(config))
    assert claimsift("push", "harbour/ferry", "--model", small).returncode == 0
    assert len(repository.commits) == 3
    now = repository.commits[repository.references["main"]]
    assert set(now) == GOES | {".gitattributes", "notes.txt"}  # without model.safetensors

    expected = labels(claimsift("score", EXAMPLE, "--format", "jsonl"))
    changed = [{"claim": "background", "background": "claim"}.get(label, label) for label in expected]
    assert changed != expected
    score = ["score", EXAMPLE, "--format", "jsonl", "--model", "harbour/ferry"]
    assert labels(claimsift(*score, "--revision", "v1")) == expected
    assert labels(claimsift(*score)) == changed
    code = (
        "import sys; from claimsift import Predictor\n"
        "predictor = Predictor.from_pretrained('harbour/ferry', revision=sys.argv[1])\n"
        "print([sentence.label for sentence in predictor.score_article(open(sys.argv[2]).read())])"
    )
    assert run("-c", code, commit, EXAMPLE).stdout == f"{expected}\n"
    # What is in the cache needs no network.
    assert labels(claimsift(*score, "--revision", "v1", HF_HUB_OFFLINE="1")) == expected

    unknown = claimsift(*score, "--revision", "v9")
    assert unknown.returncode == cli.EXIT_USAGE
    assert "claimsift: harbour/ferry: has no revision v9; name a branch, a tag or a commit of it" in unknown.stderr
    for token in (None, "hf_unknown"):
        hidden = claimsift(*score, token=token, HF_HOME=str(tmp_path / "elsewhere"))
        assert hidden.returncode == cli.EXIT_USAGE
        assert "claimsift: harbour/ferry: no such folder, and not to be had from the Hub" in hidden.stderr
        assert "Traceback" not in hidden.stderr


def test_what_was_pushed_loads_in_the_plain_pipeline_of_transformers(claimsift, run):
    assert claimsift("push", "harbour/ferry").returncode == 0
    code = (
        "from transformers import pipeline\n"
        "classify = pipeline('text-classification', model='harbour/ferry', device='cpu')\n"
        "print([answer['label'] for answer in classify(['The army denied it.', 'He left.'], truncation=True)])"
    )
    done = run("-c", code)
    assert done.stdout == "['denial', 'background']\n", done.stderr


def test_a_push_without_changes_makes_no_commit(claimsift, small, hub):
    outputs = [claimsift("push", "harbour/ferry", "--model", small).stdout for _ in range(2)]
    assert outputs[0] == outputs[1] != ""
    assert len(hub.repositories["harbour/ferry"].commits) == 2


@pytest.mark.parametrize(
    ("repository", "options", "environment", "message"),
    [
        ("harbour/ferry", [], {"token": None}, "no token for the Hub; make one that may write"),
        ("harbour/ferry", [], {"token": "hf_unknown"}, "the Hub does not know the token; set HF_TOKEN to a valid one"),
        ("port/ferry", [], {}, "port/ferry: the token may not make a model of port; choose another owner"),
        ("port/taken", [], {}, "port/taken: is taken, and the token may not write to it; choose another name"),
        ("port/hidden", [], {}, "port/hidden: the token may not make a model of port"),
        ("harbour/public", ["--private"], {}, "harbour/public: is public already; make it private there, or leave"),
        ("harbour/ferry", [], {"HF_HUB_OFFLINE": "1"}, "cannot be published in offline mode; unset HF_HUB_OFFLINE"),
        ("harbour/ferry", [], {"HF_ENDPOINT": "http://127.0.0.1:9"}, "harbour/ferry: the Hub cannot be reached ("),
        ("ferry", ["--dry-run"], {}, "ferry: the Hub takes no such name; give ORG/NAME"),
        ("harbour/a--b", ["--dry-run"], {}, "harbour/a--b: the Hub takes no such name"),
        ("a/b/c", ["--dry-run"], {}, "a/b/c: the Hub takes no such name"),
        ("harbour/ferry", ["--dry-run", "--model", "/gone"], {}, "/gone: no model folder, it has no config.json"),
    ],
)
def test_what_cannot_be_pushed_is_said_in_one_line_and_changes_nothing(
    claimsift, hub, repository, options, environment, message
):
    for name in ("port/taken", "port/hidden", "harbour/public"):
        hub.add(name, private=name == "port/hidden")
    done = claimsift("push", repository, *options, **environment)
    assert (done.returncode, done.stdout) == (cli.EXIT_USAGE, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("claimsift: ")
    assert message in line
    assert hub.repositories.keys() == {"port/taken", "port/hidden", "harbour/public"}
    assert all(len(found.commits) == 1 for found in hub.repositories.values())


@pytest.mark.parametrize(
    ("request_line", "status", "answer", "message"),
    [
        ("POST /api/repos/create", 400, "Name too long", "the Hub refuses it; mend what it names (400: Name too long)"),
        ("GET /api/models/harbour/ferry", 404, "Repository not found", "is taken, and the token may not write to it"),
        ("POST /api/models/harbour/ferry/commit/main", 403, "Read-only token", "(403: Read-only token)"),
        (
            "POST /api/models/harbour/ferry/commit/main",
            412,
            "A commit has happened since",
            "did not take it; try again",
        ),
        ("POST /api/models/harbour/ferry/commit/main", 500, "Internal error", "try again later (500: Internal error)"),
    ],
)
def test_what_the_hub_answers_is_said_in_one_line(claimsift, small, hub, request_line, status, answer, message):
    hub.faults[request_line] = Refused(status, answer)
    done = claimsift("push", "harbour/ferry", "--model", small)
    assert (done.returncode, done.stdout) == (cli.EXIT_USAGE, "")
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_card_that_the_hub_finds_fault_with_is_named(claimsift, small, hub):
    (small / "README.md").write_text("no metadata")
    done = claimsift("push", "harbour/ferry", "--model", small)
    assert done.returncode == cli.EXIT_USAGE
    [line] = done.stderr.splitlines()
    assert "harbour/ferry: cannot be published (Invalid metadata in README.md." in line
