"""Why an article or a figure is left out, as a value: (code, message), or None for what stays (MedVL, section 2.1)."""

import re
from collections.abc import Sequence
from functools import lru_cache

from core.settings import SelectSettings, SourceSettings
from pipelines.sources.topics import terms

Reason = tuple[str, str]

CASE_REPORT = ("case-report",)  # JATS @article-type
LICENCE_PATH = re.compile(r"creativecommons\.org/(?:licenses/([a-z\-]+)|publicdomain/(zero|mark))", re.IGNORECASE)
PUBLIC_DOMAIN = {"zero": "CC0", "mark": "PUBLIC DOMAIN"}


def article_types(select: SelectSettings, source: SourceSettings) -> tuple[str, ...] | None:
    """The article types to keep, None for any: as set, else case reports where a query selects, any from a bucket."""
    if select.article_types is not None or source.origin.startswith("bucket:"):
        return select.article_types
    return CASE_REPORT


def licence_code(stated: str | None) -> str:
    """A licence in PMC's spelling, "CC BY-NC", from a code or an address of Creative Commons; "" for none."""
    text = (stated or "").strip()
    address = LICENCE_PATH.search(text)
    if address:
        return f"CC {address[1].upper()}" if address[1] else PUBLIC_DOMAIN[address[2].lower()]
    if "://" in text:
        return ""
    words = [word for word in re.split(r"[\s_\-]+", text.upper()) if not re.fullmatch(r"V?[1-9](\.\d)?", word)]
    if words[:1] in (["CC0"], ["CCZERO"]) or words[:2] == ["CC", "0"]:
        return "CC0"
    return f"CC {'-'.join(words[1:])}" if words[0] == "CC" and len(words) > 1 else "-".join(words)


def version_rejection(*, open_access: bool, manuscript: bool, retracted: bool) -> Reason | None:
    """Why a version of an article is left out, from the bucket's metadata."""
    if retracted:
        return "retracted", "the article was retracted"
    if manuscript:
        return "manuscript", "an author's manuscript, not the version of record"
    if not open_access:
        return "not_open_access", "not in PMC's open access subset"
    return None


def licence_rejection(licence: str, allowed: Sequence[str]) -> Reason | None:
    """Why a licence, in the spelling of licence_code, is left out."""
    if licence in {licence_code(name) for name in allowed}:
        return None
    return "licence", f"licence {licence or 'unknown'} is none of {', '.join(allowed)}"


def article_rejection(article_type: str, allowed: Sequence[str] | None) -> Reason | None:
    """Why an article is left out for its type; None allows every type."""
    if allowed is None or article_type in allowed:
        return None
    code = "not_case_report" if tuple(allowed) == CASE_REPORT else "article_type"
    return code, f"article type {article_type or 'unknown'} is none of {', '.join(allowed)}"


def figure_rejection(caption: str, keyword: str) -> Reason | None:
    """Why a figure is left out for its caption. keyword: a word or phrase, or several with OR; a plural's s counts."""
    if not caption.strip():
        return "no_caption", "no caption"
    words = terms(keyword)
    if words and not any(_word(word).search(caption) for word in words):
        return "keyword", f"'{keyword.strip()}' is not in the caption"
    return None


def size_rejection(width: int, height: int, *, min_side: int, max_aspect: float) -> Reason | None:
    """Why an image is left out for its size in pixels."""
    if min(width, height) < min_side:
        return "too_small", f"{width} x {height} pixels, the shorter side less than {min_side}"
    if max(width, height) > max_aspect * min(width, height):
        return "aspect", f"{width} x {height} pixels, longer than {max_aspect:g} times its width"
    return None


@lru_cache
def _word(keyword: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in keyword.split())
    return re.compile(rf"(?<!\w){words}s?(?!\w)", re.IGNORECASE)
