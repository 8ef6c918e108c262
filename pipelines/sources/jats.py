"""JATS article XML to figures, captions with their emphasis, mentions and licence (JATS Archiving 1.x, NLM 2.3)."""

import re
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from core.records import Article, ArticleFigure, Graphic
from core.rejection import RejectionError
from pipelines.sources.entities import resolved
from pipelines.sources.jats_text import Text, as_text, item_label, local_name
from pipelines.sources.languages import chosen, translated, within_translation

MAX_BYTES = 32 * 2**20  # 2,000,000 empty elements fit in 8 MB and become 267 MB in memory, hence both caps
MAX_ELEMENTS = 500_000
# libxml2's numbers for entities that loop, and for entities that multiply and its limits of depth and size.
BOMBS = frozenset({89, 114})
HREF = "{http://www.w3.org/1999/xlink}href"
NOT_PICTURES = frozenset(
    {"caption", "label", "disp-formula", "inline-formula", "supplementary-material", "fig", "fig-group"}
)
GRAPHICS = frozenset({"graphic", "media"})
IMAGE_FILE = re.compile(r"\.(?:jpe?g|png|gif|tiff?|webp)$", re.IGNORECASE)
NO_MENTIONS = frozenset({"fig", "fig-group", "caption", "table-wrap"})
DATES = ("pub", "epub", "ppub", "collection")
PERMISSION = re.compile(
    r"\bwith (?:\w+ ){0,3}permissions?\b|\bby (?:kind )?permission\b|\bpermission (?:of|from)\b|\bcourtesy of\b"
    r"|\b(?:reproduced|reprinted|adapted|modified|redrawn) (?:\w+ ){0,3}?from\b",
    re.IGNORECASE,
)
ABBREVIATION = r"(?<!\bFig\.)(?<!\bFigs\.)(?<!\bal\.)(?<!\bvs\.)(?<!\bcf\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bDr\.)"
SENTENCE_END = re.compile(r"(?<=[.!?])" + ABBREVIATION + r"\s+(?=[A-Z(\[])")
RANGE = re.compile(r"\s*(?:[-‐‑–—−]|to|through)\s*")


class JatsError(RejectionError):
    """An article that cannot be read; `code` is too_large, not_jats, xml_bomb or xml_syntax."""


def parse_article(xml: bytes, article_id: str) -> Article:
    """Read the first article of an XML file, alone or as E-utilities and OAI wrap it; raises JatsError."""
    article = _article_element(read_xml(xml))
    meta = article.find("{*}front/{*}article-meta")
    meta = article if meta is None else meta
    return Article(
        article_id=article_id,
        article_type=article.get("article-type", ""),
        title=_text(meta, "{*}title-group/{*}article-title") or "",
        doi=_text(meta, "{*}article-id[@pub-id-type='doi']"),
        year=_year(meta),
        journal=_text(article, "{*}front/{*}journal-meta//{*}journal-title"),
        authors=_authors(meta),
        licence_url=_licence_url(meta),
        figures=_figures(article),
    )


def read_xml(xml: bytes) -> etree._Element:
    """The root element of a stranger's XML; raises JatsError.

    Entities that the file declares are resolved, nothing outside it is read, and libxml2's limits stay in force.
    """
    if len(xml) > MAX_BYTES:
        raise JatsError("too_large", f"{len(xml)} bytes of XML, at most {MAX_BYTES}")
    opened = xml.count(b"<")  # an element has one or two of these
    if opened > 2 * MAX_ELEMENTS:
        raise JatsError("xml_bomb", f"more than {MAX_ELEMENTS} elements")
    parser = etree.XMLParser(
        resolve_entities="internal",  # type: ignore[arg-type]  # newer than the stubs
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(resolved(xml), parser)
    except etree.XMLSyntaxError as error:
        raise JatsError(_syntax_code(xml, error), str(error)[:300]) from error
    if opened > MAX_ELEMENTS and sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise JatsError("xml_bomb", f"more than {MAX_ELEMENTS} elements")
    return root


def _syntax_code(xml: bytes, error: etree.XMLSyntaxError) -> str:
    if error.code in BOMBS:  # type: ignore[attr-defined]  # absent from the stubs
        return "xml_bomb"
    start = xml[:1000].lower()
    return "not_jats" if b"<html" in start or b"<!doctype html" in start else "xml_syntax"


def _article_element(root: etree._Element) -> etree._Element:
    article = root if local_name(root) == "article" else root.find(".//{*}article")
    if article is None:
        raise JatsError("not_jats", f"no article in it; the root element is {local_name(root)[:100]}")
    return article


def _text(element: etree._Element, path: str) -> str | None:
    found = element.find(path)
    return as_text(found).text or None if found is not None else None


def _year(meta: etree._Element) -> int | None:
    """The year of publication; of PMC's own release only if there is no other."""
    dates = meta.findall("{*}pub-date")
    by_kind = {date.get("date-type") or date.get("pub-type") or "": date for date in reversed(dates)}
    for date in [by_kind[kind] for kind in DATES if kind in by_kind] + dates:
        year = re.search(r"\b\d{4}\b", _text(date, "{*}year") or "")
        if year:
            return int(year[0])
    return None


def _authors(meta: etree._Element) -> str:
    """ "Surname AB, Surname C": the authors as they are cited."""
    names = []
    for person in meta.findall("{*}contrib-group/{*}contrib"):
        if person.get("contrib-type", "author") == "author":
            names.append(_cited(person))
    return ", ".join(name for name in names if name)


def _cited(person: etree._Element) -> str:
    surname = _text(person, ".//{*}surname")
    if surname is None:
        return _text(person, "{*}collab") or _text(person, ".//{*}string-name") or ""
    given = _text(person, ".//{*}given-names") or ""
    initials = "".join(part[0].upper() for part in re.split(r"[\s.\-‐]+", given) if part)
    return f"{surname} {initials}".strip()


def _licence_url(meta: etree._Element) -> str | None:
    for licence in meta.iterfind("{*}permissions//{*}license"):
        if licence.get(HREF):
            return str(licence.get(HREF)).strip()
    written = _text(meta, "{*}permissions//{*}license_ref")
    if written:
        return written
    links = (str(link.get(HREF, "")).strip() for link in meta.iterfind("{*}permissions//{*}license//{*}ext-link"))
    return next((link for link in links if "creativecommons.org" in link), None)


def _figures(article: etree._Element) -> list[ArticleFigure]:
    elements = [
        element
        for element in article.iter("{*}fig", "{*}fig-group")
        if _is_figure(element) and not within_translation(element)
    ]
    mentions = _mentions(article, elements)
    figures = [_figure(element, number, mentions[number]) for number, element in enumerate(elements)]
    return [_in_english(figure, translated(article, element)) for figure, element in zip(figures, elements)]


def _in_english(figure: ArticleFigure, translation: etree._Element | None) -> ArticleFigure:
    """A figure with the label and caption of its English translation, where the article has one."""
    if translation is None:
        return figure
    caption = as_text(chosen(translation.findall("{*}caption")))
    label = _text(translation, "{*}label") or figure.label
    return replace(figure, label=label, caption=caption.text or figure.caption, emphasis=caption.emphasis)


def _is_figure(element: etree._Element) -> bool:
    """Whether an element is a figure: every `fig`, and a `fig-group` that holds graphics itself."""
    return local_name(element) == "fig" or element.find("{*}graphic") is not None


def _figure(fig: etree._Element, number: int, mentions: list[str]) -> ArticleFigure:
    groups = list(fig.iterancestors("{*}fig-group"))[::-1]  # the outermost first
    group_captions = [chosen(group.findall("{*}caption")) for group in groups]
    own_caption = chosen(fig.findall("{*}caption"))
    caption = as_text(*group_captions, own_caption)
    graphics = _with_listed_words([_graphic(*pictures) for pictures in _images(fig)], _listed(own_caption))
    if any(words is not None for words in group_captions) and len(graphics) == 1:
        part = graphics[0]
        label, text = part.label or _text(fig, "{*}label"), part.caption or _text(fig, "{*}caption")
        graphics = [replace(part, label=label, caption=text)]
    labels = [_text(place, "{*}label") for place in (*groups, fig)]
    return ArticleFigure(
        xml_id=fig.get("id") or f"figure-{number + 1}",
        label=next((label for label in labels if label), None),
        caption=caption.text or _parts_in_one(graphics),
        emphasis=caption.emphasis,
        graphics=graphics,
        mentions=mentions,
        permission=_permission(caption.text, [fig, *groups]),
    )


def _graphic(picture: etree._Element, *others: etree._Element) -> Graphic:
    """One image; others: the same in other formats."""
    return Graphic(
        href=_href(picture),
        label=_text(picture, "{*}label"),
        caption=_text(picture, "{*}caption"),
        others=tuple(href for href in map(_href, others) if href),
    )


def _href(picture: etree._Element) -> str:
    return str(picture.get(HREF, "")).strip()


def _images(fig: etree._Element) -> list[list[etree._Element]]:
    """The images of a figure, each in its formats; pictures within the text only where there is nothing else."""
    return list(_pictures(fig, GRAPHICS)) or list(_pictures(fig, frozenset({"inline-graphic"})))


def _pictures(element: etree._Element, names: frozenset[str]) -> Iterator[list[etree._Element]]:
    """The graphics of a figure that are its image: none of its formulas and supplements; of alternatives all in one."""
    for child in element:
        name = local_name(child)
        if name in names and (name != "media" or _is_image(child)):
            yield [child]
        if name in names or name in NOT_PICTURES:
            continue
        inner = list(_pictures(child, names))
        if name == "alternatives" and inner:
            yield [picture for pictures in inner for picture in pictures]
        else:
            yield from inner


def _is_image(media: etree._Element) -> bool:
    """Whether a `media` shows a picture, not a film or a table."""
    return media.get("mimetype") == "image" or bool(IMAGE_FILE.search(_href(media)))


def _parts_in_one(graphics: list[Graphic]) -> str:
    """The captions of the parts, for a figure that has none itself."""
    return " ".join(
        word for graphic in graphics if graphic.caption for word in (graphic.label, graphic.caption) if word
    )


def _listed(caption: etree._Element | None) -> list[tuple[str, str]]:
    """The label and the words of every labelled item in a caption's lists."""
    items = [] if caption is None else list(caption.iter("{*}list-item"))
    words = [as_text(*(child for child in item if local_name(child) != "label")).text for item in items]
    labels = [item_label(item) for item in items]
    return [(label, text) for label, text in zip(labels, words, strict=True) if label and text]


def _with_listed_words(graphics: list[Graphic], items: list[tuple[str, str]]) -> list[Graphic]:
    """Graphics without a caption with the words of the list item of their label, or of their place in the list."""
    if len(items) == len(graphics) > 1 and not any(graphic.label or graphic.caption for graphic in graphics):
        return [replace(part, label=label, caption=text) for part, (label, text) in zip(graphics, items)]
    words = {_letters(label): text for label, text in reversed(items)}
    return [replace(part, caption=part.caption or words.get(_letters(part.label or ""))) for part in graphics]


def _letters(label: str) -> str:
    return re.sub(r"\W", "", label).lower()


def _permission(caption: str, places: list[etree._Element]) -> str | None:
    """The first sentence that tells of a third party's permission, in the caption or beside it."""
    rights = [as_text(*place.findall(path)).text for place in places for path in ("{*}attrib", "{*}permissions")]
    sentences = (sentence for text in [caption, *rights] for sentence in SENTENCE_END.split(text))
    return next((sentence for sentence in sentences if PERMISSION.search(sentence)), None)


def _mentions(article: etree._Element, figs: list[etree._Element]) -> list[list[str]]:
    """For each figure the sentences of the body that refer to it, in the order of the text."""
    numbers = _numbers_by_id(figs)
    found: list[dict[str, None]] = [{} for _ in figs]
    for paragraph in _referring_paragraphs(article, numbers):
        text = as_text(paragraph)
        for start, end in _sentences(text.text):
            for number in _referred(text, start, end, numbers):
                found[number][text.text[start:end]] = None
    return [list(sentences) for sentences in found]


def _numbers_by_id(figs: list[etree._Element]) -> dict[str, list[int]]:
    """The figures that an id stands for: one, or all of a group."""
    numbers: dict[str, list[int]] = {}
    for number, fig in enumerate(figs):
        for element in (fig, *fig.iterancestors("{*}fig-group")):
            if element.get("id"):
                numbers.setdefault(str(element.get("id")), []).append(number)
    return numbers


def _referring_paragraphs(article: etree._Element, numbers: dict[str, list[int]]) -> list[etree._Element]:
    paragraphs: dict[etree._Element, None] = {}
    for xref in article.iterfind("{*}body//{*}xref"):
        if not numbers.keys() & set(str(xref.get("rid", "")).split()):
            continue
        ancestors = list(xref.iterancestors())
        if any(local_name(element) in NO_MENTIONS for element in ancestors):
            continue
        paragraph = next((element for element in ancestors if local_name(element) == "p"), None)
        if paragraph is not None:
            paragraphs[paragraph] = None
    return list(paragraphs)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for gap in SENTENCE_END.finditer(text):
        yield start, gap.start()
        start = gap.end()
    yield start, len(text)


def _referred(text: Text, start: int, end: int, numbers: dict[str, list[int]]) -> list[int]:
    """The figures that text[start:end] refers to; "1-3" refers to the second too."""
    inside = [reference for reference in text.references if start <= reference.start and reference.end <= end]
    figures: list[int] = []
    last_end, last = -1, -1
    for reference in inside:
        here = [number for target in reference.targets for number in numbers.get(target, [])]
        if here and figures and RANGE.fullmatch(text.text[last_end : reference.start]):
            figures += range(last + 1, here[0])
        figures += here
        if here:
            last_end, last = reference.end, here[-1]
    return figures
