import gzip
import io
import json
import random
import sys
import tracemalloc
import zlib

import pyarrow as pa
import pytest
from pyarrow import parquet

from claimsift.articles import ArticleReader
from claimsift.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def zstd_compress(data: bytes) -> bytes:
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})  # as the zstd command does


PACK = {"": bytes, ".gz": gzip.compress, ".GZ": gzip.compress, ".zst": zstd_compress, ".Zst": zstd_compress}
CONTENTS = {
    ".txt": "\ufeffOne.\r\n\nTwo – “three”.\n".encode(),
    ".jsonl": '{"text": "One.", "outlet": "x"}\n\n[1]\n{"id": 7, "text": "Two – “three”."}'.encode(),
    ".csv": b'id,text,outlet\n,"One.\nStill one.",x\n7\n8,Two.,\n,caf\xe9,\n',
}


def read(*inputs, **options):
    """Returns the articles of the inputs and the errors met on the way."""
    articles, errors, _ = read_all(*inputs, **options)
    return articles, errors


def read_all(*inputs, **options):
    """Returns the articles of the inputs, the errors met on the way, and the notices."""
    errors, notices = [], []
    reader = ArticleReader(**options, on_error=errors.append, on_notice=notices.append)
    return list(reader.read(map(str, inputs))), list(map(str, errors)), list(map(str, notices))


def test_a_text_file_is_one_article_with_its_line_ends_as_they_are(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffOne.\r\nTwo – “three”.\n".encode())
    articles, errors = read(path)
    assert [(a.id, a.text) for a in articles] == [(str(path), "One.\r\nTwo – “three”.\n")]
    assert not errors


def test_jsonl_rows_are_named_by_id_or_by_line(write_jsonl):
    path = write_jsonl("a.jsonl", [{"id": 7, "text": "One."}, "", {"text": "Two.", "outlet": "x"}])
    articles, errors = read(path, keep=("outlet",))
    assert [a.id for a in articles] == ["7", f"{path}:3"]
    assert articles[1].metadata == {"outlet": "x"}
    assert not errors


def test_broken_rows_are_named_by_line_and_the_rest_is_read(write_jsonl):
    rows = [
        {"text": "One."},
        '{"text": ',
        "[1]",
        {"body": "x"},
        {"text": None},
        '{"text": "\\ud800"}',
        {"text": "Two."},
    ]
    path = write_jsonl("a.jsonl", rows)
    articles, errors = read(path)
    assert [a.text for a in articles] == ["One.", "Two."]
    assert [error.removeprefix(f"{path}:")[0] for error in errors] == list("23456")
    assert "not valid JSON" in errors[0]
    assert "not a JSON object" in errors[1]
    assert "no column 'text' among 'body'" in errors[2]
    assert "column 'text' is null" in errors[3]
    assert "surrogate" in errors[4]


def test_a_row_that_is_not_utf_8_fails_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "caf\xe9"}\n{"text": "Two."}\n')
    articles, errors = read(path)
    assert [a.text for a in articles] == ["Two."]
    assert errors[0].startswith(f"{path}:1: not valid JSON")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
@pytest.mark.parametrize("bad", [b"caf\xe9 \xc3\xa9", b"\x81", b"half of \xc3\xa9\xc3"])
def test_a_line_that_is_no_text_fails_alone_in_other_files_too(tmp_path, suffix, bad):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"text\nOne.\n" + bad + b"\nTwo.\n")
    articles, errors = read(path, lines=True)
    assert [a.text for a in articles][-2:] == ["One.", "Two."]
    assert [error.split(": ")[0] for error in errors] == [f"{path}:3"]


def test_what_breaks_a_whole_file_breaks_no_other(tmp_path):
    (tmp_path / "nested.jsonl").write_text("[" * 100_000 + "\n" + '{"text": "Nested."}\n')
    (tmp_path / "mac.csv").write_bytes(b"text\rOne.\r")
    (tmp_path / "surrogate.jsonl").write_text('{"id": "\\ud800", "text": "One."}\n')
    (tmp_path / "good.txt").write_text("Good.")
    names = [tmp_path / name for name in ("nested.jsonl", "mac.csv", "surrogate.jsonl", "x" * 300, "good.txt")]
    articles, errors = read(*names)
    assert [a.text for a in articles] == ["Nested.", "Good."]
    assert [error.split(": ")[0] for error in errors] == [
        f"{names[0]}:1",
        f"{names[1]}:1",
        f"{names[2]}:1",
        str(names[3]),
    ]


def test_an_empty_id_is_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,text\nx,One.\n,Two.\n")
    assert [a.id for a in read(path)[0]] == ["x", f"{path}:3"]


def test_csv_rows_that_span_lines_are_named_by_their_first(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('nr,body\n1,"One.\nStill one."\n2\n3,"Two, three."\n', newline="")
    articles, errors = read(path, text_column="body")
    assert [(a.id, a.text) for a in articles] == [(f"{path}:2", "One.\nStill one."), (f"{path}:5", "Two, three.")]
    assert errors == [f"{path}:4: 1 fields where the header has 2"]


def test_a_csv_field_may_be_longer_than_the_default_limit(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text\n" + "word " * 100_000 + "\n")
    assert len(read(path)[0][0].text) == 500_000


def test_a_named_id_column_must_be_there(write_jsonl):
    path = write_jsonl("a.jsonl", [{"text": "One.", "nr": "x"}, {"text": "Two."}])
    articles, errors = read(path, id_column="nr")
    assert [a.id for a in articles] == ["x"]
    assert errors == [f"{path}:2: no 'nr' to name the article by (--id-column)"]


def test_a_folder_is_read_in_order_and_its_articles_named_from_it(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.txt", "sub/c.txt", "a.txt", "ignored.pdf"):
        (tmp_path / name).write_text(name)
    assert [a.id for a in read(tmp_path)[0]] == ["a.txt", "b.txt", "sub/c.txt"]


def test_a_glob_is_expanded(tmp_path):
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).write_text("text\n")
    assert [a.id for a in read(tmp_path / "*.txt")[0]] == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]


def test_input_that_cannot_be_read_is_named_and_the_rest_is_read(tmp_path):
    (tmp_path / "latin.txt").write_bytes("one – two\n".encode() + b"caf\xe9\n")
    (tmp_path / "a.docx").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.txt").write_text("Good.")
    names = ("missing.txt", "latin.txt", "a.docx", "empty", "no*.txt", "good.txt")
    articles, errors = read(*(tmp_path / name for name in names))
    assert [a.text for a in articles] == ["Good."]
    reasons = (": No such file", ":2: not UTF-8", ": not one of .txt", ": no .txt", ": no file matches")
    for name, error, reason in zip(names, errors, reasons, strict=False):
        assert error.startswith(f"{tmp_path / name}{reason}")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("One.\nTwo.\n", [("-", "One.\nTwo.\n")]),
        ('\n{"text": "One."}\n{"id": "b", "text": "Two."}\n', [("-:2", "One."), ("b", "Two.")]),
        ('{"text": \n{"text": "Two."}\n', [("-:2", "Two.")]),
        ("", [("-", "")]),
    ],
)
def test_standard_input_is_text_or_json_lines(monkeypatch, content, expected):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content.encode()))))
    assert [(a.id, a.text) for a in read("-")[0]] == expected


def test_lines_can_be_texts_of_their_own(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One.\n\n Two. \n")
    assert [(a.id, a.text) for a in read(path, lines=True)[0]] == [(f"{path}:1", "One."), (f"{path}:3", "Two.")]


def test_without_on_error_the_first_error_is_raised():
    with pytest.raises(InputError, match=r"missing\.txt: No such file"):
        list(ArticleReader().read(["missing.txt"]))


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("packing", [".gz", ".GZ", ".zst", ".Zst"])
@pytest.mark.parametrize("kind", CONTENTS)
def test_a_compressed_file_reads_like_the_plain_one(tmp_path, kind, packing, lines):
    plain, packed = tmp_path / f"a{kind}", tmp_path / f"a{kind}{packing}"
    plain.write_bytes(CONTENTS[kind])
    packed.write_bytes(PACK[packing](CONTENTS[kind]))

    def seen(path):
        articles, errors = read(path, lines=lines, keep=("outlet",))
        named = [(article.id.replace(str(path), "path"), article.text, article.metadata) for article in articles]
        return named, [error.replace(str(path), "path") for error in errors]

    assert seen(packed) == seen(plain)
    assert seen(plain)[0]


def test_folders_and_globs_hold_compressed_files_and_parquet(tmp_path):
    for kind, content in CONTENTS.items():
        for packing, pack in PACK.items():
            (tmp_path / f"a{kind}{packing}").write_bytes(pack(content))
    write_parquet(tmp_path / "a.PARQUET", {"text": ["One."]})
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x"))
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(b"x"))
    (tmp_path / ".txt.gz").write_bytes(gzip.compress(b"x"))
    names = [name for name, _ in ArticleReader().files([str(tmp_path)])]
    assert names == sorted([*(f"a{kind}{packing}" for kind in CONTENTS for packing in PACK), "a.PARQUET"])
    assert [name for name, _ in ArticleReader().files([str(tmp_path / "*.csv.g*")])] == [str(tmp_path / "a.csv.gz")]
    assert (
        "not one of .txt, .html, .htm, .jsonl, .csv, .tsv (plain, .gz or .zst) or .parquet"
        in read(tmp_path / "a.parquet.gz")[1][0]
    )


def test_a_folder_called_like_a_file_is_not_opened_as_one(tmp_path):
    (tmp_path / "a.parquet").mkdir()
    write_parquet(tmp_path / "a.parquet" / "part-0.parquet", {"text": ["One."]})
    articles, errors = read(tmp_path)
    assert [a.id for a in articles] == ["a.parquet/part-0.parquet:1"]
    assert not errors


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_all_members_of_a_compressed_file_are_read(tmp_path, packing):
    members = [b'{"text": "One."}\n{"te', b'xt": "Two."}\n', b"", b'{"text": "Three."}\n']
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" if packing == ".zst" else b""
    path = tmp_path / f"a.jsonl{packing}"
    path.write_bytes(skippable + skippable.join(map(PACK[packing], members)))
    articles, errors = read(path)
    assert [a.text for a in articles] == ["One.", "Two.", "Three."]
    assert not errors


def test_zstd_archives_packed_with_a_long_window_are_read(tmp_path):
    options = {zstd.CompressionParameter.window_log: 28}  # the decoder's default limit is 27
    path = tmp_path / "a.jsonl.zst"
    with zstd.open(path, "wb", options=options) as stream:
        stream.write(b'{"text": "One."}\n')
    articles, errors = read(path)
    assert [a.text for a in articles] == ["One."]
    assert not errors


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def overwritten(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(1000) + data[middle + 1000 :]


def followed_by_something_else(data: bytes) -> bytes:
    return data + b"<html>"


def damaged_archive(folder, packing, damage) -> tuple:
    """Returns the file, followed by one that is whole, and the texts that it held."""
    texts = random_texts(10_000, 50)
    path = folder / f"a.jsonl{packing}"
    path.write_bytes(damage(PACK[packing]("".join(f'{{"text": "{text}"}}\n' for text in texts).encode())))
    (folder / "good.txt").write_text("Good.")
    return (path, folder / "good.txt"), texts


@pytest.mark.parametrize("damage", [truncated, followed_by_something_else])
@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_a_damaged_file_is_read_up_to_the_damage(tmp_path, packing, damage):
    inputs, texts = damaged_archive(tmp_path, packing, damage)
    articles, errors = read(*inputs)
    *before, last = [a.text for a in articles]
    assert before == texts[: len(before)]
    assert len(before) > 3000 if damage is truncated else len(before) == len(texts)
    assert last == "Good."
    assert [error.partition(" (")[0] for error in errors] == [
        f"{inputs[0]}:{len(before) + 1}: the file is damaged here or before"
    ]
    assert errors[0].endswith("; fetch it anew")


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_overwritten_bytes_are_noticed_at_the_checksum_at_the_latest(tmp_path, packing):
    inputs, texts = damaged_archive(tmp_path, packing, overwritten)
    articles, errors = read(*inputs)
    assert [a.text for a in articles[:3000]] == texts[:3000]
    assert articles[-1].text == "Good."
    assert [error for error in errors if "the file is damaged" in error] == errors[-1:]
    assert 3000 < int(errors[-1].removeprefix(f"{inputs[0]}:").partition(":")[0]) <= len(texts) + 1


def test_a_gzip_block_that_cannot_be_unpacked_is_named_too(tmp_path):
    texts = random_texts(10_000, 50)
    packer = zlib.compressobj(wbits=31)
    data = packer.compress("\n".join(texts).encode()) + packer.flush(zlib.Z_FULL_FLUSH)
    path = tmp_path / "a.txt.gz"
    path.write_bytes(data + b"\x07")  # a block of the type 3, which there is not
    articles, errors = read(path, lines=True)
    assert [a.text for a in articles] == texts[: len(articles)]
    assert len(articles) > 3000
    assert [error.partition(" (")[0] for error in errors] == [
        f"{path}:{len(articles) + 1}: the file is damaged here or before"
    ]


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("content", [b"", b"text\nOne.\n"])
def test_a_file_that_only_claims_to_be_compressed_is_named_with_line_one(tmp_path, kind, packing, content):
    path = tmp_path / f"a{kind}{packing}"
    path.write_bytes(content)
    articles, errors = read(path)
    assert not articles
    assert [error.partition(" (")[0] for error in errors] == [f"{path}:1: the file is damaged here or before"]


def write_parquet(path, columns: dict, **options):
    parquet.write_table(pa.table(columns), path, **options)
    return path


def random_texts(count: int, size: int) -> list[str]:
    """Texts that hardly compress, so that a file of them has many blocks."""
    source = random.Random(0)
    return [source.randbytes(size).hex() for _ in range(count)]


def test_rows_of_parquet_are_checked_like_those_of_json_lines(tmp_path, write_jsonl):
    columns = {
        "id": [7, None, 8, None],
        "text": ["One.", "Two – “three”.", None, "Four."],
        "tags": [["a", "b"], [], None, [None]],
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    table = write_parquet(tmp_path / "a.parquet", columns)
    lines = write_jsonl("a.jsonl", rows)
    for options in ({}, {"text_column": "body"}, {"text_column": "tags"}, {"id_column": "id"}):
        articles, errors = read(table, keep=("tags",), **options)
        expected, expected_errors = read(lines, keep=("tags",), **options)
        expected_ids = [article.id.replace(str(lines), str(table)) for article in expected]
        assert [a.id for a in articles] == expected_ids
        assert [(a.text, a.metadata) for a in articles] == [(a.text, a.metadata) for a in expected]
        assert errors == [error.replace(str(lines), str(table)) for error in expected_errors]
        assert errors


def test_values_of_parquet_that_are_no_text_break_their_row_only(tmp_path):
    path = tmp_path / "a.parquet"
    texts = pa.array([b"One.", b"caf\xe9", b"Three."])
    write_parquet(path, {"text": texts.view(pa.string()), "raw": texts})
    articles, errors = read(path)
    assert [a.text for a in articles] == ["One.", "Three."]
    assert [error.partition(": not UTF-8")[0] for error in errors] == [f"{path}:2"]
    assert f"{path}:1: column 'raw' is \"b'One.'\"; it must hold the text" in read(path, text_column="raw")[1][0]


def odd_columns() -> dict:
    """Columns whose second value is none of Python's."""
    days = pa.array([0, 10**9], pa.int32()).view(pa.date32())  # past the year 9999
    elsewhere = pa.array([None, 1], pa.timestamp("us", "Skarnholm/Quay"))
    return {
        "day": days,
        "when": elsewhere,
        "precise": pa.array([0, 1], pa.timestamp("ns")),
        "days": pa.ListArray.from_arrays([0, 1, 2], days),
        "record": pa.StructArray.from_arrays([days], ["day"]),
        "name": pa.array([b"", b"caf\xe9"]).view(pa.string()),
    }


def test_columns_of_parquet_that_nobody_asked_for_break_no_row(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"text": ["One.", "Two."], **odd_columns()})
    articles, errors = read(path)
    assert [(a.text, a.metadata) for a in articles] == [("One.", {}), ("Two.", {})]
    assert not errors
    assert "no column 'body' among 'text', 'day', 'when', 'precise'" in read(path, text_column="body")[1][0]


def test_kept_values_of_parquet_that_python_has_not_become_text(tmp_path):
    columns = odd_columns()
    broken = columns.pop("name")
    path = write_parquet(tmp_path / "a.parquet", {"text": ["One.", "Two."], "id": columns["day"], **columns})
    articles, errors = read(path, keep=tuple(columns))
    assert [a.id for a in articles] == ["1970-01-01", "<value out of range: 1000000000>"]
    kept = {column: str(value) for column, value in articles[1].metadata.items()}
    assert list(kept) == list(columns)
    assert kept["when"] == "1970-01-01 00:00:00.000001Z"
    assert kept["precise"] == "1970-01-01 00:00:00.000000001"
    assert kept["days"] == "[<value out of range: 1000000000>]"
    assert "out of range: 1000000000" in kept["record"]
    assert not errors
    assert f"{path}:2: column 'when' is" in read(path, text_column="when")[1][1]  # still no text of an article
    write_parquet(path, {"text": ["One.", "Two."], "name": broken})
    assert [error.partition(": not UTF-8")[0] for error in read(path, keep=("name",))[1]] == [f"{path}:2"]


def test_numbers_of_parquet_rows_go_on_over_batches_and_row_groups(tmp_path):
    texts = random_texts(2000, 4)
    path = write_parquet(tmp_path / "a.parquet", {"text": texts}, row_group_size=700)
    assert [(a.id, a.text) for a in read(path)[0]] == [(f"{path}:{i}", text) for i, text in enumerate(texts, start=1)]


@pytest.mark.parametrize("content", [b"", b"PAR1 is how such a file begins", b'{"text": "One."}\n'])
def test_a_file_that_is_no_parquet_is_named(tmp_path, content):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    (tmp_path / "good.txt").write_text("Good.")
    articles, errors = read(path, tmp_path / "good.txt")
    assert [a.text for a in articles] == ["Good."]
    assert len(errors) == 1
    assert errors[0].startswith(f"{path}: not a Parquet file, or damaged (")


def test_a_parquet_file_with_a_broken_column_name_is_named(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"text": ["One."], "outlet": ["x"]}, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"outlet", b"outl\xe9t"))
    articles, errors = read(path)
    assert not articles
    assert [error.partition(" (")[0] for error in errors] == [f"{path}: not a Parquet file, or damaged"]


def test_a_damaged_parquet_file_is_read_up_to_the_damage(tmp_path):
    texts = random_texts(10_000, 50)
    path = tmp_path / "a.parquet"
    options = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
    write_parquet(path, {"text": texts}, row_group_size=1000, **options)
    path.write_bytes(overwritten(path.read_bytes()))
    articles, errors = read(path)
    assert [a.text for a in articles] == texts[: len(articles)]
    assert len(articles) > 3000
    assert [error.partition(" (")[0] for error in errors] == [
        f"{path}:{len(articles) + 1}: the file is damaged here or before"
    ]
    assert errors[0].endswith("; fetch it anew")


def test_without_pyarrow_a_parquet_file_names_what_to_install(tmp_path, monkeypatch):
    write_parquet(tmp_path / "a.parquet", {"text": ["One."]})
    (tmp_path / "b.txt").write_text("Good.")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    articles, errors = read(tmp_path)
    assert [a.text for a in articles] == ["Good."]
    assert errors == ["a.parquet: reading Parquet needs pyarrow; run: pip install 'claimsift[parquet]'"]


def test_folders_and_globs_are_read_without_what_is_excluded(tmp_path):
    for name in ("a.txt", "out.txt", "runs/1/b.txt", "runs2/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link.txt").symlink_to("out.txt")
    (tmp_path / "circle.txt").symlink_to("circle.txt")
    exclude = frozenset({tmp_path.resolve() / "out.txt", tmp_path.resolve() / "runs"})
    articles, errors = read(tmp_path, exclude=exclude)
    assert [a.text for a in articles] == ["a.txt", "runs2/c.txt"]
    assert [error.partition(":")[0] for error in errors] == ["circle.txt"]
    assert [a.text for a in read(f"{tmp_path}/**/[abo]*.txt", exclude=exclude)[0]] == ["a.txt"]
    assert [a.text for a in read(tmp_path / "out.txt", exclude=exclude)[0]] == ["out.txt"]  # asked for by name
    assert ": no .txt" in read(tmp_path / "runs", exclude=exclude)[1][0]


def test_files_are_listed_in_the_order_they_are_read_in(tmp_path):
    for name in ("b/z.txt", "b/a.csv.gz", "c.jsonl", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text\n")
    (tmp_path / "empty").mkdir()
    inputs = [f"{tmp_path}/{name}" for name in ("b", "empty", "no*.txt", "missing.txt", "?.*", "x" * 300)] + ["-"]
    errors = []
    files = ArticleReader(on_error=errors.append).files(inputs)
    assert [path.as_posix().removeprefix(f"{tmp_path}/") for _, path in files] == [
        "b/a.csv.gz",
        "b/z.txt",
        "missing.txt",
        "a.txt",
        "c.jsonl",
        "-",
    ]
    assert [name.removeprefix(f"{tmp_path}/") for name, _ in files][:3] == ["a.csv.gz", "z.txt", "missing.txt"]
    assert not errors


def write_articles(path, texts: list[str]):
    """Writes a file of any format but plain text."""
    kind, packing = [*path.suffixes, ""][:2]
    if kind == ".parquet":
        return write_parquet(path, {"text": texts}, use_dictionary=False, compression="none", row_group_size=len(texts))
    rows = texts if kind == ".csv" else [json.dumps({"text": text}) for text in texts]
    path.write_bytes(PACK[packing]("\n".join(["text", *rows] if kind == ".csv" else rows).encode()))
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".jsonl.gz", ".csv.zst", ".parquet"])
def test_bytes_read_grow_from_nothing_to_the_size_of_the_file(tmp_path, suffix):
    path = write_articles(tmp_path / f"a{suffix}", random_texts(1000, 2000))
    reader = ArticleReader()
    assert reader.bytes_read == 0
    steps = [reader.bytes_read for _ in reader.read([str(path)])]
    size = path.stat().st_size
    assert steps == sorted(steps)
    assert 0 < steps[0] < 0.2 * size
    assert 0.4 * size < steps[500] < 0.7 * size
    assert reader.bytes_read == size


def test_bytes_read_hold_the_size_of_files_that_fail_too(tmp_path):
    texts = random_texts(1000, 2000)
    for suffix in (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", ".csv"):
        write_articles(tmp_path / f"good{suffix}", texts)
        path = write_articles(tmp_path / f"bad{suffix}", texts)
        path.write_bytes(truncated(path.read_bytes()))
    (tmp_path / "mac.csv").write_bytes(b"text\rOne.\r" + bytes(1_000_000))
    (tmp_path / "a.docx").write_text("x")
    inputs = [str(tmp_path), str(tmp_path / "a.docx"), str(tmp_path / "missing.txt")]
    reader = ArticleReader(on_error=lambda error: None)
    list(reader.read(inputs))
    assert reader.bytes_read == sum(path.stat().st_size for path in tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv.gz", ".parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, suffix):
    path = write_articles(tmp_path / f"a{suffix}", random_texts(15_000, 1000))  # 30 MB of text
    tracemalloc.start()
    try:
        count = sum(1 for _ in ArticleReader().read([str(path)]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 15_000
    assert peak < 6_000_000
