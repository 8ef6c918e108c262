"""Settings of collecting: where articles come from, what is kept, which side of the split, tables on disk."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from core.settings.base import Fraction, Settings


class SourceSettings(Settings):
    """Where articles come from, and how politely."""

    # pmc: ESearch selects, the PMC Cloud delivers. bucket:PATH or URL: every article of a bucket laid out as PMC's.
    origin: str = Field("pmc", pattern=r"^(pmc|bucket:.+)$")
    # How case reports are found (pipelines/sources/ways.py). pubmed: PubMed knows the publication type, links lead to
    # PMC, PMC's captions narrow. europepmc: one query of Europe PMC. pmc: captions alone, the type is read in the XML.
    index: Literal["pubmed", "europepmc", "pmc"] = "pubmed"
    topic: str = "brain"  # MedVL, section 2.1. A word, a phrase, or several with OR; the queries are made of it
    query: str | None = None  # instead of the topic's: a query of your own, in the language of the index
    links: Literal["elink", "idconv"] = "elink"  # from PubMed to PMC: E-utilities, or PMC's ID converter
    max_articles: int | None = Field(None, ge=1)  # None: all that the query finds
    esearch_url: str = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi"  # of E-utilities' ESearch
    idconv_url: str = "https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/"  # of PMC's ID converter
    europepmc_url: str = "https://www.ebi.ac.uk/europepmc/webservices/rest/search"  # of Europe PMC's search
    bucket_url: str = "https://pmc-oa-opendata.s3.amazonaws.com"  # of PMC's open bucket, or of a mirror
    email: str | None = None  # NCBI asks callers to name themselves
    api_key: SecretStr | None = None  # for tests; yours stands in the environment, as NCBI_API_KEY
    esearch_per_second: float = Field(2.8, gt=0)  # NCBI allows 3 without a key, 10 with one; 2.8 holds 3 in any window
    # Of the bucket, over the whole cluster. Amazon promises 5,500 for a prefix to all its readers together (S3 User
    # Guide); this is 2 % of them, and what 8 connections of 80 ms get.
    bucket_per_second: float = Field(100.0, gt=0)
    connections: int = Field(8, ge=1, le=64)  # open at once to the bucket, over the whole cluster
    timeout: float = Field(60.0, gt=0)  # seconds for one whole download
    attempts: int = Field(6, ge=1)  # of one request, with growing pauses
    max_bytes: int = Field(64 * 2**20, ge=1)  # of one download


class SelectSettings(Settings):
    """What makes a figure worth keeping."""

    # In the caption (MedVL, section 2.1): words or phrases with OR. None: the topic; "" keeps every caption.
    keyword: str | None = None
    # None: case reports where a query selects; any type where the user names the articles (a bucket).
    article_types: tuple[str, ...] | None = None
    licences: tuple[str, ...] = ("CC0", "CC BY", "CC BY-SA")  # others are left out; crops of ND works are derivatives
    # Authors' manuscripts where PMC has no version of record. Their licence is TDM, which `licences` has to name too.
    manuscripts: bool = False
    # Whether pairs are made of figures that say they are reproduced, adapted, or shown by permission or courtesy of a
    # third party: the article's licence does not cover those. Left out with the reason `permission`; figures/ has them.
    reproduced: bool = False
    min_side: int = Field(64, ge=1)  # pixels
    max_aspect: float = Field(12.0, gt=1)  # longer side over shorter side


class SplitSettings(Settings):
    """Articles into train, val and test."""

    val: Fraction = Field(0.125, ge=0, lt=1)  # 2,849 of 22,795: MedVL's code, run8.log
    test: Fraction = Field(0.125, ge=0, lt=1)  # share of the articles, as val; models are judged on it once

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(f"val {self.val} and test {self.test} leave nothing to train on")
        return self


class TableSettings(Settings):
    """Tables on disk, and the machines' share for each station."""

    # Each is committed whole; work lost by a kill is at most the parts in hand. None: so many that a part holds about
    # 100 articles, which bounds memory however large the corpus is; at least 16.
    parts: int | None = Field(None, ge=1)
    collectors: int = Field(2, ge=1)  # parts fetched at once
    readers: tuple[int, int] = (
        1,
        2,
    )  # fewest and most actors that separate and read letters, weights loaded once in each
    reader_cpus: float = Field(0.5, gt=0)  # logical CPUs of one such actor
    # What reading one image may take, in a process of its own, before it is left out with its reason.
    item_seconds: float = Field(120.0, gt=0)
    item_gib: float = Field(4.0, gt=0)  # GiB beside what the reader itself holds
    task_cpus: float = Field(0.25, gt=0)  # logical CPUs of a collector or of a task that makes pairs
    # Pixels of the longer side of a second, smaller image that pairs and radiographs keep beside a larger one: decoding
    # it takes a fraction of the time. Models of at most this image size read it; segmentation, exports and reports
    # read the full one. null: none is kept.
    train_side: int | None = Field(256, ge=16)
    # Pictures up to which copies are sought in one process, all compared with all; beyond, by shuffles of Ray Data
    # (core/copies/search.py), whose time grows as their number does. Both find the same.
    copies_exact_below: int = Field(20_000, ge=0)
    # Of the pictures whose hashes are near, how many each is compared with by shuffles, the nearest first. Others are
    # counted as uncompared; copies lie nearer than what is only alike.
    copies_nearest: int = Field(16, ge=1)
