"""One article from a bucket to figures: what is kept, what is left out and why, over folders and over HTTP."""

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from core.records import Figure, Reject
from core.settings import SelectSettings, SourceSettings
from phantom.pmc.faults import Faults
from phantom.pmc.server import serve
from pipelines.sources.folder import FolderBucket
from pipelines.sources.pmc import fetch, listed, open_bucket
from pipelines.sources.s3 import HttpBucket
from pipelines.sources.transport import Transport

ALL = SelectSettings(keyword="")
FIG = '<fig id="f1"><label>Figure 1</label><caption><p>Brain MRI.</p></caption><graphic xlink:href="g1"/></fig>'


def picture(width: int = 100, height: int = 80, file_format: str = "PNG") -> bytes:
    pixels = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format)
    return file.getvalue()


class Library:
    """A bucket on disk, written article by article."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "metadata").mkdir()

    def add(
        self, article_id: str = "PMC1.1", *, body: str = FIG, media: dict[str, bytes] | None = None, **stated: Any
    ) -> None:
        folder = self.root / article_id
        folder.mkdir()
        xml = f"""<article article-type="case-report" xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta>
        <title-group><article-title>A case</article-title></title-group><pub-date><year>2016</year></pub-date>
        </article-meta></front><body>{body}</body></article>"""
        files = {f"{article_id}.xml": xml.encode()} | ({"g1.png": picture()} if media is None else media)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        urls = [
            f"s3://pmc-oa-opendata/{article_id}/{name}?md5={hashlib.md5(content).hexdigest()}"
            for name, content in files.items()
        ]
        pmcid, _, version = article_id.partition(".")
        metadata = {"pmcid": pmcid, "version": int(version), "license_code": "CC BY", "xml_url": urls[0]}
        metadata |= {"is_pmc_openaccess": True, "is_manuscript": False, "is_retracted": False, "media_urls": urls[1:]}
        self.describe(article_id, metadata | stated)

    def describe(self, article_id: str, metadata: object) -> None:
        (self.root / f"metadata/{article_id}.json").write_text(json.dumps(metadata))

    def fetch(self, pmcid: str = "PMC1", select: SelectSettings = ALL) -> tuple[list[Figure], list[Reject]]:
        return fetch(FolderBucket(self.root), pmcid, select=select)

    def codes(self, pmcid: str = "PMC1", select: SelectSettings = ALL) -> list[tuple[str, str]]:
        """The items left out and their codes, of an article of which nothing is kept."""
        figures, rejects = self.fetch(pmcid, select)
        assert figures == []
        return [(reject.item_id, reject.code) for reject in rejects]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_figure_carries_its_image_its_words_and_its_rights(library: Library) -> None:
    library.add()
    (figure,), rejects = library.fetch()
    assert rejects == []
    assert (figure.figure_id, figure.article_id) == ("PMC1.1/g1", "PMC1.1")
    assert figure.image == picture()
    assert figure.md5 == hashlib.md5(picture()).hexdigest()
    assert figure.media_url == "s3://pmc-oa-opendata/PMC1.1/g1.png"
    assert (figure.width, figure.height, figure.image_format, figure.n_frames) == (100, 80, "PNG", 1)
    assert (figure.label, figure.caption, figure.notes) == ("Figure 1", "Brain MRI.", [])
    assert (figure.licence, figure.attribution) == ("CC BY", "A case. 2016. PMC1.1. CC BY")


def test_the_highest_version_of_record_is_taken(library: Library) -> None:
    library.add("PMC1.1")
    library.add("PMC1.2")
    library.add("PMC1.3", is_manuscript=True)
    library.add("PMC1.10", is_pmc_openaccess=False)
    library.add("PMC11.7")
    assert [figure.article_id for figure in library.fetch()[0]] == ["PMC1.2"]


def test_what_was_retracted_is_not_taken_from_an_older_version(library: Library) -> None:
    library.add("PMC1.1")
    library.add("PMC1.2", is_retracted=True)
    library.add("PMC1.3", is_pmc_openaccess=False)
    figures, rejects = library.fetch()
    assert not figures
    assert [reject.code for reject in rejects] == ["retracted"]


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"is_pmc_openaccess": False}, "not_open_access"),
        ({"is_manuscript": True, "license_code": "TDM"}, "manuscript"),
        ({"is_retracted": True}, "retracted"),
        ({"license_code": "CC BY-NC"}, "licence"),
        ({"license_code": None}, "licence"),
        ({"xml_url": None}, "no_xml"),
        ({"xml_url": "s3://elsewhere/PMC2.1/PMC2.1.xml"}, "no_xml"),
        ({"xml_url": "s3://elsewhere/PMC1.1/../PMC2.1/x.xml"}, "no_xml"),
    ],
)
def test_an_article_is_left_out_whole_for_what_its_metadata_says(
    library: Library, stated: dict[str, Any], code: str
) -> None:
    library.add(**stated)
    assert [reason for _, reason in library.codes()] == [code]


def test_metadata_that_cannot_be_read_leaves_the_article_out(library: Library) -> None:
    unreadable: list[object] = [{}, [], {"pmcid": 7}, None]
    for number, metadata in enumerate(unreadable, start=1):
        library.add(f"PMC{number}.1")
        library.describe(f"PMC{number}.1", metadata)
        assert library.codes(f"PMC{number}") == [(f"PMC{number}", "bad_metadata")]
    library.add("PMC8.1", pmcid="PMC9")
    assert library.codes("PMC8") == [("PMC8", "bad_metadata")]


@pytest.mark.parametrize("identifier", ["", "8", "PMC", "PMC1.1", "PMC1/../x", "PMC1234567890", "PMC1\0", "../PMC1"])
def test_what_is_no_id_is_left_out(library: Library, identifier: str) -> None:
    assert library.codes(identifier) == [(identifier, "bad_id")]


def test_articles_that_are_absent_or_broken_or_of_other_types_are_left_out(library: Library) -> None:
    assert library.codes("PMC7") == [("PMC7", "gone")]
    library.add("PMC2.1", body="<p>")
    assert library.codes("PMC2") == [("PMC2.1", "xml_syntax")]
    library.add("PMC3.1", body="<p>no figures</p>")
    assert library.codes("PMC3") == [("PMC3.1", "no_figures")]
    library.add("PMC4.1")
    assert library.codes("PMC4", SelectSettings(article_types=("letter",))) == [("PMC4.1", "article_type")]


def test_a_page_that_says_banned_is_no_article(library: Library) -> None:
    library.add(xml_url="s3://pmc-oa-opendata/PMC1.1/PMC1.1.xml")
    (library.root / "PMC1.1/PMC1.1.xml").write_text("<!DOCTYPE html><html><body>Access denied<br></body></html>")
    assert library.codes() == [("PMC1.1", "not_jats")]


def test_every_graphic_is_a_figure_or_a_reason(library: Library) -> None:
    hrefs = ["G1.TIF", "none", "../secret", "http://169.254.169.254/g1", "x" * 151, "", "small", "thin", "html", "g1"]
    figs = [f'<fig id="f{n}"><caption><p>x</p></caption><graphic xlink:href="{h}"/></fig>' for n, h in enumerate(hrefs)]
    media = {"g1.gif": picture(file_format="GIF"), "g1.jpg": picture(file_format="JPEG"), "g1.tif": b"", "g1.mp4": b""}
    media |= {"small.png": picture(60, 60), "thin.png": picture(65 * 13, 65), "html.jpg": b"<html>"}
    library.add(
        body="".join(figs) + '<fig id="wordless"><graphic xlink:href="thin"/></fig><fig id="bare"/>', media=media
    )
    figures, rejects = library.fetch()
    assert [(figure.figure_id, figure.media_url.rpartition("/")[2]) for figure in figures] == [("PMC1.1/G1", "g1.jpg")]
    assert [(reject.item_id.removeprefix("PMC1.1/"), reject.code) for reject in rejects] == [
        ("none", "no_media"),
        ("f2", "bad_href"),
        ("f3", "bad_href"),
        ("f4", "bad_href"),
        ("f5", "no_graphic"),
        ("small", "too_small"),
        ("thin", "aspect"),
        ("html", "not_image"),
        ("g1", "repeated"),
        ("thin@2", "no_caption"),
        ("bare", "no_graphic"),
    ]
    assert {reject.stage for reject in rejects} == {"figures"}


def test_the_keyword_may_stand_in_the_caption_of_a_part(library: Library) -> None:
    parts = '<graphic xlink:href="g1"><label>a</label><caption><p>Brain</p></caption></graphic>'
    parts += '<graphic xlink:href="g2"><label>b</label><caption><p>Chest</p></caption></graphic>'
    library.add(
        body=f"<fig><caption><p>MRI.</p></caption>{parts}</fig>", media={"g1.png": picture(), "g2.png": picture()}
    )
    (figure,), rejects = library.fetch(select=SelectSettings(keyword="brain"))
    assert (figure.part_label, figure.part_caption, figure.caption) == ("a", "Brain", "MRI.")
    assert [(reject.item_id, reject.code) for reject in rejects] == [("PMC1.1/g2", "keyword")]


def test_names_with_accents_and_percent_signs_are_met_in_the_bucket(library: Library) -> None:
    hrefs = ["Fig 1.jpg", "u\u0308.jpg", "Fig%203.jpg"]
    figs = [f'<fig id="f{n}"><caption><p>x</p></caption><graphic xlink:href="{h}"/></fig>' for n, h in enumerate(hrefs)]
    media = {"Fig 1.jpg": picture(100), "\u00fc.jpg": picture(101), "Fig 3.jpg": picture(102)}
    stated = [f"https://h/PMC1.1/{quote(name)}" for name in media]
    library.add(body="".join(figs), media=media, media_urls=stated)
    figures, rejects = library.fetch()
    assert [figure.width for figure in figures] == [100, 101, 102] and rejects == []


def test_media_outside_the_articles_own_folder_is_not_reached(library: Library) -> None:
    library.add("PMC2.1")
    urls = ["s3://b/PMC2.1/g1.png", "s3://b/PMC1.1/../PMC2.1/g1.png", "s3://b/PMC1.1/deep/g1.png", "http://[", "g1.png"]
    library.add(media_urls=urls)
    assert library.codes() == [("PMC1.1/g1", "no_media")]


def test_other_bytes_than_the_checksum_says_are_left_out(library: Library) -> None:
    library.add()
    (library.root / "PMC1.1/g1.png").write_bytes(picture(101))
    assert library.codes() == [("PMC1.1/g1", "checksum")]


class Recording(FolderBucket):
    """A folder that remembers what was read from it, and gives the stated bytes first."""

    def __init__(self, root: Path, first: Sequence[bytes] = ()) -> None:
        super().__init__(root)
        self.read: list[str] = []
        self.first = list(first)

    def get(self, key: str) -> bytes:
        self.read.append(key)
        content = super().get(key)
        return self.first.pop(0) if self.first and key.endswith(".png") else content


def test_a_download_that_came_damaged_is_tried_once_more(library: Library) -> None:
    library.add()
    bucket = Recording(library.root, first=[b"damaged"])
    figures, rejects = fetch(bucket, "PMC1", select=ALL)
    assert (len(figures), rejects) == (1, [])
    assert bucket.read.count("PMC1.1/g1.png") == 2


def test_an_image_is_not_downloaded_for_a_figure_that_its_words_leave_out(library: Library) -> None:
    library.add()
    bucket = Recording(library.root)
    fetch(bucket, "PMC1", select=SelectSettings(keyword="liver"))
    assert bucket.read == ["metadata/PMC1.1.json", "PMC1.1/PMC1.1.xml"]


def test_articles_over_a_faulty_network_are_those_of_the_folder(library: Library) -> None:
    for number in range(1, 9):
        library.add(f"PMC{number}.1")
    library.add("PMC1.2", media={})
    folder = FolderBucket(library.root)
    with serve(library.root, faults=Faults(unavailable=0.2, truncated=0.2)) as served:
        transport = Transport([served.bucket_url], attempts=6, deadline=10, max_bytes=10**7, backoff=0.01)
        bucket = HttpBucket(served.bucket_url, transport)
        assert listed(bucket) == listed(folder) == [f"PMC{number}" for number in range(1, 9)]
        for pmcid in (*listed(folder), "PMC9"):
            assert fetch(bucket, pmcid, select=ALL) == fetch(folder, pmcid, select=ALL)


def test_the_settings_name_the_bucket(library: Library) -> None:
    assert isinstance(open_bucket(SourceSettings(origin=f"bucket:{library.root}")), FolderBucket)
    assert isinstance(open_bucket(SourceSettings()), HttpBucket)
    assert isinstance(open_bucket(SourceSettings(origin="bucket:https://bucket.example/b")), HttpBucket)
    with pytest.raises(NotADirectoryError):
        open_bucket(SourceSettings(origin=f"bucket:{library.root}/none"))


@pytest.mark.shared
def test_of_the_real_articles_exactly_the_figures_with_media_are_kept(shared: Path) -> None:
    root = shared / "pmc-oa-opendata"
    bucket = open_bucket(SourceSettings(origin=f"bucket:{root}"))
    kept: set[str] = set()
    left_out: Counter[str] = Counter()
    for pmcid in listed(bucket):
        figures, rejects = fetch(bucket, pmcid, select=ALL)
        kept |= {figure.figure_id for figure in figures}
        left_out.update(reject.code for reject in rejects)
    expected, graphics, without = expectation(root)
    assert kept == expected
    assert left_out == {"no_media": graphics - len(expected), "no_figures": without}


def expectation(root: Path) -> tuple[set[str], int, int]:
    """Figures whose media exist, all graphics, and articles without any: from the text of XML and metadata alone."""
    expected: set[str] = set()
    graphics = without = 0
    for metadata in sorted((root / "metadata").glob("*.json")):
        names = re.findall(r"/([^/?\"]+)\.jpg\?md5=", metadata.read_text())
        hrefs = re.findall(
            r'<graphic xlink:href="([^"]+)"', (root / metadata.stem / f"{metadata.stem}.xml").read_text()
        )
        expected |= {f"{metadata.stem}/{href}" for href in hrefs if href in names}
        graphics += len(hrefs)
        without += not hrefs
    return expected, graphics, without


def test_a_manuscript_is_taken_where_it_is_wanted_and_nothing_is_of_record(library: Library) -> None:
    library.add("PMC1.1", is_manuscript=True, is_pmc_openaccess=False, license_code="TDM")
    wanted = SelectSettings(keyword="", manuscripts=True, licences=("CC BY", "TDM"))
    figures, _ = library.fetch(select=wanted)
    assert [figure.licence for figure in figures] == ["TDM"]
    library.add("PMC1.2")
    figures, _ = library.fetch(select=wanted)
    assert {figure.article_id for figure in figures} == {"PMC1.2"}
