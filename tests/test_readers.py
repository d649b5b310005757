"""Formats, encodings and faults of input files; tests/test_articles.py has what is older."""

import csv
import errno
import gzip
import io
import json
import os
import subprocess
import sys
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest
from conftest import ROOT
from test_articles import read, read_all, write_parquet

from claimsift import cli
from claimsift.articles import ArticleReader, lines, reader
from claimsift.errors import ClaimsiftError
from claimsift.output.jsonl import JsonlWriter
from claimsift.output.rows import as_text
from claimsift.predict import ScoredSentence
from claimsift.sentences import split_sentences

PAGE = """<!doctype html><html><head>{head}<title>Ferry</title></head><body><nav><a href="/">Home</a></nav>
<article><p>A car ferry with 212 people on board ran aground outside the harbour of Skarnholm early on Tuesday.</p>
<p>“We counted them twice,” duty officer Marit Solheim told reporters – all were taken ashore by nine o’clock.</p>
<p>It was not immediately clear how fast the ship was going when it struck the rock off the caf\u00e9.</p></article>
<form><input name="email"> Your comment</form><footer>© 2020 Skarn Post</footer></body></html>"""
PARAGRAPHS = 3
NO_ENCODINGS = ("undefined", "punycode", "idna", "utf-7", "unicode_escape", "rot13", "base64")  # of Python alone
TRICKY = "\ufeffThe “crew”\r\nsaid\x0call was well.\u200b \u202eNobody\u202c was hurt – itâ€™s over.\x85Ends.\r"


def score(*arguments, cwd, stdin=None):
    command = [sys.executable, "-m", "claimsift.cli", "score", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True)


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_tabs_separate_the_columns_of_tsv(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('id\ttext\nx\t"One, ""two""\tthree.\nFour."\ny\tFive, six.\n')
    articles, errors = read(path)
    assert [(a.id, a.text) for a in articles] == [("x", 'One, "two"\tthree.\nFour.'), ("y", "Five, six.")]
    assert not errors


@pytest.mark.parametrize(
    ("head", "encoding", "notice"),
    [
        ("", "utf-8", None),
        ("", "utf-8-sig", None),
        ("", "utf-16", None),
        ("", "cp1252", "read as Windows-1252, it is not UTF-8"),
        ('<meta charset="windows-1252">', "cp1252", None),
        ('<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">', "cp1252", None),
        ('<meta charset="no-such-thing">', "utf-8", None),
        *((f'<meta charset="{codec}">', "utf-8", None) for codec in NO_ENCODINGS),
        ('<meta charset="utf-8">', "cp1252", "read as Windows-1252, it is not UTF-8"),
        ('<meta charset="ascii">', "utf-8", "read as UTF-8, it is not Windows-1252"),  # as browsers understand it
    ],
)
@pytest.mark.parametrize("suffix", [".html", ".HTM", ".html.gz"])
def test_the_article_of_a_page_is_read_in_the_encoding_it_is_in(tmp_path, suffix, head, encoding, notice):
    path = tmp_path / f"a{suffix}"
    content = PAGE.format(head=head).encode(encoding)
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    articles, errors, notices = read_all(path)
    assert [a.id for a in articles] == [str(path)]
    assert len(articles[0].text.split("\n")) == PARAGRAPHS
    assert "“We counted them twice,”" in articles[0].text
    assert "café" in articles[0].text
    assert "comment" not in articles[0].text
    assert not errors
    assert notices == ([f"{path}: {notice}"] if notice else [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no article was found in this page"),
        (b"<html><body><img src='a.jpg'></body></html>", "no article was found in this page"),
        (b"<p>\x81\x8d\x8f</p>", "neither UTF-8 nor Windows-1252"),
        (b"<p>One.\0</p>", "holds a NUL"),
        (PAGE.encode() + b" " * lines.MAX_PAGE, "longer than 4 MiB; extract its text into a .txt file"),
    ],
)
def test_a_page_without_an_article_is_named(tmp_path, content, message):
    (tmp_path / "a.html").write_bytes(content)
    (tmp_path / "good.txt").write_text("Good.")
    articles, errors = read(tmp_path)
    assert [a.text for a in articles] == ["Good."]
    assert len(errors) == 1
    assert errors[0].startswith(f"a.html: {message}")


def test_without_trafilatura_a_page_names_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.html").write_text(PAGE)
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    assert read(tmp_path)[1] == ["a.html: reading HTML needs trafilatura; run: pip install 'claimsift[html]'"]


def test_a_page_that_trafilatura_fails_on_is_named_and_the_rest_is_read(tmp_path, monkeypatch):
    import trafilatura

    extract = trafilatura.extract

    def fail_on_b(markup, **options):
        return [][1] if "B." in markup else extract(markup, **options)

    for name in "abc":
        (tmp_path / f"{name}.html").write_text(PAGE.format(head=f"<!-- {name.upper()}. -->"))
    monkeypatch.setattr(trafilatura, "extract", fail_on_b)
    articles, errors = read(tmp_path)
    assert [a.id for a in articles] == ["a.html", "c.html"]
    assert errors == [
        "b.html: trafilatura cannot read this page (list index out of range); save its text as a .txt file"
    ]


def test_offsets_of_a_page_point_into_the_text_that_is_written_out(tmp_path):
    (tmp_path / "pages" / "sub").mkdir(parents=True)
    (tmp_path / "pages" / "sub" / "a.html").write_text(PAGE)
    (tmp_path / "b.html").write_text(PAGE)
    done = score("pages", "pages/../b.html", "--texts", "texts", "--format", "jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.relative_to(tmp_path / "texts").as_posix() for path in (tmp_path / "texts").rglob("*.txt")}
    assert written == {"sub/a.html.txt", "pages/b.html.txt"}
    for row in rows(done.stdout):
        text = (tmp_path / "texts" / f"{row['article_id'].replace('../', '')}.txt").read_bytes().decode()
        assert text[row["start"] : row["end"]] == row["text"]


def test_a_text_that_cannot_be_written_out_ends_the_job(tmp_path):
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "texts").write_text("")
    with pytest.raises(ClaimsiftError, match=r"a\.html\.txt: cannot be written"):
        read(tmp_path / "a.html", texts=tmp_path / "texts")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".csv", ".jsonl", ".jsonl.zst"])
def test_line_ends_and_odd_characters_come_through_in_every_encoding(tmp_path, encoding, suffix):
    from test_articles import PACK

    text = TRICKY.removeprefix("\ufeff")
    content = {"j": json.dumps({"text": text}, ensure_ascii=False) + "\n", "c": f'text\r\n"{text}"\r\n', "t": text}[
        suffix[1]
    ]
    if encoding.endswith("-bom"):
        data = ("\ufeff" + content).encode(encoding.removesuffix("-bom"))
    else:
        data = content.encode(encoding)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(PACK[path.suffix if path.suffix in PACK else ""](data))
    articles, errors, notices = read_all(path)
    assert [a.text for a in articles] == [text]
    assert not errors + notices
    assert all(text[s.start : s.end] == s.text for s in split_sentences(text))


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".tsv"])
def test_what_is_not_utf_8_is_read_as_windows_1252_and_reported_once(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes("text\nThe “crew” – café.\nPlain.\n‘Two’\n".encode("cp1252"))
    articles, errors, notices = read_all(path)
    assert "“crew” – café." in articles[0].text
    assert "‘Two’" in articles[-1].text
    assert not errors
    assert notices == [f"{path}: read as Windows-1252, it is not UTF-8"]


def test_windows_1252_that_could_be_utf_8_by_accident_is_read_as_it_is(tmp_path):
    path = tmp_path / "a.csv"
    rows = ["CAFÉ’s owner denied it.", "CLICHÉ—or “not”?", "MALMÖ’s mayor", "The café was shut.", "‘ZOË’"]
    path.write_bytes("\n".join(["text", *rows]).encode("cp1252"))
    articles, errors, notices = read_all(path)
    assert [a.text for a in articles] == rows
    assert not errors
    assert notices == [f"{path}: read as Windows-1252, it is not UTF-8"]


@pytest.mark.parametrize(
    "row",
    [
        *(
            "Η Ζωή",
            "В Детройте",
            "Дети",
            "ї",
            "Œuvre",
            "CŒUR",
            "LIETUVĖ",
            "Michał",
            "ɒ",
            "/kɒt/",
            "ÉCOLE",
            "ZOЗ ж",
            "É’s",
        ),
        *("Ž", "Ö", "MAÑANA", "CAFÉ’s", "ה", "Ελλάδα", "ÇA", "SÃO", "TΔS", "’", "BEYONCÉ–", "İSTANBUL", "Ω"),
    ],
)
def test_utf_8_with_few_other_characters_is_utf_8(tmp_path, row):
    path = tmp_path / "a.csv"
    path.write_bytes(f"text\n{row}\ncafé\n".encode())
    articles, errors, notices = read_all(path)
    assert [a.text for a in articles] == [row, "café"]
    assert not errors + notices


def test_a_line_in_doubt_says_nothing_of_those_behind_it(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text\n/Pɒ/\ncafé\n/Pɒ/\n".encode())
    articles, errors, notices = read_all(path)
    assert [a.text for a in articles] == ["/PÉ’/", "café", "/Pɒ/"]
    assert not errors
    assert notices == [f"{path}: read as Windows-1252, it is not UTF-8"]


def test_rows_of_a_file_in_two_encodings_are_never_silently_wrong(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text\ncaf\xe9\n" + "café\n".encode() + b"caf\xe9s\n")
    articles, errors, notices = read_all(path)
    assert [a.text for a in articles] == ["café", "cafés"]
    assert [error.partition(": not UTF-8")[0] for error in errors] == [f"{path}:3"]
    assert len(notices) == 1


def test_json_lines_are_utf_8_and_nothing_else(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "caf\xe9"}\n')
    articles, errors, notices = read_all(path)
    assert (articles, notices) == ([], [])
    assert errors[0].startswith(f"{path}:1: not valid JSON")


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.txt", b"One.\nTw\0o.\n", ":2"),
        ("a.txt", b"\x7fELF\x02\x01\x01\0\0\0", ":1"),
        ("a.jsonl", b"\x7fELF\x02\x01\x01\0\0\0\n" * 9, ":1"),
        ("a.csv", b"PK\x03\x04\0\0\n" * 9, ":1"),
        ("a.csv", b"text\nOne\0.\n", ":2"),
        ("a.jsonl", b'{"text": "One\\u0000."}\n', ":1"),
        ("a.jsonl", b'{"text": "One.", "id": "\\u0000"}\n', ":1"),
        ("a.txt", "One.".encode("utf-16-le"), ":1"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x81\x8d", ":3"),
    ],
)
def test_binary_files_and_nul_bytes_are_named(tmp_path, name, content, place):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.txt").write_text("Good.")
    articles, errors = read(tmp_path)
    assert [a.text for a in articles] == ["Good."]
    assert len(errors) == 1
    assert errors[0].startswith(f"{name}{place}: ")
    assert "holds a NUL" in errors[0] or "not UTF-8" in errors[0]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.tsv", "a.txt.gz"])
@pytest.mark.parametrize("content", [b"", b" \n\t\r\n \n"])
def test_a_file_without_text_is_told_and_is_no_failure(tmp_path, name, content):
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    articles, errors, notices = read_all(tmp_path)
    assert not errors
    assert all(not article.text.strip() for article in articles)
    assert notices == [f"{name}: holds no text, and gets no row"]


def peak_memory(path, **options):
    tracemalloc.start()
    try:
        result = read(path, **options)
        return *result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.jsonl.gz"])
def test_a_line_of_100_mb_is_refused_and_does_not_fill_the_memory(tmp_path, name):
    long, opened = b"x" * 100_000_000, gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "wb") as stream:
        stream.write({"j": b'{"text": "One."}\n', "c": b"text\nOne.\n", "t": b"One.\n"}[name[2]])
        stream.write(long)
        stream.write(b'\n{"text": "Two."}\n')
    del long
    articles, errors, peak = peak_memory(tmp_path / name)
    expected = {"j": ["One.", "Two."], "c": ["One."], "t": []}
    assert [a.text for a in articles] == expected[name[2]]
    assert len(errors) == 1
    assert "longer than 64 MiB" in errors[0]
    assert peak < 150_000_000  # twice the limit, since it is read in pieces that are put together


@pytest.fixture
def small_limits(monkeypatch):
    from claimsift.articles import rows

    for module in (lines, rows, reader):
        monkeypatch.setattr(module, "MAX_LINE", 1000)
    monkeypatch.setattr(reader, "MAX_TEXT", 5000)


def test_rows_behind_one_that_is_too_long_are_read(tmp_path, small_limits, write_jsonl):
    path = write_jsonl("a.jsonl", [{"text": "One."}, {"text": "x" * 5000}, {"text": "Two."}])
    articles, errors = read(path)
    assert [a.text for a in articles] == ["One.", "Two."]
    assert [error.partition(":")[2].partition(" ")[0] for error in errors] == ["2:"]
    parquet = write_parquet(tmp_path / "a.parquet", {"text": ["One.", "x" * 5000, "Two."]})
    articles, errors = read(parquet)
    assert [a.text for a in articles] == ["One.", "Two."]
    assert [error.split(": ")[0] for error in errors] == [f"{parquet}:2"]


@pytest.mark.parametrize("row", ['"' + "One.\n" * 300, ",".join(['"a\nb"'] * 300)])
def test_a_csv_row_without_an_end_ends_the_file(tmp_path, small_limits, row):
    path = tmp_path / "a.csv"
    path.write_text(f"text\nOne.\n{row}\nTwo.\n", newline="")
    articles, errors = read(path)
    assert [a.text for a in articles] == ["One."]
    assert len(errors) == 1
    assert errors[0].startswith(f"{path}:3: longer than 64 MiB; cut it up, or close its quotation mark")


def test_a_gzip_bomb_does_not_fill_the_memory(tmp_path, small_limits):
    path = tmp_path / "a.txt.gz"
    with gzip.open(path, "wb") as stream:
        for _ in range(50):
            stream.write((b"x" * 99 + b"\n") * 10_000)
    articles, errors, peak = peak_memory(path)
    assert not articles
    assert errors == [f"{path}:51: longer than 256 MiB up to here; cut it up"]
    assert peak < 2_000_000


def test_a_truncated_parquet_file_is_named(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"text": ["One."] * 1000})
    path.write_bytes(path.read_bytes()[:-100])
    articles, errors = read(path)
    assert not articles
    assert errors[0].startswith(f"{path}: not a Parquet file, or damaged (")


def test_a_file_that_the_system_cannot_read_is_named(tmp_path):
    os.symlink("/proc/self/mem", tmp_path / "a.txt")  # who runs the tests may be allowed to read every ordinary file
    (tmp_path / "good.txt").write_text("Good.")
    articles, errors = read(tmp_path / "a.txt", tmp_path / "good.txt")
    assert [a.text for a in articles] == ["Good."]
    assert errors == [f"{tmp_path / 'a.txt'}: Input/output error"]


def test_a_folder_that_the_system_cannot_read_is_named_and_the_rest_is_read(tmp_path, monkeypatch):
    for name in ("a.txt", "b/locked/c.txt", "b/z.txt", "out/d.txt", "e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    scandir, locked = os.scandir, {str(tmp_path / "b" / "locked"), str(tmp_path / "out")}

    def deny(path="."):  # who runs the tests may be allowed to read every folder
        if os.fspath(path) in locked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    articles, errors = read(tmp_path, exclude=frozenset({tmp_path.resolve() / "out"}))
    assert [a.text for a in articles] == ["a.txt", "b/z.txt", "e.txt"]
    assert errors == ["b/locked: Permission denied"]
    assert [name for name, _, _ in ArticleReader().find([str(tmp_path)])] == [
        "a.txt",
        "b/locked",
        "b/z.txt",
        "e.txt",
        "out",
    ]
    assert read(tmp_path / "out") == ([], [f"{tmp_path / 'out'}: Permission denied"])


def test_a_link_does_not_lead_out_of_a_folder(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.txt").write_text("Secret.")
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (inside / "a.txt").write_text("One.")
    (inside / "sub" / "same.txt").symlink_to("../a.txt")
    (inside / "sub" / "out.txt").symlink_to("../../secret/s.txt")
    (inside / "folder").symlink_to(tmp_path / "secret")
    (inside / "around").symlink_to("sub")
    (inside / "x.txt").symlink_to("gone.txt")
    articles, errors = read(inside)
    assert [a.text for a in articles] == ["One.", "One."]
    reason = "a link that leads out of the folder; name it on the command line to read it"
    assert errors == [f"folder: {reason}", f"sub/out.txt: {reason}", "x.txt: No such file or directory"]
    assert [a.text for a in read(inside / "sub" / "out.txt")[0]] == ["Secret."]
    names = [name for name, _ in ArticleReader().files([str(inside)])]
    assert names == ["a.txt", "sub/same.txt", "x.txt"]


def test_ids_that_come_again_are_told_once_for_each_file(tmp_path, write_jsonl):
    first = write_jsonl("a.jsonl", [{"id": "x", "text": "One."}, {"id": "y", "text": "Two."}])
    second = write_jsonl("b.jsonl", [{"id": "y", "text": "Three."}, {"id": "x", "text": "Four."}])
    articles, errors, notices = read_all(first, second)
    assert len(articles) == 4
    assert not errors
    assert notices == [f"{second}: the id 'y' came before; both are scored, under the same id"]


def test_only_so_many_ids_are_remembered(monkeypatch, write_jsonl):
    monkeypatch.setattr(reader, "REMEMBERED_IDS", 2)
    path = write_jsonl("a.jsonl", [{"id": id, "text": "One."} for id in "abca"])
    assert not read_all(path)[2]


def test_titles_come_with_their_articles(write_jsonl):
    contents = [
        {"text": "One.", "head": " Two "},
        {"text": "Three.", "head": None},
        {"text": "Four."},
        {"text": "5.", "head": 5},
    ]
    path = write_jsonl("a.jsonl", [*contents, {"text": "Six."}])
    articles, errors, notices = read_all(path, title_column="head")
    assert [(a.text, a.title) for a in articles] == [("One.", "Two"), ("Three.", ""), ("Four.", ""), ("Six.", "")]
    assert errors == [f"{path}:4: column 'head' is 5; it must hold the title (--title-column names it)"]
    assert notices == [f"{path}:3: no column 'head' among 'text'; it is taken to be empty"]


def test_a_wrong_value_is_quoted_only_in_part(write_jsonl):
    path = write_jsonl("a.jsonl", [{"text": ["x" * 1000]}, {"y" * 1000: ""}])
    assert all(len(error) < 400 + len(str(path)) and "…" in error for error in read(path)[1])


def test_a_title_is_row_0_and_sentences_point_into_the_text_column(tmp_path):
    table = [
        {"id": "a", "text": "It sank. Police denied it.", "title": "Ferry sinks"},
        {"id": "b", "text": "It rained."},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    done = score("a.jsonl", "--title-column", "title", "--format", "jsonl", cwd=tmp_path)
    assert done.returncode == 0
    scored = [
        (row["article_id"], row["sentence_index"], row["start"], row["end"], row["text"]) for row in rows(done.stdout)
    ]
    assert scored == [
        ("a", 0, -1, -1, "Ferry sinks"),
        ("a", 1, 0, 8, "It sank."),
        ("a", 2, 9, 26, "Police denied it."),
        ("b", 0, 0, 10, "It rained."),
    ]
    assert "a.jsonl:2: no column 'title'" in done.stderr


def test_columns_are_kept_in_every_format_with_columns(tmp_path):
    day = pyarrow.array([0, 1], pyarrow.int32()).view(pyarrow.date32())
    columns = {"text": ["It sank.", "It rained."], "url": ["u1", None], "tags": [["a"], []], "nr": [1, 2], "day": day}
    write_parquet(tmp_path / "a.parquet", columns)
    for suffix in ("jsonl", "csv", "parquet"):
        done = score("a.parquet", "-o", f"out.{suffix}", "--keep", "url", "tags", "nr", "--keep", "day", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    kept = [[row[name] for name in ("url", "tags", "nr", "day")] for row in rows((tmp_path / "out.jsonl").read_text())]
    assert kept == [["u1", ["a"], 1, "1970-01-01"], [None, [], 2, "1970-01-02"]]
    as_text = [["u1", '["a"]', "1", "1970-01-01"], [None, "[]", "2", "1970-01-02"]]
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names[-5:] == ["furniture", "url", "tags", "nr", "day"]
    assert [[row[name] for name in ("url", "tags", "nr", "day")] for row in table.to_pylist()] == as_text
    with (tmp_path / "out.csv").open(newline="") as stream:
        from_csv = [[row[name] or None for name in ("url", "tags", "nr", "day")] for row in csv.DictReader(stream)]
    assert from_csv == as_text


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_a_column_that_is_kept_twice_is_written_once(write_jsonl, tmp_path, format):
    path, out = write_jsonl("a.jsonl", [{"text": "One.", "url": "u", "by": "b"}]), tmp_path / f"out.{format}"
    assert cli.main(["score", str(path), "-o", str(out), "--keep", "url", "by", "--keep", "url"]) == 0
    written = {
        "jsonl": lambda: list(rows(out.read_text())[0]),
        "csv": lambda: out.read_text().splitlines()[0].split(","),
        "parquet": lambda: pyarrow.parquet.read_schema(out).names,
    }[format]()
    assert written[-3:] == ["furniture", "url", "by"]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_kept_numbers_that_json_has_not_are_null(tmp_path, write_jsonl, suffix):
    kept = {"nr": float("nan"), "nrs": [1.5, float("-inf"), "NaN"], "by": {"a": {"b": float("inf")}}, "ok": 0.5}
    if suffix == "jsonl":
        path = write_jsonl("a.jsonl", [{"text": "It sank.", **kept}])
    else:
        kept["nrs"] = kept["nrs"][:2]
        path = write_parquet(tmp_path / "a.parquet", {"text": ["It sank."], **{k: [v] for k, v in kept.items()}})
    article = read(path, keep=tuple(kept))[0][0]
    stream = io.BytesIO()
    scored = ScoredSentence("It sank.", 0, 8, "background", 1.0, {"background": 1.0}, False)
    JsonlWriter(stream, keep=tuple(kept)).write(article, [scored])
    row = json.loads(stream.getvalue(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    expected = {"nr": None, "nrs": [1.5, None, *kept["nrs"][2:]], "by": {"a": {"b": None}}, "ok": 0.5}
    assert {column: row[column] for column in kept} == expected
    assert as_text(kept["nr"]) is None
    assert as_text(kept["by"]) == '{"a": {"b": null}}'


def test_a_kept_value_that_cannot_be_written_fails_its_row(write_jsonl):
    path = write_jsonl("a.jsonl", ['{"text": "One.", "by": ["\\ud800"]}', {"text": "Two.", "by": None}])
    articles, errors = read(path, keep=("by",))
    assert [a.text for a in articles] == ["Two."]
    assert [error.split(": ")[0] for error in errors] == [f"{path}:1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--keep", "label", "--format", "csv"], "--keep label: the output has a column of that name"),
        (["--keep", "url"], "--keep needs columns, which text has not"),
        (["--title-column", "t", "--unit", "sentence"], "--title-column is for articles"),
        (["--texts", "texts", "--engine", "ray", "-o", "out/", "--format", "parquet"], "--texts does not go with"),
        (
            ["--part-sentences", "9", "--engine", "ray", "-o", "out/", "--format", "parquet"],
            "--part-sentences does not go with --engine ray",
        ),
        (["--workers", "2"], "--workers is for --engine ray"),
        (["--model", ""], "the name of the model is empty"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("One.")
    assert cli.main(["score", "a.txt", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet", "text"])
def test_furniture_is_marked_in_rows_and_left_out_on_request(tmp_path, capfdbinary, format):
    path = tmp_path / "a.txt"
    path.write_text("By Ann Bee\nThe ministry denied it.\nShare this story\nIt rained.\n")
    out = tmp_path / f"out.{format}"
    assert cli.main(["score", str(path), "-o", str(out), "--format", format, "--skip-furniture"]) == 0
    content = out.read_bytes()
    for left_out in (b"Ann Bee", b"Share this"):
        assert left_out not in content
    if format == "jsonl":
        assert [(row["sentence_index"], row["furniture"]) for row in rows(content.decode())] == [(1, False), (3, False)]
        assert cli.main(["score", str(path), "--format", "jsonl"]) == 0
        marked = rows(capfdbinary.readouterr().out.decode())
        assert [row["furniture"] for row in marked] == [True, False, True, False]
        assert [row["background"] for row in marked if row["furniture"]] == [1.0, 1.0]


def test_a_job_with_other_columns_is_another_job(tmp_path, write_jsonl, capsys):
    path, out = write_jsonl("a.jsonl", [{"text": "One.", "url": "u"}]), f"{tmp_path / 'out'}/"
    assert cli.main(["score", str(path), "-o", out, "--format", "csv", "--keep", "url"]) == 0
    assert cli.main(["score", str(path), "-o", out, "--format", "csv"]) == 1
    assert "parts of a job with other writer options" in capsys.readouterr().err


def test_notices_are_printed_and_do_not_change_the_exit_code(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"The caf\xe9 was shut.")
    (tmp_path / "b.txt").write_text("")
    for output in ([], ["-o", "out.jsonl"]):
        done = score("a.txt", "b.txt", *output, "--errors", "errors.jsonl", cwd=tmp_path)
        assert done.returncode == 0
        told = [line for line in done.stderr.splitlines() if "sentences" not in line]
        assert told == [
            "claimsift: a.txt: read as Windows-1252, it is not UTF-8",
            "claimsift: b.txt: holds no text, and gets no row",
        ]
        assert (tmp_path / "errors.jsonl").read_text() == ""


def test_standard_input_may_be_utf_16(tmp_path):
    command = [sys.executable, "-m", "claimsift.cli", "score", "-", "--format", "jsonl"]
    done = subprocess.run(command, input='{"text": "The café."}\n'.encode("utf-16"), capture_output=True, cwd=ROOT)
    assert [row["text"] for row in rows(done.stdout.decode())] == ["The café."]
