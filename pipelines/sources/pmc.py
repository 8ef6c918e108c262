"""PubMed Central since August 2026: ESearch selects, the PMC Cloud bucket delivers (pmc.ncbi.nlm.nih.gov/tools)."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from pydantic import BaseModel, ValidationError

from core.failures import reject_of
from core.images import ImageFacts, facts_apart
from core.records import Article, ArticleFigure, Figure, Graphic, Reject
from core.rejection import RejectionError
from core.settings import SelectSettings, SourceSettings
from pipelines.sources import selection
from pipelines.sources.folder import FolderBucket
from pipelines.sources.jats import parse_article
from pipelines.sources.media import Media, chosen, images_of, media_of, name_of
from pipelines.sources.s3 import HttpBucket
from pipelines.sources.transport import FetchError, Transport, origin
from pipelines.sources.turns import Turns

STAGE = "figures"
PMC_ID = re.compile(r"PMC\d{1,9}")
NO_TURNS: Mapping[str, Turns] = MappingProxyType({})


class Bucket(Protocol):
    """What articles are fetched from: objects by key, and keys by prefix; both raise FetchError."""

    def get(self, key: str) -> bytes:
        """The bytes of an object."""

    def list(self, prefix: str, delimiter: str = "/") -> list[str]:
        """Keys that begin with a prefix, cut after the delimiter as S3 cuts them."""


class Version(BaseModel):
    """What the bucket's JSON says of one version of an article, as far as figray reads it."""

    pmcid: str
    version: int
    is_pmc_openaccess: bool
    is_manuscript: bool
    is_retracted: bool
    license_code: str | None = None
    xml_url: str | None = None
    media_urls: list[str] | None = None

    @property
    def article_id(self) -> str:
        return f"{self.pmcid}.{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """An image file as it was published, and as it opens."""

    media: Media
    data: bytes
    opened: ImageFacts


def hosts(source: SourceSettings) -> list[str]:
    """The hosts that these settings fetch from, "https://host:443"; none for a folder."""
    asked = {"pubmed": source.esearch_url, "pmc": source.esearch_url, "europepmc": source.europepmc_url}
    indexes = [asked[source.index], *([source.idconv_url] if source.links == "idconv" else [])]
    addresses = [_bucket_place(source), *(indexes if source.origin == "pmc" else [])]
    return list(dict.fromkeys(origin(address) for address in addresses if address.startswith(("http://", "https://"))))


def open_transport(source: SourceSettings, turns: Mapping[str, Turns] = NO_TURNS) -> Transport:
    """Downloads from the hosts of these settings and from no others; turns: those shared with others, by host."""
    return Transport(
        hosts(source),
        attempts=source.attempts,
        deadline=source.timeout,
        max_bytes=source.max_bytes,
        connections=source.connections,
    ).share(turns)


def open_bucket(source: SourceSettings, turns: Mapping[str, Turns] = NO_TURNS) -> Bucket:
    """The bucket that the settings name: PMC's, another one over HTTP, or a folder."""
    place = _bucket_place(source)
    if place.startswith(("http://", "https://")):
        return HttpBucket(place, open_transport(source, turns), per_second=source.bucket_per_second)
    return FolderBucket(place, max_bytes=source.max_bytes)


def listed(bucket: Bucket) -> list[str]:
    """All articles of a bucket without their versions, "PMC4735894", by number; raises FetchError."""
    names = (re.fullmatch(r"metadata/(PMC\d{1,9})\.\d+\.json", key) for key in bucket.list("metadata/"))
    return sorted({name[1] for name in names if name}, key=lambda pmcid: int(pmcid[3:]))


def fetch(
    bucket: Bucket, pmcid: str, *, select: SelectSettings, only: Collection[str] | None = None
) -> tuple[list[Figure], list[Reject]]:
    """The figures of one article and what was left out of it: every graphic of a figure is in one of the two lists.

    An article left out whole is one Reject with its id. `select.article_types` None keeps every type. only: the ids of
    the figures that are asked for, of which alone images are downloaded; None: all.
    """
    article_id = pmcid
    try:
        version = best_version(bucket, pmcid, manuscripts=select.manuscripts)
        article_id = version.article_id
        article = _article(bucket, version, select=select)
        return _figures(bucket, version, article, select=select, only=only)
    except RejectionError as rejection:
        return [], [reject_of(article_id, article_id, STAGE, rejection)]
    except Exception as error:  # noqa: BLE001  what one article brings up costs that article, and is told
        return [], [reject_of(article_id, article_id, STAGE, error)]


def _bucket_place(source: SourceSettings) -> str:
    return source.bucket_url if source.origin == "pmc" else source.origin.removeprefix("bucket:")


def best_version(bucket: Bucket, pmcid: str, *, manuscripts: bool) -> Version:
    """The highest version that is open access and of record; else, or if one is retracted, the reason against it.

    manuscripts: where there is none of record, the highest manuscript.
    """
    if not PMC_ID.fullmatch(pmcid):
        raise RejectionError("bad_id", f"{pmcid[:100]!r} is no PMC id")
    # Without the dot PMC113703601 would be listed with PMC11370360.
    names = (re.fullmatch(r"PMC\d+\.(\d{1,4})/", key) for key in bucket.list(f"{pmcid}."))
    reasons: list[selection.Reason] = []
    second: Version | None = None
    for number in sorted((int(name[1]) for name in names if name), reverse=True):
        version = _version(bucket, pmcid, number)
        reason = selection.version_rejection(
            open_access=version.is_pmc_openaccess, manuscript=version.is_manuscript, retracted=version.is_retracted
        )
        if reason is None:
            return version
        if version.is_retracted:  # what was withdrawn is not taken from an older version instead
            raise RejectionError(*reason)
        second = second or (version if manuscripts and version.is_manuscript else None)
        reasons.append(reason)
    if second is not None:
        return second
    raise RejectionError(*(reasons or [("gone", f"{pmcid} is not in the bucket")])[0])


def _version(bucket: Bucket, pmcid: str, number: int) -> Version:
    """What the metadata says, read twice if it does not fit: it comes without a checksum that would tell of damage."""
    key = f"metadata/{pmcid}.{number}.json"
    try:
        version = Version.model_validate_json(bucket.get(key))
    except ValidationError:
        version = _valid_version(bucket.get(key))
    if version.article_id != f"{pmcid}.{number}":
        raise RejectionError("bad_metadata", f"{pmcid}.{number} has the metadata of {version.article_id[:100]}")
    return version


def _valid_version(metadata: bytes) -> Version:
    try:
        return Version.model_validate_json(metadata)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RejectionError("bad_metadata", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _article(bucket: Bucket, version: Version, *, select: SelectSettings) -> Article:
    """The article, if its licence and type are wanted and it has figures."""
    stated = selection.licence_code(version.license_code)
    if stated:  # before the download
        _raise(selection.licence_rejection(stated, select.licences))
    file = media_of(version.xml_url or "", version.article_id)
    if file is None:
        raise RejectionError("no_xml", f"{version.article_id} has no XML in the bucket")
    article = parse_article(_download(bucket, file), version.article_id)
    _raise(selection.article_rejection(article.article_type, select.article_types))
    _raise(selection.licence_rejection(_licence(version, article), select.licences))
    if not article.figures:
        raise RejectionError("no_figures", f"{version.article_id} has no figures")
    return article


def _licence(version: Version, article: Article) -> str:
    """PMC's code; the address in the XML where PMC states none."""
    return selection.licence_code(version.license_code) or selection.licence_code(article.licence_url)


def _figures(
    bucket: Bucket, version: Version, article: Article, *, select: SelectSettings, only: Collection[str] | None
) -> tuple[list[Figure], list[Reject]]:
    figures: list[Figure] = []
    rejects: list[Reject] = []
    images = images_of(version.media_urls or [], version.article_id)
    licence = _licence(version, article)
    for item_id, figure, graphic in _graphics(article):
        if only is not None and item_id not in only:
            continue
        try:
            # Names and words first: an image is downloaded only for a figure that can be kept.
            media = chosen(graphic, images, taken={row.media_url for row in figures})
            _raise(selection.figure_rejection(f"{figure.caption} {graphic.caption or ''}", select.keyword or ""))
            published = _published(bucket, media, select=select)
            figures.append(_row(item_id, article, figure, part=graphic, published=published, licence=licence))
        except RejectionError as rejection:
            rejects.append(reject_of(item_id, article.article_id, STAGE, rejection))
    return figures, rejects


def _graphics(article: Article) -> Iterator[tuple[str, ArticleFigure, Graphic]]:
    """Every graphic with an id of its own within the article; a figure without any comes once, with an empty href."""
    uses: Counter[str] = Counter()
    for figure in article.figures:
        for graphic in figure.graphics or [Graphic(href="")]:
            name = name_of(graphic.href) or figure.xml_id[:100]
            uses[name] += 1
            again = f"@{uses[name]}" if uses[name] > 1 else ""
            yield f"{article.article_id}/{name}{again}", figure, graphic


def _published(bucket: Bucket, media: Media, *, select: SelectSettings) -> Published:
    """The image of a figure, whole and large enough; raises RejectionError."""
    data = _download(bucket, media)
    opened = _opened(media, data)
    _raise(
        selection.size_rejection(opened.width, opened.height, min_side=select.min_side, max_aspect=select.max_aspect)
    )
    return Published(media=media, data=data, opened=opened)


def _opened(media: Media, data: bytes) -> ImageFacts:
    try:
        return facts_apart(data)
    except RejectionError as rejection:
        if rejection.code == "truncated" and media.md5 is None:  # nothing tells that it was published so
            raise FetchError("incomplete", f"{media.key}: {rejection.message}") from rejection
        raise


def _download(bucket: Bucket, media: Media) -> bytes:
    """A file whose bytes agree with the stated MD5 at the first or second attempt; raises FetchError."""
    for _ in range(2):
        data = _bytes_of(bucket, media)
        if media.md5 is None or hashlib.md5(data, usedforsecurity=False).hexdigest() == media.md5.lower():
            return data
    raise FetchError("checksum", f"{media.key}: other bytes than its MD5 {media.md5} says, twice")


def _bytes_of(bucket: Bucket, media: Media) -> bytes:
    """A file by the first of its keys that is there; raises FetchError."""
    for key in media.keys[:-1]:
        try:
            return bucket.get(key)
        except FetchError as error:
            if error.code != "gone":
                raise
    return bucket.get(media.keys[-1])


def _row(
    figure_id: str, article: Article, figure: ArticleFigure, *, part: Graphic, published: Published, licence: str
) -> Figure:
    media, data, opened = published.media, published.data, published.opened
    return Figure(
        figure_id=figure_id,
        article_id=article.article_id,
        title=article.title,
        article_type=article.article_type,
        doi=article.doi,
        year=article.year,
        licence=licence,
        attribution=_attribution(article, licence),
        media_url=media.url,
        md5=media.md5 or hashlib.md5(data, usedforsecurity=False).hexdigest(),
        image=data,
        image_format=opened.format,
        width=opened.width,
        height=opened.height,
        n_frames=opened.n_frames,
        label=figure.label,
        caption=figure.caption,
        emphasis=figure.emphasis,
        mentions=figure.mentions,
        part_label=part.label,
        part_caption=part.caption,
        permission=figure.permission,
        notes=opened.notes,
    )


def _attribution(article: Article, licence: str) -> str:
    """Authors, title, journal, year, place and licence, as Creative Commons asks them to be named."""
    journal = " ".join(str(part) for part in (article.journal, article.year) if part)
    doi = f"doi:{article.doi}" if article.doi else ""
    parts = (article.authors, article.title, journal, doi, article.article_id, licence)
    return ". ".join(part.rstrip(".") for part in parts if part)


def _raise(reason: selection.Reason | None) -> None:
    if reason is not None:
        raise RejectionError(*reason)
