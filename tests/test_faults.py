"""What goes wrong outside of the input: machine, output, model, user. docs/faults.md names the test of every fault."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ROOT, Instant
from onnx import TensorProto, helper
from test_cli import EXAMPLE, claimsift

from claimsift import Predictor, cli, score
from claimsift.hub import ONNX_FILE, SHIPPED_MODEL, column_order
from claimsift.labels import LABELS
from claimsift.predict import WINDOW_SENTENCES, load_tokenizer


def one_line(error: str) -> str:
    """The message, once it is clear that it is one line and no traceback."""
    assert error.startswith("claimsift: ")
    assert error.count("\n") == 1
    return error


# Large input


class Blind:
    """A backend that finds all labels equally likely, at once."""

    device, batch_tokens, pads, workers = "cpu", 512, False, 0

    def probabilities(self, token_ids):
        return np.full((len(token_ids), 4), 0.25, np.float32)


def test_a_long_article_is_tokenised_a_window_at_a_time():
    """A million sentences as one window would take some five gigabytes."""
    tokenizer = load_tokenizer(SHIPPED_MODEL)
    sizes = []

    def encode(texts):
        sizes.append(len(texts))
        return tokenizer.encode_batch_fast(texts)

    predictor = Predictor(Blind(), SimpleNamespace(encode_batch_fast=encode), column_order(SHIPPED_MODEL))
    articles = [20, 3 * WINDOW_SENTENCES + 7, 0, WINDOW_SENTENCES, 1]
    texts = ["".join(f"The ministry denied case {n}.\n" for n in range(count)) for count in articles]
    scored = list(predictor.score_articles(texts))
    assert [len(sentences) for sentences in scored] == articles
    for text, sentences in zip(texts, scored, strict=True):
        assert [text[sentence.start : sentence.end] for sentence in sentences] == text.splitlines()
    assert max(sizes) < 2 * WINDOW_SENTENCES


@pytest.mark.parametrize("words", ["very ", "x", "é", "-", "“"])
def test_a_sentence_of_50_000_characters_is_scored_on_its_head(tmp_path, words):
    long = "The ministry denied " + (words * 50_000)[:50_000].strip()
    article = tmp_path / "long.txt"
    article.write_text(f"{long}\nPolice said two men were held.\n", encoding="utf-8")
    done = claimsift("score", article, "--format", "jsonl")
    assert done.returncode == 0
    first, last = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert (first["text"], first["truncated"], last["label"]) == (long, words != "x" and words != "é", "claim")


# Output


def test_a_missing_output_folder_is_named(tmp_path):
    done = claimsift("score", EXAMPLE, "-o", tmp_path / "gone" / "out.jsonl")
    assert done.returncode == 1
    assert "out.jsonl: cannot be written (No such file or directory); make the folder" in one_line(done.stderr)


@pytest.mark.skipif(not os.path.isdir("/sys"), reason="a folder is needed that even root cannot write to")
def test_an_output_folder_that_is_not_writable_is_named():
    done = claimsift("score", EXAMPLE, "-o", "/sys/out.jsonl")
    assert done.returncode == 1
    message = one_line(done.stderr)
    assert message.startswith("claimsift: /sys/out.jsonl: cannot be written (")
    assert "choose a folder that you may write to" in message


@pytest.fixture
def archive(write_jsonl):
    """Articles of three lines each, and a row among them that cannot be read."""
    articles = [{"text": f"The ministry denied case {n}.\nPolice held {n} men.\nIt rained."} for n in range(600)]
    return write_jsonl("archive.jsonl", [*articles[:3], {"body": "x"}, *articles[3:]])


def job(archive, output, *options):
    arguments = ["score", archive, "-o", output, "--errors", archive.parent / "errors.jsonl", *options]
    return cli.main([*map(str, arguments)])


def in_a_child(work):
    """Begins work whose result is an exit code in a process of its own, and returns its id."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return child


def exit_code(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize(("parts", "on_disk"), [(10, 600), (1, 0)])
def test_a_full_disk_loses_nothing(archive, instant, tmp_path, capfd, suffix, parts, on_disk):
    """A limit on the size of files stands for the disk; it is met when ten parts are joined, or within the first."""
    expected, output = tmp_path / f"expected{suffix}", tmp_path / f"out{suffix}"
    assert job(archive, expected) == 3
    capfd.readouterr()
    options = ["--part-sentences", 1800 // parts]

    def on_a_full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (expected.stat().st_size // 2,) * 2)
        return job(archive, output, *options)

    assert exit_code(in_a_child(on_a_full_disk)) == 1
    said = capfd.readouterr().err
    last = said.splitlines()[-1]
    assert f"{output}: cannot be written (File too large); allow larger files, and run the same command again" in last
    assert "Traceback" not in said
    assert not output.exists()
    assert (tmp_path / f"out{suffix}.parts").exists() == bool(on_disk)
    assert job(archive, output, *options) == 3
    assert (f"going on after {on_disk} articles" in capfd.readouterr().err) == bool(on_disk)
    assert output.read_bytes() == expected.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {archive.name, expected.name, output.name, "errors.jsonl"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_an_interrupted_job_finishes_its_part_and_goes_on(
    archive, instant, tmp_path, monkeypatch, capfd, number, code, suffix
):
    """The part is far from full: without the handling, all that was scored would be lost."""
    whole, output = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    assert job(archive, whole) == 3
    expected_failures = (tmp_path / "errors.jsonl").read_text()
    capfd.readouterr()
    score_articles = Instant.score_articles
    read_end, write_end = os.pipe()

    def slow(self, articles, unit):
        for number, sentences in enumerate(score_articles(self, articles, unit)):
            if number == 100:
                os.write(write_end, b"x")
                time.sleep(60)
            yield sentences

    with monkeypatch.context() as patch:
        patch.setattr(Instant, "score_articles", slow)
        child = in_a_child(lambda: job(archive, output))
        os.read(read_end, 1)
        os.kill(child, number)
        assert exit_code(child) == code
    said = capfd.readouterr().err
    assert said.splitlines()[-1].startswith("claimsift: interrupted; a job with -o goes on")
    assert "Traceback" not in said
    assert [path.name for path in (tmp_path / f"out{suffix}.parts").glob("part-*")] == [f"part-0000000{suffix}"]

    assert job(archive, output) == 3
    assert "going on after 100 articles" in capfd.readouterr().err
    assert output.read_bytes() == whole.read_bytes()
    assert (tmp_path / "errors.jsonl").read_text() == expected_failures


def wait_for(condition, process):
    while not condition():
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_pipe_that_says_nothing_can_be_left(tmp_path, number, code):
    command = [sys.executable, "-m", "claimsift.cli", "score", "-", "-o", str(tmp_path / "out.csv")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "out.csv.parts" / "_claimsift" / "job.json").exists, process)
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    one_line(process.stderr.read())
    assert not list(tmp_path.iterdir())


def test_a_signal_does_not_cut_an_article_in_two(archive, instant, tmp_path, monkeypatch):
    """Ctrl-C comes while rows are written: it waits for the last of them."""
    from claimsift.output.jsonl import JsonlWriter

    write, written = JsonlWriter.write, []

    def interrupted(self, article_id, sentences):
        write(self, article_id, sentences[:1])
        if len(written) == 100:
            signal.raise_signal(signal.SIGINT)
        written.append(article_id)
        write(self, article_id, sentences[1:])

    monkeypatch.setattr(JsonlWriter, "write", interrupted)
    assert cli.main(["score", str(archive), "-o", str(tmp_path / "out.jsonl")]) == 130
    lines = (tmp_path / "out.jsonl.parts" / "part-0000000.jsonl").read_text().splitlines()
    assert len(lines) == 3 * len(written) == 303


# Model


def changed_json(name, **changes):
    def change(folder):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | changes))

    return change


def written(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def halved(name):
    return lambda folder: (folder / name).write_bytes(
        (folder / name).read_bytes()[: (folder / name).stat().st_size // 2]
    )


def without(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def onnx_model(inputs=("input_ids", "attention_mask"), labels=4, vocabulary=30522):
    """A model that looks every token up in a table and adds up what it finds."""
    table = helper.make_tensor("table", TensorProto.FLOAT, [vocabulary, labels], [0.0] * vocabulary * labels)
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("Gather", ["table", inputs[0]], ["found"]),
        helper.make_node("ReduceSum", ["found", "axes"], ["sum"], keepdims=0),
        *(helper.make_node("Shape", [name], [f"shape-{name}"]) for name in inputs[1:]),
        helper.make_node("Identity", ["sum"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels])],
        [table, axes],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


JSON_LINES = ["score", str(EXAMPLE), "--format", "jsonl"]
INT8, FLOATS = "onnx", "torch"  # which weights the case reads

WITHOUT_WEIGHTS = ("model.safetensors", ONNX_FILE)
BROKEN_MODELS = {
    "no weights": (INT8, without(*WITHOUT_WEIGHTS), r"model: no model folder, it has no model\.safetensors; name"),
    "no tokenizer": (INT8, without("tokenizer.json"), r"it has no tokenizer\.json; name"),
    "broken config": (INT8, halved("config.json"), r"config\.json: not valid JSON .*; copy"),
    "config of another kind": (INT8, written("config.json", b"[]"), r"config\.json: not a JSON object; copy"),
    "config that is no text": (INT8, written("config.json", b"\xff\x00"), r"config\.json: not valid JSON"),
    "nested config": (INT8, written("config.json", b"[" * 10**5), r"config\.json: not valid JSON"),
    "broken tokenizer": (INT8, halved("tokenizer.json"), r"tokenizer\.json: not a tokenizer .*; copy"),
    "no length": (INT8, changed_json("tokenizer_config.json", model_max_length="x"), r"cannot read 'x' of .*; copy"),
    "other labels": (INT8, changed_json("config.json", id2label={"0": "yes", "1": "no"}), r"labels are yes, no, not"),
    "no labels": (INT8, changed_json("config.json", id2label=None), r"its labels are none, not"),
    "labels in a list": (INT8, changed_json("config.json", id2label=["claim"]), r"its labels are none, not"),
    "labels without places": (
        INT8,
        changed_json("config.json", id2label=dict(zip("abcd", LABELS, strict=True))),
        r"its labels are claim, .*; name a model",
    ),
    "truncated ONNX": (INT8, halved(ONNX_FILE), r"onnx: the model cannot be loaded .*; copy"),
    "empty ONNX": (INT8, written(ONNX_FILE, b""), r"onnx: the model cannot be loaded .*; copy"),
    "ONNX with other inputs": (
        INT8,
        written(ONNX_FILE, onnx_model(("input_ids", "attention_mask", "token_type_ids"))),
        r"onnx: cannot run on sentences \(.*token_type_ids.*; it is another model",
    ),
    "ONNX with an input less": (INT8, written(ONNX_FILE, onnx_model(("input_ids",))), r"onnx: cannot run on sentences"),
    "ONNX with other labels": (INT8, written(ONNX_FILE, onnx_model(labels=5)), r"shape \(1, 5\) where \(1, 4\) is due"),
    "ONNX with other words": (INT8, written(ONNX_FILE, onnx_model(vocabulary=50)), r"does not fit the tokenizer: copy"),
    "truncated safetensors": (FLOATS, halved("model.safetensors"), r"model: the model cannot be loaded .*; copy"),
    "unknown architecture": (FLOATS, changed_json("config.json", model_type="nonsense"), r"cannot be loaded .*; copy"),
    "other architecture": (FLOATS, changed_json("config.json", model_type="bert"), r"cannot be loaded .*; copy"),
    "other depth": (FLOATS, changed_json("config.json", n_layers=8), r"cannot be loaded \(no weights for .*; copy"),
    "depth that is no number": (FLOATS, changed_json("config.json", n_layers="six"), r"cannot be loaded .*; copy"),
}


@pytest.mark.parametrize(("backend", "spoil", "message"), BROKEN_MODELS.values(), ids=BROKEN_MODELS)
def test_a_broken_model_is_named_with_what_to_do(tmp_path, capfd, backend, spoil, message):
    folder = shutil.copytree(SHIPPED_MODEL, tmp_path / "model")
    spoil(folder)
    assert cli.main([*JSON_LINES, "--model", str(folder), "--backend", backend, "--device", "cpu"]) == 1
    said = capfd.readouterr()
    assert re.search(message, one_line(said.err))
    assert str(folder) in said.err
    assert not said.out


@pytest.mark.parametrize(("variable", "value"), [("HF_HUB_OFFLINE", "1"), ("HF_ENDPOINT", "http://127.0.0.1:9")])
def test_without_a_network_a_hub_model_is_named(tmp_path, variable, value):
    environment = {"HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path), variable: value}
    done = claimsift("score", EXAMPLE, "--model", "org/name", env=environment)
    assert done.returncode == 1
    assert "org/name: no such folder, and not to be had from the Hub" in one_line(done.stderr)


def test_a_gpu_that_is_asked_for_and_absent_is_named(monkeypatch, capfd):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert cli.main(["score", str(EXAMPLE), "--device", "cuda"]) == 1
    assert "no CUDA GPU is available to torch; choose --device cpu or auto" in one_line(capfd.readouterr().err)


# Memory


OUT_OF_MEMORY = torch.OutOfMemoryError("CUDA out of memory.")


@pytest.fixture
def small_memory(monkeypatch):
    """The shipped model in torch, where batches of more than so many tokens do not fit, and the sizes of those run."""

    def load(tokens, error=OUT_OF_MEMORY):
        predictor = Predictor.from_pretrained(backend="torch", device="cpu")
        run, sizes = predictor._backend.model.forward, []

        def forward(input_ids, **inputs):
            if input_ids.numel() > tokens:
                raise error
            sizes.append(input_ids.numel())
            return run(input_ids=input_ids, **inputs)

        monkeypatch.setattr(predictor._backend.model, "forward", forward)
        return predictor, sizes

    return load


@pytest.mark.parametrize(
    "error",
    [OUT_OF_MEMORY, RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_a_batch_for_which_there_is_no_memory_is_halved(small_memory, predictor, error):
    texts = [f"The ministry denied report {'very ' * (n % 9)}number {n}." for n in range(80)]
    reference = Predictor.from_pretrained(backend="torch", device="cpu").score_sentences(texts)
    small, sizes = small_memory(500, error)
    scored = small.score_sentences(texts)
    assert [sentence.text for sentence in scored] == texts
    for ours, theirs in zip(scored, reference, strict=True):
        assert ours.scores == pytest.approx(theirs.scores, abs=1e-4)
    assert max(sizes) > 100
    assert small._backend.batch_tokens <= 500  # the next window is cut so that it fits at once


def test_a_sentence_for_which_there_is_no_memory_is_named(small_memory, monkeypatch, capfd):
    small, _ = small_memory(3)
    monkeypatch.setattr(score.Predictor, "from_pretrained", lambda *arguments, **options: small)
    assert cli.main(JSON_LINES) == 1
    assert re.search(r"no memory to score a sentence of \d+ tokens; stop", one_line(capfd.readouterr().err))


def test_another_error_of_torch_is_not_taken_for_a_lack_of_memory(small_memory):
    small, sizes = small_memory(3, RuntimeError("expected scalar type Float"))
    with pytest.raises(RuntimeError, match="expected scalar type"):
        small.score_sentences(["He denied it.", "He left."])
    assert not sizes


def test_when_memory_runs_out_what_is_scored_is_kept(archive, tmp_path, monkeypatch, capfd):
    predictor = Predictor.from_pretrained(device="cpu", backend="onnx")
    monkeypatch.setattr(score.Predictor, "from_pretrained", lambda *arguments, **options: predictor)
    articles = predictor.score_articles

    def out_of_memory(stream, unit):
        for number, sentences in enumerate(articles(stream, unit)):
            if number == 250:
                predictor._backend._session = SimpleNamespace(run=raising(RuntimeError("std::bad_alloc")))
                predictor.score_sentences(["A sentence that is not known yet."])
            yield sentences

    monkeypatch.setattr(predictor, "score_articles", out_of_memory)
    assert cli.main(["score", str(archive), "-o", str(tmp_path / "out.jsonl")]) == 1
    assert "out of memory; stop other programs" in capfd.readouterr().err.splitlines()[-1]
    assert len((tmp_path / "out.jsonl.parts" / "part-0000000.jsonl").read_text().splitlines()) == 3 * 250


def raising(error):
    def act(*arguments, **options):
        raise error

    return act


# What nobody thought of


class Panic(BaseException):
    """What libraries in Rust raise is no Exception."""


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("kind", [ZeroDivisionError, Panic])
def test_an_unexpected_error_is_one_line_and_a_traceback_on_request(monkeypatch, capfd, before, kind):
    monkeypatch.setattr(score.Predictor, "from_pretrained", raising(kind("the number\nof the beast")))
    assert cli.main(["score", str(EXAMPLE)]) == 70
    line = f"claimsift: internal error: {kind.__name__}: the number; run again with --debug and report what it says\n"
    assert capfd.readouterr().err == line
    arguments = ["--debug", "score", str(EXAMPLE)] if before else ["score", str(EXAMPLE), "--debug"]
    assert cli.main(arguments) == 70
    said = capfd.readouterr().err
    assert said.startswith("Traceback (most recent call last)")
    assert said.endswith(line)


# Documentation


def test_every_fault_of_the_table_has_a_test_that_is_there():
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    _, *tables = page.split("\n| fault | ")
    table = [line for rows in tables for line in rows.splitlines()[2:] if line.startswith("| ")]
    assert len(table) > 40
    for line in table:
        named = re.findall(r"`(test_\w+)::(test_\w+)`", line.split("|")[-2])
        assert named, line
        for file, test in named:
            assert f"\ndef {test}(" in (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"), (file, test)
