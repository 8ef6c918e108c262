"""The files of an article in the bucket, and which of them a graphic of its XML names.

Hrefs are names as people give them: with spaces, brackets, plus, accents in either form, percent signs. A folder or an
address in one is refused: an article must never choose where we connect.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote

from core.file_names import one_form
from core.records import Graphic
from core.rejection import RejectionError
from pipelines.sources.folder import checked_key
from pipelines.sources.transport import FetchError

NAME = re.compile(r"(?!\.{1,2}$)[^\x00-\x1f\x7f-\x9f/\\:]{1,150}")  # of a file, and no way to one
# In the order of preference.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".tif", ".tiff", ".webp", ".bmp")
OTHER_SUFFIXES = (".eps", ".svg", ".pdf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A file of an article in the bucket."""

    key: str
    url: str  # as stated, without the checksum
    md5: str | None  # as stated

    @property
    def name(self) -> PurePosixPath:
        return PurePosixPath(PurePosixPath(self.key).name)

    @property
    def keys(self) -> tuple[str, ...]:
        """Where it may lie: as the address has it, and with its percent signs read."""
        read = unquote(self.key)
        same_folder = _is_name(read.rpartition("/")[2]) and read.count("/") == self.key.count("/")
        return tuple(dict.fromkeys((self.key, read))) if same_folder else (self.key,)


Images = Mapping[str, Sequence[Media]]  # by name without suffix, in lower case; the most usual format first


def media_of(url: str, article_id: str) -> Media | None:
    """The file that an address of the metadata names, if it lies in the article's own folder."""
    address, asked, query = url.rpartition("?")
    if not (asked and query.startswith("md5=")):
        address, query = url, ""
    where, mark, path = address.partition("://")
    try:
        key = checked_key(path.partition("/")[2] if mark else where)
    except FetchError:
        return None
    if not re.fullmatch(rf"{re.escape(article_id)}/[^/]+", key):
        return None
    return Media(key=key, url=address, md5=parse_qs(query).get("md5", [None])[0])


def images_of(urls: Iterable[str], article_id: str) -> Images:
    """The image files of an article."""
    files = [media_of(url, article_id) for url in urls]
    images = [file for file in files if file and file.name.suffix.lower() in IMAGE_SUFFIXES]
    images.sort(key=lambda file: IMAGE_SUFFIXES.index(file.name.suffix.lower()))
    found: dict[str, list[Media]] = {}
    for file in images:
        for stem in dict.fromkeys((file.name.stem, unquote(file.name.stem))):
            found.setdefault(one_form(stem).lower(), []).append(file)
    return found


def chosen(graphic: Graphic, images: Images, *, taken: Collection[str]) -> Media:
    """The image file that a graphic names; raises RejectionError. taken: the addresses of earlier figures."""
    if not graphic.href:
        raise RejectionError("no_graphic", "the figure names no image file")
    if name_of(graphic.href) is None:
        raise RejectionError("bad_href", f"{graphic.href[:100]!r} is no file name: it holds a folder or an address")
    hrefs = [name for href in (graphic.href, *graphic.others) if name_of(href) for name in (href, unquote(href))]
    names = [name for href in hrefs for name in (href, without_suffix(href))]
    found = next((file for name in names if (file := _of_name(name, images))), None)
    if found is None:
        raise RejectionError("no_media", f"the bucket has no image for {graphic.href}")
    if found.url in taken:
        raise RejectionError("repeated", f"{found.name} stands in an earlier figure too")
    return found


def name_of(href: str) -> str | None:
    """A graphic's own name, without an image's suffix; None where the href is no name of a file."""
    is_name = _is_name(href) and _is_name(unquote(href))
    return without_suffix(one_form(href)) if is_name else None


def without_suffix(name: str) -> str:
    """A file name without an image's suffix; "CRIM.2016-001" has none."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in (*IMAGE_SUFFIXES, *OTHER_SUFFIXES) else name


def _is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def _of_name(name: str, images: Images) -> Media | None:
    """The image of a name without its suffix, whatever its case; of several rather the one in the same case."""
    found = images.get(one_form(name).lower(), ())
    return next((file for file in found if one_form(file.name.stem) == one_form(name)), found[0] if found else None)
