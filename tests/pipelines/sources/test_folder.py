"""A bucket in a folder: what it holds, how it is listed, and that nothing outside it is reached (fault matrix, 26)."""

from pathlib import Path

import pytest

from pipelines.sources.folder import FolderBucket
from pipelines.sources.transport import FetchError

KEYS = ["PMC1.1/PMC1.1.xml", "PMC1.1/g 1.jpg", "PMC1.2/PMC1.2.xml", "PMC11.1/PMC11.1.xml", "metadata/PMC1.1.json"]


@pytest.fixture
def bucket(tmp_path: Path) -> FolderBucket:
    for key in KEYS:
        file = tmp_path / "root" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(key)
    (tmp_path / "secret").write_text("SENTINEL")
    return FolderBucket(tmp_path / "root", max_bytes=1000)


def refusal(bucket: FolderBucket, key: str) -> str:
    with pytest.raises(FetchError) as refused:
        bucket.get(key)
    return refused.value.code


def test_an_object_is_the_file_of_its_key(bucket: FolderBucket) -> None:
    assert [bucket.get(key).decode() for key in KEYS] == KEYS


@pytest.mark.parametrize("key", ["PMC1.1/none.jpg", "PMC1.1", "metadata", "PMC1.1/PMC1.1.xml/x"])
def test_what_is_no_file_is_gone(bucket: FolderBucket, key: str) -> None:
    assert refusal(bucket, key) == "gone"


@pytest.mark.parametrize(
    "key",
    ["../secret", "PMC1.1/../../secret", "/etc/passwd", "", "a\0b", "x" * 1025, "PMC1.1/./g 1.jpg", "http://h/x?y"],
)
def test_keys_that_lead_elsewhere_are_refused(bucket: FolderBucket, key: str) -> None:
    assert refusal(bucket, key) == "bad_key"


def test_symbolic_links_do_not_lead_out(bucket: FolderBucket, tmp_path: Path) -> None:
    (tmp_path / "root/PMC1.1/out.jpg").symlink_to(tmp_path / "secret")
    (tmp_path / "root/PMC7.1").symlink_to(tmp_path)
    (tmp_path / "root/loop").symlink_to(tmp_path / "root/loop")
    assert refusal(bucket, "PMC1.1/out.jpg") == "bad_key"
    assert refusal(bucket, "PMC7.1/secret") == "bad_key"
    assert bucket.list("PMC7.1/") == []
    assert refusal(bucket, "loop") in {"gone", "unreadable"}


def test_a_name_longer_than_the_file_system_allows_is_a_refusal(bucket: FolderBucket) -> None:
    assert refusal(bucket, "x" * 1000) in {"gone", "unreadable"}


def test_more_bytes_than_the_cap_are_refused(bucket: FolderBucket, tmp_path: Path) -> None:
    (tmp_path / "root/PMC1.1/large.jpg").write_bytes(b"x" * 1001)
    assert refusal(bucket, "PMC1.1/large.jpg") == "too_large"


def test_listings_are_cut_after_the_delimiter(bucket: FolderBucket) -> None:
    assert bucket.list("PMC1.") == ["PMC1.1/", "PMC1.2/"]
    assert bucket.list("PMC1") == ["PMC1.1/", "PMC1.2/", "PMC11.1/"]
    assert bucket.list("PMC1.1/") == ["PMC1.1/PMC1.1.xml", "PMC1.1/g 1.jpg"]
    assert bucket.list("PMC1.1/g") == ["PMC1.1/g 1.jpg"]
    assert bucket.list("") == ["PMC1.1/", "PMC1.2/", "PMC11.1/", "metadata/"]
    assert bucket.list("PMC2.") == bucket.list("none/") == []
    assert bucket.list("", delimiter="") == sorted(KEYS)


def test_a_root_that_is_no_folder_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="bucket:PATH"):
        FolderBucket(tmp_path / "none")
