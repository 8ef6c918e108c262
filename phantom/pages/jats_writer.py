"""An article as JATS XML in the shapes that PubMed Central delivers, distractors included."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np

from phantom.brain.wording import NOUNS, capital, lesion_words, pick, stage_words
from phantom.pages.caption_styles import Caption
from phantom.pages.case import Case

DOCTYPE = (
    '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.2 20190208//EN" '
    '"JATS-archivearticle1.dtd">'
)
NAMESPACES = (
    'xmlns:ali="http://www.niso.org/schemas/ali/1.0/" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:mml="http://www.w3.org/1998/Math/MathML"'
)
# Invented, so that nobody is named: initials, journals and numbers belong to no one.
SURNAMES = ("Abendroth", "Brandvik", "Celadon", "Dunmore", "Eastlake", "Farrowby", "Greyfield", "Hollins", "Ironwood")
JOURNALS = ("Phantom Case Reports", "Annals of Drawn Neurology", "Imaginary Radiology")
LICENCES = {
    "CC BY": "https://creativecommons.org/licenses/by/4.0/",
    "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY-SA": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC BY-NC-ND": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
}


@dataclass(frozen=True)
class GraphicXml:
    """A graphic of a figure; label and caption (inline JATS) where the figure is already separated."""

    href: str
    label: str | None = None
    caption: str | None = None


@dataclass(frozen=True)
class FigureXml:
    """A figure as the article states it."""

    xml_id: str
    label: str
    caption: Caption
    graphics: list[GraphicXml]
    grouped: bool = False  # a fig-group with a fig for each graphic


def title_of(case: Case) -> str:
    """The article's title; the same words every time it is asked for."""
    rng = np.random.default_rng([case.number, 3])
    what = capital(lesion_words(case.lesion, "", rng, say_side=True))
    form = pick(("{} in {}: a case report", "{} in {}", "Case report: {} in {}"), rng)
    return form.format(what, case.patient.words)


def doi_of(case: Case) -> str:
    return f"10.99999/phantom.{case.number}"


def write_article(case: Case, figures: Sequence[FigureXml], rng: np.random.Generator) -> bytes:
    """The article as XML; figures stand in the text or after it, as journals differ."""
    floats = rng.random() < 0.5
    kind = "research-article" if case.fate == "not_case_report" else "case-report"
    body = _body(case, figures, rng, inline=not floats)
    group = f"<floats-group>{''.join(_figure(figure) for figure in figures)}</floats-group>" if floats else ""
    head = f'{DOCTYPE}\n<article {NAMESPACES} article-type="{kind}" xml:lang="en"><?properties open_access?>'
    if rng.random() < 0.3:
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n{head}'
    return f"{head}{_front(case, rng)}{body}{_back()}{group}</article>\n".encode()


def _front(case: Case, rng: np.random.Generator) -> str:
    journal, year = pick(JOURNALS, rng), int(rng.integers(2014, 2026))
    authors = "".join(_author(name, rng) for name in rng.choice(SURNAMES, int(rng.integers(2, 5)), replace=False))
    dates = (
        f'<pub-date pub-type="epub"><day>3</day><month>11</month><year>{year}</year></pub-date>',
        f'<pub-date pub-type="collection"><year>{year}</year></pub-date>'
        f'<pub-date pub-type="epub"><month>May</month><year>{year}</year></pub-date>',
        f'<pub-date date-type="pub" publication-format="electronic"><year>{year}</year></pub-date>',
    )
    rights = f"<copyright-statement>© {year} The Authors</copyright-statement>{_licence(case, rng)}"
    return (
        f'<front><journal-meta><journal-id journal-id-type="nlm-ta">{journal}</journal-id><journal-title-group>'
        f"<journal-title>{journal}</journal-title></journal-title-group></journal-meta><article-meta>"
        f'<article-id pub-id-type="pmcid">PMC{case.number}</article-id>'
        f'<article-id pub-id-type="doi">{doi_of(case)}</article-id>'
        '<article-categories><subj-group subj-group-type="heading"><subject>Case Report</subject></subj-group>'
        "</article-categories>"
        f"<title-group><article-title>{escape(title_of(case))}</article-title></title-group>"
        f"<contrib-group>{authors}</contrib-group>{pick(dates, rng)}<volume>{year - 2010}</volume>"
        f"<permissions>{rights}</permissions>"
        f"<abstract><p>{escape(title_of(case))}.</p></abstract></article-meta></front>"
    )


def _author(surname: str, rng: np.random.Generator) -> str:
    given = f"{'ABCDEFGHJKLMNPRSTW'[rng.integers(18)]}."
    name = f"<name><surname>{surname}</surname><given-names>{given}</given-names></name>"
    return f'<contrib contrib-type="author">{name}</contrib>'


def _licence(case: Case, rng: np.random.Generator) -> str:
    """As old articles have it (words), as newer ones (href), as the newest (ali); none for an unknown code."""
    url = LICENCES.get(case.licence or "")
    if url is None:
        return ""
    words = "<license-p>This article is distributed under a Creative Commons licence.</license-p>"
    return pick((
        f'<license license-type="open-access">{words}</license>',
        f'<license license-type="open-access" xlink:href="{url}">{words}</license>',
        f'<license><ali:license_ref content-type="ccbylicense">{url}</ali:license_ref>{words}</license>',
    ), rng)  # fmt: skip


def _body(case: Case, figures: Sequence[FigureXml], rng: np.random.Generator, *, inline: bool) -> str:
    noun = pick(NOUNS[case.lesion.kind], rng)
    mentions = []
    for figure in figures:
        cited = f'<xref ref-type="fig" rid="{figure.xml_id}">{figure.label.rstrip(".")}</xref>'
        mentions.append(f"<p>{_mention(case, cited, rng)}</p>{_figure(figure) if inline else ''}")
    inline_graphic = '<inline-graphic xlink:href="phantom.i001"/>' if rng.random() < 0.2 else ""
    equation = (
        '<disp-formula id="eq1"><graphic xlink:href="phantom.e001.jpg"/></disp-formula>' if rng.random() < 0.2 else ""
    )
    return (
        '<body><sec id="s1"><title>1. Introduction</title>'
        f"<p>Reports of {noun} are many; this one is drawn.{inline_graphic}</p></sec>"
        f'<sec id="s2"><title>2. Case presentation</title><p>{capital(case.patient.words)} presented to us. '
        f"{_history(case, rng)}</p>{''.join(mentions)}{equation}</sec>"
        f'<sec id="s3"><title>3. Discussion</title><p>Imaging of {noun} is well described.</p>'
        f"{_table(rng)}{_supplement(rng)}</sec></body>"
    )


def _history(case: Case, rng: np.random.Generator) -> str:
    complaint = pick(("headache", "a first seizure", "progressive weakness", "gait disturbance", "blurred vision"), rng)
    course = pick(("for two weeks", "since the morning", "over three months"), rng)
    return f"The patient had had {complaint} {course}. There was no history of trauma or infection."


def _mention(case: Case, cited: str, rng: np.random.Generator) -> str:
    finding = escape(lesion_words(case.lesion, "", rng, say_side=True))
    stage = stage_words("initial", rng)
    return pick((
        f"Imaging {stage} showed {finding} ({cited}).",
        f"As {cited} shows, there was {finding}.",
        f"{cited} demonstrates {finding}. The patient recovered well.",
        f"The finding was consistent with {finding} [{cited}].",
    ), rng).replace("  ", " ")  # fmt: skip


def _table(rng: np.random.Generator) -> str:
    if rng.random() < 0.8:
        return ""
    return (
        '<table-wrap id="t1"><label>Table 1</label><caption><p>Laboratory values; the brain is not shown.</p></caption>'
        '<alternatives><graphic xlink:href="phantom.t001"/><table><tr><td>Sodium</td><td>139</td></tr></table>'
        "</alternatives></table-wrap>"
    )


def _supplement(rng: np.random.Generator) -> str:
    if rng.random() < 0.8:
        return ""
    return (
        '<supplementary-material id="v1"><label>Video 1</label><caption><p>Operation.</p></caption>'
        '<media xlink:href="phantom.s001.mp4" mimetype="video"/></supplementary-material>'
    )


def _figure(figure: FigureXml) -> str:
    if figure.grouped:
        return _group(figure)
    paragraphs = "".join(f"<p>{part}</p>" for part in figure.caption.paragraphs)
    title = f"<title>{figure.caption.title}</title>" if figure.caption.title else ""
    graphics = "".join(_graphic(graphic) for graphic in figure.graphics)
    return (
        f'<fig id="{figure.xml_id}" orientation="portrait" position="float"><label>{figure.label}</label>'
        f"<caption>{title}{paragraphs}</caption>{graphics}</fig>"
    )


def _group(figure: FigureXml) -> str:
    """Figures under a common caption, each with its own."""
    figs = "".join(
        f'<fig id="{figure.xml_id}-{k + 1}"><label>{graphic.label}</label><caption><p>{graphic.caption}</p></caption>'
        f'<graphic xlink:href="{graphic.href}"/></fig>'
        for k, graphic in enumerate(figure.graphics)
    )
    paragraphs = "".join(f"<p>{part}</p>" for part in figure.caption.paragraphs)
    common = f"<label>{figure.label}</label><caption>{paragraphs}</caption>"
    return f'<fig-group id="{figure.xml_id}">{common}{figs}</fig-group>'


def _graphic(graphic: GraphicXml) -> str:
    if graphic.caption is None:
        return f'<graphic xlink:href="{graphic.href}"/>'
    return (
        f'<graphic xlink:href="{graphic.href}"><label>{graphic.label}</label>'
        f"<caption><p>{graphic.caption}</p></caption></graphic>"
    )


def _back() -> str:
    reference = '<ref id="B1"><label>1</label><mixed-citation>Drawn, not cited.</mixed-citation></ref>'
    return f"<back><ref-list>{reference}</ref-list></back>"
