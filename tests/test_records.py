import pytest

from claimsift.annotations.records import RecordError, read_records

STAND_OFF = {
    "id": "a",
    "source": "newsarticles",
    "doc": "1",
    "start": 0,
    "end": 5,
    "sha1": "0" * 16,
    "label": "claim",
    "split": "train",
}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"id": ', "not valid JSON"),
        ("[]", "not a JSON object"),
        ({"text": "One.", "label": "clam"}, 'label "clam" is none of claim, denial'),
        ({"text": "One."}, "label null is none of"),
        ({"text": "One.", "label": "claim", "split": "validation"}, 'split "validation" is none of train, dev, test'),
        ({"text": " ", "label": "claim"}, "'text' is empty"),
        ({"text": 3, "label": "claim"}, "'text' is 3; it must be a string"),
        ({"label": "claim", "id": "a", "source": "lee"}, "has no 'doc', 'start', 'end', 'sha1', 'split'; a record"),
        (STAND_OFF | {"start": "0"}, "'start' is \"0\"; it must be a whole number"),
        ({"text": "One.", "label": "claim", "start": "x"}, "'start' is \"x\"; it must be a whole number"),
        ("[" * 100_000, "not valid JSON"),
        ('{"text": "One \\ud800.", "label": "claim"}', "'text' holds half of a surrogate pair"),
        (STAND_OFF | {"start": 5}, "start 5 and end 5 enclose no text"),
    ],
)
def test_a_broken_record_is_named_by_file_line_and_reason(write_jsonl, record, reason):
    path = write_jsonl("a.jsonl", [STAND_OFF | {"id": "good"}, record])
    with pytest.raises(RecordError) as caught:
        read_records(path)
    assert caught.value.place == f"{path}:2"
    assert reason in caught.value.reason


def test_an_id_may_occur_once_in_all_files_of_a_folder(write_jsonl):
    first = write_jsonl("a.jsonl", [STAND_OFF])
    second = write_jsonl("b.jsonl", [STAND_OFF])
    with pytest.raises(RecordError, match="id 'a' is that of") as caught:
        read_records(first.parent)
    assert caught.value.place == f"{second}:1"


def test_a_document_belongs_to_one_split(write_jsonl):
    path = write_jsonl("a.jsonl", [STAND_OFF, STAND_OFF | {"id": "b", "split": "dev"}])
    with pytest.raises(RecordError, match=r"a\.jsonl:2: document '1' of newsarticles is in dev here and in train at"):
        read_records(path)


def test_own_records_need_text_and_label_alone(write_jsonl):
    path = write_jsonl("own.jsonl", [{"text": "One.", "label": "claim", "split": None, "colour": "red"}])
    [record] = read_records(path)
    assert (record.id, record.source, record.split, record.text) == ("own.jsonl:1", "own", None, "One.")


@pytest.mark.parametrize("name", ["missing", "empty.jsonl"])
def test_nothing_to_read_is_an_error(tmp_path, name):
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(RecordError, match=name):
        read_records(tmp_path / name)
