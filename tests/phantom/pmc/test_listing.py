"""ListObjectsV2."""

from pathlib import Path
from xml.etree import ElementTree

from phantom.pmc.listing import list_objects, no_such_key

S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"
KEYS = ["PMC1.1/a.jpg", "PMC1.1/b.xml", "PMC1.2/b.xml", "PMC10.1/b.xml", "metadata/PMC1.1.json"]


def listed(query: dict[str, str], tmp_path: Path) -> ElementTree.Element:
    for key in KEYS:
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"12345")
    return ElementTree.fromstring(list_objects(lambda key: (tmp_path / key).read_bytes(), KEYS, query))


def test_a_prefix_with_its_dot_does_not_match_longer_numbers(tmp_path: Path) -> None:
    root = listed({"prefix": "PMC1.", "delimiter": "/"}, tmp_path)
    assert [found.text for found in root.iterfind(f"{S3}CommonPrefixes/{S3}Prefix")] == ["PMC1.1/", "PMC1.2/"]


def test_a_common_prefix_counts_once_towards_a_page(tmp_path: Path) -> None:
    first = listed({"delimiter": "/", "max-keys": "2"}, tmp_path)
    assert first.findtext(f"{S3}KeyCount") == "2" and first.findtext(f"{S3}IsTruncated") == "true"
    token = first.findtext(f"{S3}NextContinuationToken") or ""
    rest = listed({"delimiter": "/", "max-keys": "2", "continuation-token": token}, tmp_path)
    assert [found.text for found in rest.iterfind(f"{S3}CommonPrefixes/{S3}Prefix")] == ["PMC10.1/", "metadata/"]
    assert rest.findtext(f"{S3}IsTruncated") == "false"


def test_a_key_comes_with_size_and_etag(tmp_path: Path) -> None:
    (content,) = listed({"prefix": "PMC1.1/a"}, tmp_path).iterfind(f"{S3}Contents")
    assert content.findtext(f"{S3}Size") == "5"
    assert content.findtext(f"{S3}ETag") == '"827ccb0eea8a706c4c34a16891f84e7b"'  # md5 of 12345, RFC 1321's tools


def test_a_key_in_an_error_is_escaped() -> None:
    assert ElementTree.fromstring(no_such_key("a&<b")).findtext("Key") == "a&<b"
