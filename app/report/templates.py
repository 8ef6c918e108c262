"""The page's templates, and the words they have for the pipeline's codes."""

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

REASONS = {
    "retracted": "the article was retracted",
    "manuscript": "an author's manuscript, not the version of record",
    "not_open_access": "not in PMC's open access subset",
    "licence": "the licence does not allow changed images to be shared",
    "not_case_report": "the article is not a case report",
    "article_type": "the article is not of a type that was asked for",
    "bad_id": "the id is no PMC id",
    "bad_metadata": "the bucket's metadata do not fit the article",
    "gone": "no longer in the bucket",
    "no_xml": "the bucket has no XML of the article",
    "not_jats": "the article's XML is not JATS",
    "xml_syntax": "the article's XML is broken",
    "xml_bomb": "the article's XML would unfold without bound",
    "no_figures": "the article has no figures",
    "no_figure_kept": "each of its figures was left out, see below",
    "no_caption": "the figure has no caption",
    "keyword": "the keyword is not in the caption",
    "no_graphic": "the figure names no image file",
    "bad_href": "the figure's image has no usable file name",
    "no_media": "the bucket has no image for the figure",
    "repeated": "the image stands in an earlier figure too",
    "checksum": "the bytes do not have the stated MD5, twice",
    "not_image": "the file is no image of a known format",
    "broken_image": "the image file is damaged",
    "truncated": "the image file ends early",
    "unsupported": "the file is of a kind that is not read",
    "no_pixels": "the file holds no picture",
    "too_large": "the file is larger than allowed",
    "too_small": "the image's shorter side is too short",
    "aspect": "the image is too long for its width",
    "timeout": "the download took too long",
    "connection": "the connection failed, again and again",
    "encoding": "the server's compression could not be undone",
    "reviewed": "a person says that image and text do not belong together",
    "ssrf": "the address leads to a host that was not configured",
}
MATCHED_BY = {  # records.Match.matched_by
    "letter": "matched by letter",
    "order": "matched by order",
    "position": "matched by position",
    "single": "single panel",
    "published": "published with its own caption",
    "whole": "not matched, whole caption",
    "reviewed": "corrected by a person",
    "given": "given with the image",
}
MEASURES = {  # phantom/pmc/accuracy.py
    "figures_kept": "figures that were kept, or left out, as they should be",
    "panels_f1": "panels found, F1 at an overlap (IoU) of 0.5",
    "letters": "printed letters read right, on the right panel",
    "pairs": "panels with the right text, of all panels of kept figures",
    "pairs_labelled": "panels with the right text, of those with a letter",
}


def in_words(code: str) -> str:
    """A reason code as a phrase; a code that is not listed is spelt out, a sentence stays as it is."""
    if code.startswith("http_"):
        return f"the server answered HTTP {code.removeprefix('http_')}"
    return REASONS.get(code) or (code if " " in code else code.replace("_", " "))


def way(matched_by: str) -> str:
    """How a text was found, as a phrase."""
    return MATCHED_BY[matched_by]


def measure(name: str) -> str:
    """What a measure of accuracy says, as a phrase; one that is not listed is spelt out."""
    return MEASURES.get(name, name.replace("_", " "))


def percent(share: float) -> str:
    """A share of 1 in percent, "34.0 %"."""
    return f"{100 * share:.1f} %"


def quantity(number: float) -> str:
    """A count with its thousands apart."""
    return f"{number:,}"


@cache
def templates(room: str = "app.report") -> Environment:
    """The templates of a room, and those beside this file; whatever they are given is escaped."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, "") for name in dict.fromkeys((room, "app.report"))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "in_words": in_words,
        "measure": measure,
        "percent": percent,
        "quantity": quantity,
        "way": way,
    }
    return environment
