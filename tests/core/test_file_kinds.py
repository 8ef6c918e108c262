"""Kinds of files by name and by first bytes."""

import io

import pytest
from PIL import Image

from core.file_kinds import (
    HEAD,
    OTHER,
    READ,
    UNREAD,
    is_other,
    is_read,
    is_read_by_bytes,
    not_read,
    unread_by_bytes,
    unread_by_name,
)
from core.images import FORMATS


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.HEIC", "HEIC"), ("x/b.nii.gz", "NIfTI"), ("b.nii", "NIfTI"), ("c.v2.pdf", "PDF"), ("d.dcm", "DICOM"),
        ("e.tar.gz", "a tar archive"), ("f.jpg", ""), ("g", ""), ("h.nii.png", ""),
    ],
)  # fmt: skip
def test_a_kind_that_is_not_read_is_named_by_its_suffix(name: str, kind: str) -> None:
    assert unread_by_name(name) == kind


def test_every_suffix_says_one_thing() -> None:
    assert not set(READ) & set(UNREAD) and not set(UNREAD) & OTHER and not set(READ) & OTHER
    assert is_read("A.JFIF") and not is_read("a.heic") and is_other("x/captions.CSV") and not is_other("x.png")
    assert not_read("SVG") == "SVG is not read here; save it as PNG or JPEG"


@pytest.mark.parametrize("file_format", [*FORMATS, "PPM", "ICO", "JPEG2000", "TGA", "PDF", "EPS", "AVIF"])
def test_the_first_bytes_tell_what_a_file_is(file_format: str) -> None:
    file = io.BytesIO()
    try:
        Image.new("RGB", (32, 32), "red").save(file, file_format)
    except (KeyError, OSError):
        pytest.skip(f"Pillow writes no {file_format} here")
    head = file.getvalue()[:HEAD]
    assert is_read_by_bytes(head) == (file_format in FORMATS)
    if file_format not in ("PPM", "TGA"):  # which have no mark
        assert bool(unread_by_bytes(head)) == (file_format not in FORMATS)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x18ftypavif", "AVIF"),
        (b"\0\0\0\x18ftypisom", "a film"),
        (bytes(128) + b"DICM", "DICOM"),
        (bytes(344) + b"n+1\0", "NIfTI"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'>", "SVG"),
        (b"%PDF-1.4", "PDF"),
        (b"a text", ""),
        (b"", ""),
    ],
)
def test_kinds_that_are_not_read_are_named_by_their_bytes(head: bytes, kind: str) -> None:
    assert unread_by_bytes(head) == kind
    assert not is_read_by_bytes(head)
