"""The embedded corpus on disk: drawn articles laid out as the PMC Cloud's bucket, and their truth."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from phantom.pages.case import Case, plan_case
from phantom.pages.figures import DrawnFigure, draw_figure
from phantom.pages.jats_writer import doi_of, title_of, write_article
from pipelines.scoring.truth import FigureTruth, describes, read_figures, write_truth

BUCKET = "pmc-oa-opendata"
FIRST_PMID = 30_000_000


@dataclass(frozen=True)
class DrawnArticle:
    """The files of one article by their key in the bucket, and the truth of its figures."""

    files: dict[str, bytes]
    truths: list[FigureTruth]


def write_corpus(folder: Path, *, articles: int, seed: int, processes: int = 2) -> None:
    """Draw a corpus: folder/bucket as the PMC Cloud lays it out, and folder/truth.json, written last.

    A complete corpus of the same size and seed is left as it is; any other is replaced.
    """
    if describes(folder / "truth.json", articles=articles, seed=seed):
        return
    (folder / "truth.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "bucket", ignore_errors=True)
    (folder / "bucket" / "metadata").mkdir(parents=True)
    write = partial(_write_article, folder / "bucket", seed)
    truths = [truth for found in _in_processes(write, articles, processes) for truth in found]
    write_truth(folder / "truth.json", truths, articles=articles, seed=seed)


def read_truth(folder: Path) -> list[FigureTruth]:
    """The truth of a written corpus, article by article; FileNotFoundError if it is not complete."""
    return read_figures(folder / "truth.json")


def _in_processes(write: Any, articles: int, processes: int) -> Iterator[list[FigureTruth]]:
    if processes == 1:
        yield from map(write, range(articles))
        return
    # A forked child of a process with threads can hang, so each starts fresh.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(write, range(articles), chunksize=4)


def _write_article(bucket: Path, seed: int, index: int) -> list[FigureTruth]:
    article = draw_article(seed, index)
    for key, content in article.files.items():
        path = bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return article.truths


def draw_article(seed: int, index: int) -> DrawnArticle:
    """One article with all its versions; the same for the same seed and index, whoever draws it."""
    case = plan_case(seed, index)
    stem = _stem(case, np.random.default_rng([seed, index, 4]))
    figures = [
        draw_figure(case, plan, stem.format(k + 1), f"Figure {k + 1}.", np.random.default_rng([seed, index, 5, k]))
        for k, plan in enumerate(case.figures)
    ]
    xml = write_article(case, [figure.xml for figure in figures], np.random.default_rng([seed, index, 6]))
    right = 2 if case.fate == "earlier_manuscript" else 1
    versions = [_version(case, right, figures, xml, manuscript=False)]
    if case.fate in ("earlier_manuscript", "later_manuscript"):
        versions.append(_version(case, 3 - right, figures, xml, manuscript=True))
    files = {key: content for version in versions for key, content in version.files.items()}
    return DrawnArticle(files, [truth for version in versions for truth in version.truths])


def _stem(case: Case, rng: np.random.Generator) -> str:
    """How a publisher names graphics; none has an extension, one has dots."""
    forms = ("CRIN2018-{n}.00{{}}", "gr{{}}", "{n}_Fig{{}}_HTML", "phan-{n}-g00{{}}", "phantom.{n}.g00{{}}")
    return forms[int(rng.integers(len(forms)))].format(n=case.number)


def _version(case: Case, version: int, figures: list[DrawnFigure], xml: bytes, *, manuscript: bool) -> DrawnArticle:
    """One version's folder and metadata."""
    article_id = f"PMC{case.number}.{version}"
    files = {f"{article_id}/{medium.name}": medium.content for figure in figures for medium in figure.media}
    media = sorted(files)
    files[f"{article_id}/{article_id}.xml"] = xml
    metadata = _metadata(case, version, files, media, manuscript=manuscript)
    text = json.dumps(metadata, indent=1).encode()
    files |= {f"{article_id}/{article_id}.json": text, f"metadata/{article_id}.json": text}
    truths = [
        replace(truth, figure_id=f"{article_id}/{truth.figure_id}") for figure in figures for truth in figure.truths
    ]
    if manuscript:
        truths = [replace(truth, kept=False, left_out_because="manuscript") for truth in truths]
    return DrawnArticle(files, truths)


def _metadata(
    case: Case, version: int, files: dict[str, bytes], media: list[str], *, manuscript: bool
) -> dict[str, Any]:
    """The properties that the PMC Cloud's README names, with checksums on the addresses."""
    article_id = f"PMC{case.number}.{version}"
    return {
        "pmcid": f"PMC{case.number}",
        "version": version,
        "pmid": FIRST_PMID + case.number % 1_000_000,
        "doi": doi_of(case),
        "title": title_of(case),
        "citation": None,
        "is_pmc_openaccess": case.fate != "not_open_access" and not manuscript,
        "is_manuscript": manuscript,
        "is_historical_ocr": False,
        "is_retracted": case.fate == "retracted",
        "license_code": "TDM" if manuscript else case.licence,
        "xml_url": _address(f"{article_id}/{article_id}.xml", files),
        "pdf_url": None,
        "text_url": None,
        "media_urls": [_address(key, files) for key in media],
    }


def _address(key: str, files: dict[str, bytes]) -> str:
    return f"s3://{BUCKET}/{key}?md5={hashlib.md5(files[key], usedforsecurity=False).hexdigest()}"
