"""English first, where an article says a thing in several languages."""

import pytest
from lxml import etree

from pipelines.sources.jats import parse_article
from pipelines.sources.jats_text import as_text
from pipelines.sources.languages import chosen, language

ARTICLE = (
    '<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="case-report" xml:lang="pt">'
    "<front><article-meta/></front><body>{figs}</body>{more}</article>"
)
FIG = '<fig id="{id}"><label>Figura 1</label><caption><p>{text}</p></caption><graphic xlink:href="{href}"/></fig>'


def captions(figs: str, more: str = "") -> list[str]:
    xml = ARTICLE.format(figs=figs, more=more).encode()
    return [figure.caption for figure in parse_article(xml, "PMC1.1").figures]


def read(xml: str) -> str:
    return as_text(etree.fromstring(xml)).text


def test_a_language_is_that_of_the_nearest_element_that_names_one() -> None:
    root = etree.fromstring('<a xml:lang="pt-BR"><b><c/></b><d xml:lang="EN"/></a>')
    assert [language(each) for each in root.iter()] == ["pt", "pt", "pt", "en"]
    assert language(etree.fromstring("<a/>")) == ""


def test_of_two_captions_the_english_one_is_read_and_else_the_first() -> None:
    both = etree.fromstring('<f xml:lang="de"><caption>eins</caption><caption xml:lang="en-GB">one</caption></f>')
    assert [each.text for each in (chosen(both.findall("caption")),) if each is not None] == ["one"]
    none = etree.fromstring('<f><caption xml:lang="de">eins</caption><caption xml:lang="fr">un</caption></f>')
    assert [each.text for each in (chosen(none.findall("caption")),) if each is not None] == ["eins"]
    assert chosen([]) is None


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ('<caption><p xml:lang="pt">um</p><p xml:lang="en">one</p><p xml:lang="es">uno</p></caption>', "one"),
        ('<caption><title xml:lang="en">One.</title><title xml:lang="pt">Um.</title><p>A</p></caption>', "One. A"),
        ('<caption><p xml:lang="pt">um</p><p xml:lang="pt">dois</p></caption>', "um dois"),
        ('<caption xml:lang="en"><p>of <italic xml:lang="la">in vitro</italic> <italic>p</italic></p></caption>',
         "of in vitro p"),
        ('<caption xml:lang="pt"><p>um</p><p xml:lang="en">one</p></caption>', "one"),
    ],
)  # fmt: skip
def test_paragraphs_in_other_languages_are_passed_over_and_words_are_not(xml: str, said: str) -> None:
    assert read(xml) == said


def test_a_translation_gives_its_words_to_the_figure_of_its_image_and_adds_none() -> None:
    figs = FIG.format(id="f1", text="um", href="one.jpg") + FIG.format(id="f2", text="dois", href="two.jpg")
    english = FIG.format(id="s2", text="two", href="two.jpg") + FIG.format(id="s1", text="one", href="one.jpg")
    part = f'<sub-article article-type="translation" xml:lang="en"><body>{english}</body></sub-article>'
    assert captions(figs, part) == ["one", "two"]
    assert captions(figs, part.replace('xml:lang="en"', 'xml:lang="es"')) == ["um", "dois"]
    assert captions(figs) == ["um", "dois"]


def test_figures_without_an_image_of_the_same_name_are_met_by_their_place_where_none_is_missing() -> None:
    figs = FIG.format(id="f1", text="um", href="pt1.jpg") + FIG.format(id="f2", text="dois", href="pt2.jpg")
    one, two = FIG.format(id="s1", text="one", href="en1.jpg"), FIG.format(id="s2", text="two", href="en2.jpg")
    part = '<sub-article article-type="translation" xml:lang="en"><body>{}</body></sub-article>'
    assert captions(figs, part.format(one + two)) == ["one", "two"]
    assert captions(figs, part.format(one)) == ["um", "dois"]


def test_the_figures_of_other_sub_articles_are_figures() -> None:
    reply = FIG.format(id="r1", text="reply", href="r.jpg")
    part = f'<sub-article article-type="reply"><body>{reply}</body></sub-article>'
    assert captions(FIG.format(id="f1", text="um", href="one.jpg"), part) == ["um", "reply"]
