"""Faults of what is in files: XML, images, readers that crash, hang or fill the memory, and files that are none."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from core.apart import Apart
from core.images import facts_apart
from core.places import Place
from pipelines.captions.split import split_short
from pipelines.loose_files import MAX_BYTES, loose_bytes
from pipelines.sources.folder import FolderBucket
from pipelines.sources.jats import parse_article
from tests.faults.fault import Fault, end_of

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8))
ARTICLE = b"<article article-type='case-report'><front><article-meta/></front><body>%s</body></article>"
LAUGHS = b"<!DOCTYPE article [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
)


def parsed(xml: bytes, _: Path) -> str:
    return end_of(lambda: parse_article(xml, "PMC1.1").article_type)


def opened(data: bytes, _: Path) -> str:
    return end_of(lambda: facts_apart(data).format)


def written(file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    NOISE.save(file, file_format, **options)
    return file.getvalue()


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG of one bit a pixel that claims a size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def scans(data: bytes, times: int) -> bytes:
    """A progressive JPEG whose last scan stands there again and again."""
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * times + data[-2:]


def read_apart(does: str, _: Path) -> str:
    """A reader that does this with an item, and then whether it reads the next."""
    apart = Apart("tests.core.test_apart:serve", {"name": "x"}, seconds=0.7, gib=0.5)
    told = end_of(lambda: apart.ask({"do": does}))
    after = end_of(lambda: apart.ask({"do": "answer"}, b"ab")[1])
    apart.close()
    return told if after == "read: b'ba'" else f"{told}; and then {after}"


def loose(make: Callable[[Path], object], folder: Path) -> str:
    (folder / "in").mkdir()
    make(folder / "in" / "x.png")
    return end_of(lambda: loose_bytes(Place.at(folder / "in"), "x.png"))


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)


def in_bucket(make: Callable[[Path], object], folder: Path) -> str:
    make(folder / "x.png")
    return end_of(lambda: FolderBucket(folder).get("x.png"))


JPEG, PROGRESSIVE, PNG = written("JPEG"), written("JPEG", progressive=True), written("PNG")
FAULTS = [
    Fault("XML that ends early", "xml_syntax: ", partial(parsed, (ARTICLE % b"<p>x</p>")[:-9])),
    Fault("XML with a zero byte", "xml_syntax: ", partial(parsed, ARTICLE % b"<p>\0</p>")),
    Fault("XML that is not UTF-8", "xml_syntax: ", partial(parsed, ARTICLE % b"<p>\xff\xfe</p>")),
    Fault("nothing instead of XML", "xml_syntax: ", partial(parsed, b"")),
    Fault("a page of HTML instead of XML", "not_jats: ", partial(parsed, b"<!DOCTYPE html><html><br></html>")),
    Fault("XML of something else", "not_jats: ", partial(parsed, b"<feed/>")),
    Fault(
        "entities that multiply (billion laughs)", "xml_bomb: ", partial(parsed, LAUGHS + b"]><article>&m;</article>")
    ),
    Fault("600,000 elements", "xml_bomb: ", partial(parsed, ARTICLE % (b"<p/>" * 600_000))),
    Fault("elements 100,000 deep", "xml_", partial(parsed, ARTICLE % (b"<p>" * 100_000 + b"</p>" * 100_000))),
    Fault("33 MB of XML", "too_large: ", partial(parsed, ARTICLE % (b" " * (33 * 2**20)))),
    Fault("an empty image", "not_image: ", partial(opened, b"")),
    Fault("HTML named as an image", "not_image: ", partial(opened, b"<html>no</html>")),
    Fault("SVG named as an image", "not_image: ", partial(opened, b"<svg xmlns='http://www.w3.org/2000/svg'/>")),
    Fault("a JPEG that is cut", "truncated: ", partial(opened, JPEG[:3000])),
    Fault("a PNG that is cut", "truncated: ", partial(opened, PNG[:3000])),
    Fault("a PNG with a flipped bit", "broken_image: ", partial(opened, flipped(PNG, 2000))),
    Fault("a PNG that claims 50,000 x 50,000 pixels", "too_large: ", partial(opened, png(50_000, 50_000, b"\0"))),
    Fault(
        "a PNG of 12,000 x 12,000 in some KB", "too_large: ", partial(opened, png(12_000, 12_000, bytes(18_012_000)))
    ),
    Fault("an image of 20,001 pixels a side", "too_large: ", partial(opened, png(20_001, 2, bytes(5_004)))),
    Fault("64 megapixels in 8 KB: it is read", "read: 'PNG'", partial(opened, png(8_000, 8_000, bytes(8_008_000)))),
    Fault("a JPEG of 5,000 scans", "too_many_scans: ", partial(opened, scans(PROGRESSIVE, 5_000))),
    Fault("a reader that raises what nobody foresaw", "bug: ValueError", partial(read_apart, "raise")),
    Fault("a reader that ends in a segfault", "crashed: ", partial(read_apart, "crash")),
    Fault("a reader that is killed", "crashed: ", partial(read_apart, "abort")),
    Fault("a reader that computes for ever", "too_slow: ", partial(read_apart, "hang")),
    Fault("a reader that waits for ever", "too_slow: ", partial(read_apart, "sleep")),
    Fault("a reader that takes 8 GB", "too_much_memory: ", partial(read_apart, "fill")),
    Fault("a pipe named as an image", "unreadable: x.png is no file", partial(loose, os.mkfifo)),
    Fault(
        "a link out of the folder",
        "leads out of the folder",
        partial(loose, lambda path: path.symlink_to("/etc/hosts")),
    ),
    Fault("links in a circle", "unreadable: ", partial(loose, lambda path: path.symlink_to("x.png"))),
    Fault("a folder named as an image", "is no file", partial(loose, Path.mkdir)),
    Fault("a file of 256 MB and a byte", "too_large: ", partial(loose, sparse)),
    Fault("a file that is gone", "unreadable: ", partial(loose, lambda path: None)),
    Fault("a pipe in a bucket on disk", "gone: ", partial(in_bucket, os.mkfifo)),
    Fault(
        "a link out of a bucket on disk", "bad_key: ", partial(in_bucket, lambda path: path.symlink_to("/etc/hosts"))
    ),
    Fault(
        "a caption of 600,000 characters",
        "at most 20,000 are split",
        lambda _: split_short("(A) x " * 100_000, min_confidence=0.5).reason,
    ),
]
