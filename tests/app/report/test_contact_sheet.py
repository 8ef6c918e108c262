"""The contact sheet draws boxes where the record says, and tells of each panel what it got and why."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lxml import html
from PIL import Image, ImageColor

from app.report.contact_sheet import (
    PANEL_COLOURS,
    MatchedFigure,
    card,
    data_uri,
    outline,
    panel_colour,
    render_contact_sheet,
)
from core.records import Match, SeparatedFigure


def read(page: str) -> Any:
    """The parsed page; the stubs of lxml know elements of XML alone."""
    return html.fromstring(page)


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def test_boxes_lie_on_their_scaled_pixels_in_the_colour_of_the_panel(
    draw_figure: Callable[..., SeparatedFigure],
) -> None:
    # 640 px become 480: everything is multiplied by 3/4, so panel A is (7.5, 7.5, 232.5, 232.5).
    drawn = outline(Image.new("RGB", (640, 320)), draw_figure().subfigures)
    assert drawn.size == (480, 240)
    first, second = (ImageColor.getrgb(panel_colour(i)) for i in range(2))
    for y in (8, 100, 231):
        assert pixel(drawn, 8, y) == first
        assert pixel(drawn, 10, y) == first  # three pixels wide
    assert pixel(drawn, 7, 100) == pixel(drawn, 11, 100) == (0, 0, 0)
    assert pixel(drawn, 231, 100) == first
    assert pixel(drawn, 240, 100) == second  # 320 * 3/4
    assert pixel(drawn, 239, 100) == (0, 0, 0)


def test_the_label_box_is_a_thin_line_in_the_same_colour(draw_figure: Callable[..., SeparatedFigure]) -> None:
    drawn = outline(Image.new("RGB", (640, 320)), draw_figure().subfigures)
    assert pixel(drawn, 15, 165) == ImageColor.getrgb(panel_colour(0))  # (20, 200, 60, 240) * 3/4
    assert pixel(drawn, 16, 165) == (0, 0, 0)


def test_a_small_image_is_not_enlarged_and_the_given_one_stays_as_it_was(
    draw_figure: Callable[..., SeparatedFigure],
) -> None:
    image = Image.new("RGB", (200, 100))
    assert outline(image, draw_figure().subfigures).size == (200, 100)
    assert image.getextrema() == ((0, 0), (0, 0), (0, 0))


@pytest.mark.parametrize("box", [(600, 300, 900, 900), (-50, -50, 5, 5), (100, 100, 100, 100), (50, 50, 20, 20)])
def test_a_box_beyond_the_image_or_without_area_is_drawn_inside_it(
    box: tuple[int, int, int, int], draw_figure: Callable[..., SeparatedFigure]
) -> None:
    figure = draw_figure(n_panels=1)
    panel = replace(figure.subfigures[0], box=box, label_box=box, label="\x00\n" + "W" * 50)
    assert outline(Image.new("RGB", (640, 320)), [panel]).size == (480, 240)


def test_colours_differ_and_begin_again_after_the_last() -> None:
    assert len({panel_colour(i) for i in range(-1, len(PANEL_COLOURS))}) == len(PANEL_COLOURS) + 1
    assert panel_colour(len(PANEL_COLOURS)) == panel_colour(0)


def test_lines_keep_their_colour_in_the_page_s_jpeg(draw_figure: Callable[..., SeparatedFigure]) -> None:
    uri = data_uri(outline(Image.new("RGB", (640, 320)), draw_figure().subfigures))
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    expected = ImageColor.getrgb(panel_colour(0))
    assert all(abs(a - b) < 30 for a, b in zip(pixel(image, 9, 100), expected, strict=True))


def test_each_panel_tells_its_letter_its_text_and_how_they_met(
    draw_figure: Callable[..., SeparatedFigure], matched: Callable[..., Match]
) -> None:
    rows = card(MatchedFigure(figure=draw_figure(), matches=[matched(0)])).rows
    assert (rows[0].name, rows[0].reading, rows[0].text) == ("A", "letter “A” read with 0.98", "Axial T1 image.")
    assert rows[0].how == "matched by letter, score 0.75: no letter"
    assert (rows[1].name, rows[1].text, rows[1].how) == ("B", None, "not used as a pair")
    assert [row.colour for row in rows] == [panel_colour(0), panel_colour(1)]


def test_a_panel_without_a_letter_goes_by_its_number(
    draw_figure: Callable[..., SeparatedFigure], matched: Callable[..., Match]
) -> None:
    figure = draw_figure()
    unread = replace(figure, subfigures=[replace(panel, label=None) for panel in figure.subfigures])
    rows = card(MatchedFigure(figure=unread, matches=[matched(0), matched(1)])).rows
    assert [(row.name, row.reading) for row in rows] == [("#1", "no letter read"), ("#2", "no letter read")]


def test_a_fall_back_to_the_whole_caption_is_marked(
    draw_figure: Callable[..., SeparatedFigure], matched: Callable[..., Match]
) -> None:
    matches = [matched(0), matched(1, whole=True)]
    assert card(MatchedFigure(figure=draw_figure(), matches=matches)).fallback == "whole caption for 1 of 2 panels"
    assert card(MatchedFigure(figure=draw_figure(), matches=[matched(-1, whole=True)])).fallback == "whole caption"
    assert card(MatchedFigure(figure=draw_figure(), matches=[matched(0), matched(1)])).fallback == ""
    page = render_contact_sheet([MatchedFigure(figure=draw_figure(), matches=matches)], title="Pairs")
    assert [badge.text for badge in read(page).find_class("badge")] == ["whole caption for 1 of 2 panels"]


def test_the_whole_figure_stands_after_the_panels(
    draw_figure: Callable[..., SeparatedFigure], matched: Callable[..., Match]
) -> None:
    rows = card(MatchedFigure(figure=draw_figure(), matches=[matched(-1, whole=True)])).rows
    assert [row.name for row in rows] == ["A", "B", "whole figure"]


def test_licence_and_attribution_stand_under_the_figure(draw_figure: Callable[..., SeparatedFigure]) -> None:
    page = render_contact_sheet([MatchedFigure(figure=draw_figure("Doe J"), matches=[])], title="Pairs")
    source = read(page).find_class("source")[0].text_content()
    assert source == "Doe J · CC BY · https://example.org/f1.png"


def test_an_image_that_cannot_be_opened_leaves_its_reason(draw_figure: Callable[..., SeparatedFigure]) -> None:
    page = render_contact_sheet([MatchedFigure(figure=draw_figure(image=b"junk"), matches=[])], title="Pairs")
    assert "Image not shown: none of JPEG" in read(page).text_content()


def test_the_sheet_is_a_page_of_its_own_and_inert(
    draw_figure: Callable[..., SeparatedFigure], matched: Callable[..., Match], check_inert: Callable[[str], None]
) -> None:
    attack = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"
    figures = [MatchedFigure(figure=draw_figure(attack), matches=[matched(0, attack)])]
    page = render_contact_sheet(figures, title=attack)
    check_inert(page)
    assert read(page).findtext(".//h1") == attack
    assert "No separated figures" in render_contact_sheet([], title="Pairs")
