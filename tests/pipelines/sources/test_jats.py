"""JATS to figures: captions as read, emphasis in its place, every graphic, and hostile XML (fault matrix, 16 to 23)."""

import html
import re
import time
import unicodedata
from pathlib import Path

import pytest

from core.records import Article, ArticleFigure
from pipelines.sources.jats import JatsError, parse_article

XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
META = """<front><journal-meta><journal-title-group><journal-title>Case Reports</journal-title></journal-title-group>
</journal-meta><article-meta><article-id pub-id-type="doi">10.1/x</article-id><title-group>
<article-title>A <italic>rare</italic> case</article-title></title-group>
<contrib-group><contrib contrib-type="author"><name><surname>Nair</surname>
<given-names>Rajiv Mary-Jane</given-names></name></contrib>
<contrib contrib-type="editor"><name><surname>Editor</surname></name></contrib>
<contrib contrib-type="author"><collab>The Study Group</collab></contrib></contrib-group>
<pub-date pub-type="pmc-release"><year>2017</year></pub-date>
<pub-date pub-type="epub"><month>Jan</month><year>2016</year></pub-date><permissions><license xlink:href="http://creativecommons.org/licenses/by/4.0/"/></permissions>
</article-meta></front>"""


def article(body: str, *, meta: str = META) -> bytes:
    return f'<article article-type="case-report" {XLINK}>{meta}<body>{body}</body></article>'.encode()


def parsed(body: str) -> Article:
    return parse_article(article(body), "PMC1.1")


def only_figure(inner: str) -> ArticleFigure:
    (figure,) = parsed(f'<fig id="f1">{inner}</fig>').figures
    return figure


def caption(inner: str) -> str:
    return only_figure(f'<caption>{inner}</caption><graphic xlink:href="g1"/>').caption


def refusal(xml: bytes) -> str:
    with pytest.raises(JatsError) as refused:
        parse_article(xml, "PMC1.1")
    return refused.value.code


def test_what_is_said_of_the_article_is_read() -> None:
    read = parsed("")
    assert (read.article_id, read.article_type, read.title) == ("PMC1.1", "case-report", "A rare case")
    assert (read.doi, read.year, read.journal) == ("10.1/x", 2016, "Case Reports")
    assert read.authors == "Nair RMJ, The Study Group"
    assert read.licence_url == "http://creativecommons.org/licenses/by/4.0/"
    assert read.figures == []


def test_an_article_that_says_nothing_of_itself_is_read_too() -> None:
    read = parse_article(b"<article/>", "PMC1.1")
    assert (read.article_type, read.title, read.authors) == ("", "", "")
    assert (read.doi, read.year, read.journal, read.licence_url) == (None, None, None, None)


def test_the_newer_form_of_a_licence_and_of_a_date_is_read() -> None:
    meta = """<front><article-meta><pub-date date-type="pub"><year>2021</year></pub-date>
    <permissions><ali:license_ref xmlns:ali="http://www.niso.org/schemas/ali/1.0/"> https://creativecommons.org/licenses/by/4.0/
    </ali:license_ref></permissions></article-meta></front>"""
    read = parse_article(article("", meta=meta), "PMC1.1")
    assert (read.year, read.licence_url) == (2021, "https://creativecommons.org/licenses/by/4.0/")


@pytest.mark.parametrize(
    "wrapped",
    [
        "<pmc-articleset>{}</pmc-articleset>",
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><GetRecord><record><metadata>{}</metadata></record></GetRecord>'
        "</OAI-PMH>",
        '<x:set xmlns:x="urn:x">{}</x:set>',
    ],
    ids=["efetch", "oai", "prefix"],
)
def test_an_article_is_found_in_its_wrapping(wrapped: str) -> None:
    inner = article('<fig id="f"><caption><p>Brain.</p></caption><graphic xlink:href="g"/></fig>').decode()
    read = parse_article(wrapped.format(inner).encode(), "PMC1.1")
    assert [figure.caption for figure in read.figures] == ["Brain."]


def test_words_of_title_paragraphs_and_lists_do_not_fuse() -> None:
    assert caption("<title>Brain MRI.</title><p>(A) Before</p><p>and after.</p>") == "Brain MRI. (A) Before and after."
    items = "".join(f"<list-item><label>{label}</label><p>scan</p></list-item>" for label in "AB")
    assert caption(f"<p>MRI:</p><list>{items}</list>") == "MRI: A scan B scan"
    assert caption("<p>first<break/>second</p>") == "first second"


def test_a_figure_may_lack_everything() -> None:
    figure = only_figure("")
    assert (figure.xml_id, figure.label, figure.caption, figure.graphics) == ("f1", None, "", [])
    (nameless,) = parsed("<fig/>").figures
    assert nameless.xml_id == "figure-1"


def test_only_the_image_of_a_figure_is_its_graphic() -> None:
    body = """<fig id="f1"><label>Figure 1.</label><caption><p>x <graphic xlink:href="in-caption"/></p></caption>
    <alternatives><graphic xlink:href="g1"/><graphic xlink:href="g1-large"/></alternatives></fig>
    <disp-formula><graphic xlink:href="equation"/></disp-formula><p><inline-graphic xlink:href="sign"/></p>
    <table-wrap><alternatives><graphic xlink:href="table"/></alternatives></table-wrap><graphic xlink:href="bare"/>
    <fig id="f2"><supplementary-material><graphic xlink:href="film-still"/></supplementary-material>
    <media xlink:href="film.mp4"/><graphic xlink:href="g2"/><graphic xlink:href="g3"/></fig>"""
    hrefs = [[graphic.href for graphic in figure.graphics] for figure in parsed(body).figures]
    assert hrefs == [["g1"], ["g2", "g3"]]


def test_alternatives_are_one_image_in_several_formats_and_media_may_be_one() -> None:
    figure = only_figure(
        '<alternatives><graphic xlink:href="a.svg"/><media mimetype="image" xlink:href="a"/>'
        '<graphic xlink:href="a.png"/></alternatives><media xlink:href="b.tif"/>'
        '<media mimetype="video" xlink:href="c"/>'
    )
    assert [(graphic.href, graphic.others) for graphic in figure.graphics] == [("a.svg", ("a", "a.png")), ("b.tif", ())]


def test_pictures_within_the_text_are_the_image_only_where_there_is_no_other() -> None:
    inline = '<p><inline-graphic xlink:href="i"/></p>'
    assert [graphic.href for graphic in only_figure(inline).graphics] == ["i"]
    beside = only_figure(f'{inline}<graphic xlink:href="g"/>')
    assert [graphic.href for graphic in beside.graphics] == ["g"]


def test_graphics_with_captions_of_their_own_keep_them() -> None:
    figure = only_figure(
        """<label>Figure 1.</label><caption><p>Brain.</p></caption>
        <graphic xlink:href="a"><label>a.</label><caption><p>axial</p></caption></graphic>
        <graphic xlink:href="b"><label>b.</label><caption><p>sagittal</p></caption></graphic>"""
    )
    assert [(part.href, part.label, part.caption) for part in figure.graphics] == [
        ("a", "a.", "axial"),
        ("b", "b.", "sagittal"),
    ]
    assert figure.caption == "Brain."
    bare = only_figure('<graphic xlink:href="a"><label>a.</label><caption><p>axial</p></caption></graphic>')
    assert bare.caption == "a. axial"


def test_what_is_said_of_a_group_holds_for_its_figures() -> None:
    body = """<p>See <xref rid="g">Fig. 2</xref>.</p><fig-group id="g"><label>Figure 2</label>
    <caption><p>Brain of a <bold>boy</bold>.</p></caption><attrib>Courtesy of Dr. Roe.</attrib>
    <fig id="a"><label>A</label><caption><p><bold>CT</bold></p></caption><graphic xlink:href="ga"/></fig>
    <fig id="b"><label>B</label><graphic xlink:href="gb"/></fig></fig-group>"""
    first, second = parsed(body).figures
    assert (first.label, first.caption) == ("Figure 2", "Brain of a boy. CT")
    assert [first.caption[span.start : span.end] for span in first.emphasis] == ["boy", "CT"]
    assert (first.graphics[0].label, first.graphics[0].caption) == ("A", "CT")
    assert (second.caption, second.graphics[0].label, second.graphics[0].caption) == ("Brain of a boy.", "B", None)
    assert first.mentions == second.mentions == ["See Fig. 2."]
    assert first.permission == second.permission == "Courtesy of Dr. Roe."


def test_a_group_within_a_group_is_told_of_by_both() -> None:
    body = """<fig-group><label>Figure 3</label><caption><p>Both visits.</p></caption>
    <attrib>Courtesy of Dr. Roe.</attrib><fig-group><caption><p>First visit.</p></caption>
    <fig id="a"><label>A</label><caption><p>CT</p></caption><graphic xlink:href="ga"/></fig></fig-group></fig-group>"""
    (figure,) = parsed(body).figures
    assert (figure.label, figure.caption) == ("Figure 3", "Both visits. First visit. CT")
    assert (figure.graphics[0].label, figure.graphics[0].caption) == ("A", "CT")
    assert figure.permission == "Courtesy of Dr. Roe."


def test_the_graphics_that_a_group_holds_itself_are_not_lost() -> None:
    body = """<p>In <xref rid="g">Fig. 4</xref>.</p><fig-group id="g"><label>Figure 4</label>
    <caption><p>Brain.</p></caption><graphic xlink:href="ga"><label>A</label><caption><p>CT</p></caption></graphic>
    <graphic xlink:href="gb"><label>B</label></graphic>
    <fig id="c"><label>C</label><graphic xlink:href="gc"/></fig></fig-group>"""
    group, child = parsed(body).figures
    assert [(part.href, part.label, part.caption) for part in group.graphics] == [("ga", "A", "CT"), ("gb", "B", None)]
    assert [(part.href, part.label) for part in child.graphics] == [("gc", "C")]
    assert (group.caption, child.caption) == ("Brain.", "Brain.")
    assert group.mentions == child.mentions == ["In Fig. 4."]


def test_graphics_take_the_words_of_their_item_in_the_captions_list() -> None:
    items = "".join(
        f"<list-item><label>({label})</label><p>{words}</p></list-item>" for label, words in (("A", "CT"), ("B", "MRI"))
    )
    listed = f"<caption><p>Brain.</p><list>{items}</list></caption>"
    lettered = only_figure(
        f'{listed}<graphic xlink:href="b"><label>B.</label></graphic><graphic xlink:href="a"><label>a</label></graphic>'
    )
    assert [(part.href, part.caption) for part in lettered.graphics] == [("b", "MRI"), ("a", "CT")]
    in_order = only_figure(f'{listed}<graphic xlink:href="one"/><graphic xlink:href="two"/>')
    assert [(part.label, part.caption) for part in in_order.graphics] == [("(A)", "CT"), ("(B)", "MRI")]
    compound = only_figure(f'{listed}<graphic xlink:href="one"/>')
    assert [(part.label, part.caption) for part in compound.graphics] == [(None, None)]
    assert compound.caption == "Brain. (A) CT (B) MRI"


def test_mentions_are_the_sentences_that_refer_to_a_figure() -> None:
    body = """<sec><p>A girl came. Her MRI (<xref rid="f1" ref-type="fig">Fig. 1a</xref>) showed e.g. a cyst. It grew
    [<xref rid="B1">3</xref>]. Later scans (Figs. <xref rid="f1">1</xref>\u2013<xref rid="f3">3</xref>) were clear.</p>
    <p>Both (<xref rid="f2 f3">Figs. 2, 3</xref>).</p></sec>
    <table-wrap><caption><p>Of <xref rid="f1">Fig. 1</xref>.</p></caption></table-wrap>
    <fig id="f1"><caption><p>See <xref rid="f1">1</xref>.</p></caption></fig><fig id="f2"/><fig id="f3"/>"""
    mri, later = "Her MRI (Fig. 1a) showed e.g. a cyst.", "Later scans (Figs. 1–3) were clear."
    both = "Both (Figs. 2, 3)."
    assert [figure.mentions for figure in parsed(body).figures] == [[mri, later], [later, both], [later, both]]


@pytest.mark.parametrize(
    ("words", "third_party"),
    [
        ("MRI. Reproduced with permission from Roe [4]. CT.", "Reproduced with permission from Roe [4]."),
        ("Brain (with permission [6])", "Brain (with permission [6])"),
        ("Scheme adapted from [11].", "Scheme adapted from [11]."),
        ("A lesion modified the course.", None),
    ],
)
def test_a_third_partys_permission_is_noticed(words: str, third_party: str | None) -> None:
    assert only_figure(f"<caption><p>{words}</p></caption>").permission == third_party


def test_malformed_and_foreign_files_are_refused() -> None:
    whole = article("<p>x</p>")
    assert refusal(whole[: len(whole) // 2]) == "xml_syntax"
    assert refusal(b"") == "xml_syntax"
    assert refusal(b"<!DOCTYPE html><html><body><p>You are banned<br></body></html>") == "not_jats"
    assert refusal(b"<Error><Code>SlowDown</Code></Error>") == "not_jats"
    assert refusal(b'{"error": "API rate limit exceeded"}') == "xml_syntax"


@pytest.mark.parametrize("text", [b"\x00", b"\x08", b"\xff\xfe", b"&unknown;"])
def test_characters_that_xml_forbids_are_refused(text: bytes) -> None:
    assert refusal(b"<article>" + text + b"</article>") == "xml_syntax"


def laughs() -> bytes:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE article [<!ENTITY l0 "lol">{lines}]><article>&l9;</article>'.encode()


@pytest.mark.parametrize(
    "bomb",
    [
        laughs(),
        b'<!DOCTYPE article [<!ENTITY x "' + b"x" * 50_000 + b'">]><article>' + b"&x;" * 5_000 + b"</article>",
        b'<!DOCTYPE article [<!ENTITY a "&b;"><!ENTITY b "&a;">]><article>&a;</article>',
        b"<article>" + b"<p>" * 100_000 + b"</p>" * 100_000 + b"</article>",
        b"<article>" + b"x" * 20_000_000 + b"</article>",
        b"<article>" + b"<p/>" * 2_000_000 + b"</article>",
        b"<article>" + b"<p/>" * 600_000 + b"</article>",
    ],
    ids=["laughs", "quadratic", "loop", "depth", "text", "elements", "fewer elements"],
)
def test_bombs_are_refused_at_once(bomb: bytes) -> None:
    begun = time.process_time()
    assert refusal(bomb) == "xml_bomb"
    assert time.process_time() - begun < 2


def test_more_bytes_than_the_cap_are_not_parsed() -> None:
    assert refusal(b"<article>" + b" " * (32 * 2**20) + b"</article>") == "too_large"


def test_nothing_outside_the_file_is_ever_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SENTINEL")
    (tmp_path / "evil.dtd").write_text('<!ENTITY e "SENTINEL">')
    for declared in (
        f'<!DOCTYPE article [<!ENTITY e SYSTEM "{secret.as_uri()}">]>',
        f'<!DOCTYPE article SYSTEM "{(tmp_path / "evil.dtd").as_uri()}">',
        f'<!DOCTYPE article [<!ENTITY % p SYSTEM "{(tmp_path / "evil.dtd").as_uri()}">%p;]>',
    ):
        assert refusal(f"{declared}<article><p>&e;</p></article>".encode()) == "xml_syntax"


def test_entities_of_the_file_itself_are_resolved() -> None:
    xml = article("<fig><caption><p>TGF-&alpha;</p></caption></fig>")
    read = parse_article(b'<!DOCTYPE article [<!ENTITY alpha "&#945;">]>' + xml, "PMC1.1")
    assert read.figures[0].caption == "TGF-α"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_other_encodings_are_read(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    xml = f'<?xml version="1.0" encoding="{name}"?><article article-type="é"/>'.encode(encoding)
    assert parse_article(xml, "PMC1.1").article_type == "é"


REAL = re.compile(r"<fig [^>]*>(.*?)</fig>", re.DOTALL)


def plain(markup: str) -> str:
    """Text of markup by another way than the parser's: tags cut out, entities resolved, spaces made one."""
    text = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"</(?:p|title)>", " ", markup)))
    text = text.replace("\u2061", "")  # "log" applied to "10", the one invisible character of these captions
    return unicodedata.normalize("NFC", " ".join(text.split()))


@pytest.mark.shared
def test_every_real_caption_and_graphic_is_read_as_a_plain_reading_has_it(shared: Path) -> None:
    files = sorted(shared.glob("pmc-oa-opendata/PMC*/*.xml"))
    assert len(files) == 54
    for file in files:
        source = file.read_text(encoding="utf-8")
        expected = [
            (
                plain("".join(re.findall(r"<caption>(.*?)</caption>", fig, re.DOTALL))),
                re.findall(r'<graphic xlink:href="([^"]+)"', fig),
            )
            for fig in REAL.findall(source)
        ]
        figures = parse_article(file.read_bytes(), file.stem).figures
        assert [(figure.caption, [graphic.href for graphic in figure.graphics]) for figure in figures] == expected
        assert sum(len(figure.graphics) for figure in figures) == source.count("<graphic ")


@pytest.mark.shared
def test_real_emphasis_lies_on_the_words_that_the_markup_encloses(shared: Path) -> None:
    seen = 0
    for file in sorted(shared.glob("pmc-oa-opendata/PMC*/*.xml")):
        captions = re.findall(
            r"<caption>(.*?)</caption>", " ".join(REAL.findall(file.read_text(encoding="utf-8"))), re.DOTALL
        )
        enclosed = [plain(words) for text in captions for words in re.findall(r"<(?:italic|bold)>(.*?)</", text)]
        figures = parse_article(file.read_bytes(), file.stem).figures
        found = [figure.caption[span.start : span.end] for figure in figures for span in figure.emphasis]
        assert found == [words for words in enclosed if words]
        seen += len(found)
    assert seen > 0


@pytest.mark.shared
def test_real_figures_are_mentioned_in_the_text(shared: Path) -> None:
    figures = [
        figure
        for file in sorted(shared.glob("pmc-oa-opendata/PMC*/*.xml"))
        for figure in parse_article(file.read_bytes(), file.stem).figures
    ]
    assert sum(bool(figure.mentions) for figure in figures) / len(figures) > 0.95
