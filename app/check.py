"""figray check, the first contact: one small question to each service, and what differs from what figray expects.

The transcript holds no key and no e-mail address, so that it can be sent to others.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from core.config import UserError
from core.rejection import RejectionError
from core.settings import Config, SourceSettings
from pipelines.sources import esearch, inventory
from pipelines.sources.articles import refuse_unnamed
from pipelines.sources.jats import parse_article
from pipelines.sources.known import FIELDS
from pipelines.sources.links import eutil, pmc_ids
from pipelines.sources.pmc import Bucket, Version, open_bucket, open_transport
from pipelines.sources.topics import Clause, europepmc_clauses, pmc_clauses, pubmed_clauses, query_of
from pipelines.sources.transport import FetchError, Transport, surroundings
from pipelines.sources.ways import count

PROPERTIES = ("pmcid", "version", "is_pmc_openaccess", "license_code", "xml_url", "media_urls")  # that figray reads


@dataclass(frozen=True)
class Line:
    """One question and its answer."""

    name: str
    seconds: float
    right: bool
    found: str  # what was found, or what differs
    setting: str = ""  # what to change then


class Differs(Exception):
    """An answer that is not what figray expects; the message says how."""


@dataclass
class Contact:
    """The services of some settings, and what earlier answers have given to ask on with."""

    source: SourceSettings
    transport: Transport
    bucket: Bucket
    pmid: str = ""
    pmcid: str = ""
    version: Version | None = None
    known: dict[str, Any] = field(default_factory=dict)


Question = Callable[[Contact], str]


def check(config: Config) -> Iterator[Line]:
    """Ask everything in order, each question once; raises UserError where NCBI would be asked by nobody."""
    refuse_unnamed(config.source.model_copy(update={"index": "pubmed", "origin": "pmc"}))
    sources = [
        config.source.model_copy(update={"index": index, "links": "idconv"}) for index in ("pubmed", "europepmc")
    ]
    ncbi, europe = (Contact(each, open_transport(each), open_bucket(each)) for each in sources)
    for name, question, setting in questions(config):
        yield asked(europe if name.startswith("Europe PMC") else ncbi, name, question, setting)


def questions(config: Config) -> Iterator[tuple[str, Question, str]]:
    """Name, question, and the setting to change where its answer differs."""
    source, select = config.source.model_copy(update={"query": None}), config.select
    for db in FIELDS:
        yield f"EInfo of {db}: our fields", _fields(db), "source.query, source.index"
    for clause in (*pubmed_clauses(source, select), *pmc_clauses(source, select)):
        yield f"ESearch of {clause.index}: {clause.name}", _counted(clause), "source.topic, source.query, source.index"
    yield "ESearch of pubmed: one article", _one(query_of(pubmed_clauses(source, select))), "source.topic, source.index"
    yield "ELink: one link", _linked("elink"), "source.links=idconv"
    yield "ID converter: one id", _linked("idconv"), "source.links=elink, source.idconv_url"
    whole = Clause("europepmc", "query", query_of(europepmc_clauses(source, select)))
    yield "Europe PMC: our query", _counted(whole), "source.index=pubmed, source.europepmc_url"
    yield "PMC Cloud: versions of one article", _listed, "source.bucket_url"
    yield "PMC Cloud: its metadata", _metadata, "source.bucket_url"
    yield "PMC Cloud: its XML", _xml, "source.bucket_url"
    yield "PMC Cloud: an image with its MD5", _image, "source.bucket_url"
    yield "PMC Cloud: the newest inventory", _inventory, "nothing: it only tells what changed"


def asked(contact: Contact, name: str, question: Question, setting: str) -> Line:
    """One question, timed; what differs or fails is told, not raised."""
    begun = time.monotonic()
    try:
        found, right = question(contact), True
    except (Differs, RejectionError) as error:
        found, right = str(error) or type(error).__name__, False
    return Line(name, round(time.monotonic() - begun, 2), right, found, "" if right else setting)


def told(line: Line) -> str:
    """A line for a person."""
    text = f"{'right  ' if line.right else 'DIFFERS'} {line.seconds:6.2f} s  {line.name}: {line.found}"
    return text if line.right else f"{text}\n                  change: {line.setting}"


def transcript(config: Config, lines: list[Line], *, version: str) -> dict[str, Any]:
    """What was asked and answered, without secrets."""
    source = config.source
    urls = {name: getattr(source, name) for name in ("esearch_url", "idconv_url", "europepmc_url", "bucket_url")}
    named = {"email": bool(source.email), "key": "api_key" in esearch.caller(source)}
    return {
        "figray": version, "topic": source.topic, "urls": urls, "given": named, "network": surroundings(),
        "lines": [asdict(line) for line in lines],
    }  # fmt: skip


def _fields(db: str) -> Question:
    def ask(contact: Contact) -> str:
        query = {"db": db, "retmode": "json", "version": "2.0", **esearch.caller(contact.source)}
        reply = contact.transport.get(
            eutil(contact.source, "einfo"), query, per_second=contact.source.esearch_per_second
        )
        try:
            info = json.loads(reply, strict=False)["einforesult"]["dbinfo"]
            info = info[0] if isinstance(info, list) else info
            there = {str(each["fullname"]).lower() for each in info["fieldlist"]}
        except (ValueError, LookupError, TypeError) as error:
            raise Differs(f"the reply is not EInfo's JSON: {type(error).__name__}") from error
        if missing := [name for name in FIELDS[db] if name not in there]:
            raise Differs(f"{db} has no field {', '.join(missing)}")
        return f"{', '.join(FIELDS[db])} among {len(there)}"

    return ask


def _counted(clause: Clause) -> Question:
    def ask(contact: Contact) -> str:
        number = count(contact.source, contact.transport, clause)
        if not number:
            raise Differs(f"{clause.text} finds nothing")
        return f"{number:,} by {clause.text}"

    return ask


def _one(query: str) -> Question:
    def ask(contact: Contact) -> str:
        found = esearch.ids(contact.source, contact.transport, "pubmed", query, wanted=20)
        contact.known["pmids"] = found
        if not found:
            raise Differs("no article has all of the clauses")
        return f"PubMed id {found[0]}"

    return ask


def _linked(links: str) -> Question:
    def ask(contact: Contact) -> str:
        pmids = contact.known.get("pmids") or []
        if not pmids:
            raise Differs("not asked: no PubMed id to link from")
        found = pmc_ids(contact.source.model_copy(update={"links": links}), contact.transport, pmids)
        if not found:
            raise Differs(f"none of {len(pmids)} PubMed ids has a link to PMC")
        before = contact.known.setdefault("linked", found)
        unlike = [pmid for pmid in found if pmid in before and before[pmid] != found[pmid]]
        if unlike:
            raise Differs(f"ELink and the ID converter lead from {unlike[0]} to different articles")
        contact.pmid = next(iter(found))
        contact.pmcid = found[contact.pmid]
        return f"{len(found)} of {len(pmids)} linked; {contact.pmid} is {contact.pmcid}"

    return ask


def _listed(contact: Contact) -> str:
    for pmcid in dict.fromkeys((contact.known.get("linked") or {}).values()):
        versions = contact.bucket.list(f"{pmcid}.")
        if versions:
            contact.pmcid = pmcid
            contact.known["version"] = versions[-1].rstrip("/")
            return f"{', '.join(versions)}"
    raise Differs("not one of the linked articles is in the bucket" if contact.pmcid else "not asked: no article")


def _metadata(contact: Contact) -> str:
    version = _needed(contact, "version")
    text = contact.bucket.get(f"metadata/{version}.json")
    try:
        stated = json.loads(text)
    except ValueError as error:
        raise Differs("the metadata is no JSON") from error
    if missing := [name for name in PROPERTIES if name not in stated]:
        raise Differs(f"the metadata has no {', '.join(missing)}")
    contact.version = Version.model_validate(stated)
    return f"licence {contact.version.license_code}, {len(contact.version.media_urls or [])} files"


def _xml(contact: Contact) -> str:
    url = _version(contact).xml_url or ""
    article = parse_article(_fetched(contact, url), _version(contact).article_id)
    return f"type {article.article_type}, {len(article.figures)} figures"


def _image(contact: Contact) -> str:
    images = [
        url for url in _version(contact).media_urls or [] if url.partition("?")[0].endswith((".jpg", ".png", ".gif"))
    ]
    if not images:
        raise Differs(f"{_version(contact).article_id} has no image in the bucket; another topic may have")
    return f"{len(_fetched(contact, images[0])):,} bytes, as its MD5 says"


def _inventory(contact: Contact) -> str:
    report = inventory.newest(contact.bucket)
    if report is None:
        raise Differs("the bucket lists no inventory")
    return f"made {report.made}, {len(report.files)} files"


def _fetched(contact: Contact, url: str) -> bytes:
    """An object by the address that the metadata states, s3://BUCKET/KEY?md5=SUM."""
    address, _, checksum = url.partition("?md5=")
    key = address.removeprefix("s3://").partition("/")[2]
    if not key:
        raise Differs(f"no address in the metadata that figray can read: {url[:80]!r}")
    data = contact.bucket.get(key)
    if checksum and hashlib.md5(data, usedforsecurity=False).hexdigest() != checksum:
        raise FetchError("checksum", f"{key} is not the file that its MD5 names")
    return data


def _version(contact: Contact) -> Version:
    if contact.version is None:
        raise Differs("not asked: no metadata")
    return contact.version


def _needed(contact: Contact, name: str) -> str:
    if name not in contact.known:
        raise Differs("not asked: no article")
    return str(contact.known[name])


def refuse_wrong(lines: list[Line]) -> None:
    """Raise UserError, which ends the command with 2, if anything differs."""
    wrong = [line.name for line in lines if not line.right]
    if wrong:
        raise UserError(f"{len(wrong)} of {len(lines)} differ: {'; '.join(wrong)}")
