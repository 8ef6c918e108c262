"""English where an article says a thing in several languages (JATS: xml:lang, and translations as sub-articles)."""

from collections.abc import Sequence

from lxml import etree

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
HREF = "{http://www.w3.org/1999/xlink}href"
PARAGRAPHS = frozenset({"p", "title", "sec", "list", "disp-quote"})


def language(element: etree._Element) -> str:
    """The language of an element, its own or that of what it stands in, "en"; "" where none is stated."""
    place: etree._Element | None = element
    while place is not None:
        if place.get(LANGUAGE):
            return str(place.get(LANGUAGE)).strip().lower().partition("-")[0]
        place = place.getparent()
    return ""


def chosen(elements: Sequence[etree._Element]) -> etree._Element | None:
    """Of captions that say the same the English one, else the first; None of none."""
    return next((each for each in elements if language(each) == "en"), elements[0] if elements else None)


def in_english(children: Sequence[etree._Element]) -> list[etree._Element]:
    """The children to read: of paragraphs that say the same in several languages the English ones, else all.

    Words within a paragraph stay, whatever their language: a Latin name is no translation.
    """
    if not any(each.get(LANGUAGE) for each in children):
        return list(children)
    said_in_english = {each.tag for each in children if each.tag in PARAGRAPHS and language(each) == "en"}
    return [each for each in children if each.tag not in said_in_english or language(each) == "en"]


def translated(article: etree._Element, fig: etree._Element) -> etree._Element | None:
    """The same figure in an English translation of an article in another language: of its image, or of its place."""
    if language(fig) in ("", "en"):
        return None
    own = [each for each in article.iter("{*}fig") if not within_translation(each)]
    for part in article.iterfind("{*}sub-article"):
        if part.get("article-type") == "translation" and language(part) == "en":
            figs = list(part.iter("{*}fig"))
            alike = [each for each in figs if hrefs(each) and hrefs(each) == hrefs(fig)]
            if alike:
                return alike[0]
            if len(figs) == len(own) and fig in own:
                return figs[own.index(fig)]
    return None


def within_translation(element: etree._Element) -> bool:
    """Whether an element stands in a translation of its article."""
    return any(
        str(each.tag).endswith("sub-article") and each.get("article-type") == "translation"
        for each in element.iterancestors()
    )


def hrefs(fig: etree._Element) -> list[str]:
    """The images that a figure names."""
    return [str(each.get(HREF, "")) for each in fig.iter("{*}graphic")]
