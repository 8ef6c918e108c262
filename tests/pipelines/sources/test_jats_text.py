"""Text of JATS elements: spaces, signs, formulas, and emphasis exactly on its words."""

import pytest

from pipelines.sources.jats import read_xml
from pipelines.sources.jats_text import Text, as_text


def text(inner: str) -> Text:
    return as_text(read_xml(f"<caption>{inner}</caption>".encode()))


def caption(inner: str) -> str:
    return text(inner).text


def emphasis(inner: str) -> list[tuple[str, str]]:
    read = text(inner)
    return [(read.text[span.start : span.end], span.kind) for span in read.emphasis]


def test_white_space_becomes_one_space_and_invisible_characters_go() -> None:
    assert caption("<p>\n  3\u2009cm\u00a0by\u200a4\t cm \n</p>") == "3 cm by 4 cm"
    assert caption("<p>le\u00adsion\u200b (\u200ea\u200f)\ufeff \u0085x</p>") == "lesion (a) x"
    signs = "T<sub>2</sub> 10<sup>6</sup> &#945; &lt;5 \u2212 \u2013 \u201cq\u201d"
    assert caption(f"<p>{signs}</p>") == "T2 10^6 α <5 − – “q”"


def test_text_is_in_normal_form_across_the_bounds_of_elements() -> None:
    inner = "<p>cafe\u0301 <bold>e\u0301tude</bold> a<bold>\u0301b</bold> end</p>"
    assert caption(inner) == "café étude áb end"
    assert emphasis(inner) == [("étude", "bold"), ("b", "bold")]


def test_formulas_are_read_in_one_writing_and_without_their_preamble() -> None:
    half = "<m:mfrac><m:mn>1</m:mn><m:mn>2</m:mn></m:mfrac>"
    maths = f'<m:math xmlns:m="http://www.w3.org/1998/Math/MathML"><m:mi>x</m:mi> <m:mo>=</m:mo>{half}</m:math>'
    tex = r"<tex-math>\documentclass{minimal}\begin{document}$$x=1/2$$\end{document}</tex-math>"
    assert caption(f"<p>with <inline-formula>{maths}</inline-formula> here</p>") == "with x=1/2 here"
    assert caption(f"<p>with <inline-formula>{tex}</inline-formula> here</p>") == "with x=1/2 here"
    both = f"<inline-formula><alternatives>{tex}{maths}<inline-graphic/></alternatives></inline-formula>"
    assert caption(f"<p>with {both} here</p>") == "with x=1/2 here"


def test_emphasis_lies_exactly_on_its_words() -> None:
    assert emphasis("<p><bold>A</bold>, THL and <bold> B </bold>, M</p>") == [("A", "bold"), ("B", "bold")]
    assert emphasis("<title>MRI</title><p>(<italic>A</italic>)  axial</p>") == [("A", "italic")]
    assert emphasis("<p><bold>(<italic>A</italic>)</bold> x</p>") == [("(A)", "bold"), ("A", "italic")]
    assert emphasis("<p>x<bold> </bold>y<italic/></p>") == []


def test_comments_and_instructions_do_not_cut_text() -> None:
    assert caption("<p>one<!-- no --> two<?x y?> three</p>") == "one two three"


def test_references_lie_on_their_words_and_name_their_targets() -> None:
    read = text("<p>See  <xref rid='f1 f2'> Figs. <bold>1</bold>, 2</xref>.</p>")
    (reference,) = read.references
    assert (read.text[reference.start : reference.end], reference.targets) == ("Figs. 1, 2", ["f1", "f2"])


def test_several_elements_are_joined_with_a_space_and_absent_ones_left_out() -> None:
    first, second = read_xml(b"<p>one</p>"), read_xml(b"<p><bold>two</bold></p>")
    joined = as_text(first, None, second)
    assert joined.text == "one two"
    assert [(span.start, span.end) for span in joined.emphasis] == [(4, 7)]
    assert as_text(None).text == ""


def test_the_labels_of_a_list_stand_out_as_bold_ones_do() -> None:
    items = "<list-item><label>A</label><p>scan</p></list-item><list-item><label>B</label><p>film</p></list-item>"
    assert caption(f"<p>MRI:</p><list>{items}</list>") == "MRI: A scan B film"
    assert emphasis(f"<p>MRI:</p><list>{items}</list>") == [("A", "bold"), ("B", "bold")]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("alpha-upper", ["A", "B"]), ("alpha-lower", ["a", "b"]), ("roman-lower", ["i", "ii"]), ("bullet", [])],
)
def test_a_list_counts_its_items_as_its_kind_says(kind: str, labels: list[str]) -> None:
    inner = f'<list list-type="{kind}"><list-item><p>scan</p></list-item><list-item><p>film</p></list-item></list>'
    assert [words for words, _ in emphasis(inner)] == labels
    assert caption(inner).split() == [
        word for pair in zip([*labels, "", ""], ["scan", "film"]) for word in pair if word
    ]


def test_a_list_longer_than_the_alphabet_goes_on_without_labels() -> None:
    items = "<list-item>x</list-item>" * 5000
    assert len(emphasis(f'<list list-type="alpha-lower">{items}</list>')) == 26


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ("<p>10<sup>4</sup> cells, 10<sup>−3</sup>, m<sup>2</sup></p>", "10^4 cells, 10^−3, m2"),
        ("<p>Fig 1<sup>a</sup>, 3<sup>*</sup>, 5<sup>th</sup>, <sup>18</sup>F</p>", "Fig 1a, 3*, 5th, 18F"),
        ("<p>10 <sup>4</sup></p>", "10 4"),
        ("<p><math><msup><mn>10</mn><mn>3</mn></msup></math></p>", "10^3"),
        (r"<p><tex-math>$${10}^{3}\ \times\ \alpha \leq 5\%$$</tex-math></p>", "10^3 × α≤5%"),
    ],
)
def test_powers_stay_powers(inner: str, said: str) -> None:
    assert caption(inner) == said
