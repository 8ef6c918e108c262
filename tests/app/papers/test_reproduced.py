"""The page of a reproduction: tables with grouped columns, and nothing that a text could bring to life."""

from collections.abc import Callable
from typing import Any

from lxml import html

from app.papers.reproduced import Cell, Picture, Reproduced, Row, Table, render


def test_each_group_of_columns_begins_where_the_one_before_ends(check_inert: Callable[[str], None]) -> None:
    cells = [Cell(value=str(number), beneath=["small"], is_best=number == 3) for number in range(5)]
    table = Table(
        title="Title",
        caption="Caption.",
        groups={"one": ["a", "b"], "two": ["c", "d", "e"]},
        rows=[Row(head="ours", cells=cells), Row(head="theirs", cells=cells, is_quiet=True)],
        foot=Row(head="chance", cells=cells),
    )
    assert table.first_columns == [0, 2]
    text = render(Reproduced(title="T", about="A.", made="today", sentences=["S."], tables=[table]))
    check_inert(text)
    tree: Any = html.fromstring(text)  # the stubs of lxml know elements of XML alone
    ours, theirs = tree.findall(".//tbody/tr")
    assert [cell.text_content().strip() for cell in ours] == ["ours", *(f"{number}small" for number in range(5))]
    assert [cell.get("class") for cell in ours.findall("td")] == ["group", None, "group", None, None]
    assert (ours.get("class"), theirs.get("class")) == (None, "quiet")
    assert len(ours.findall(".//strong")) == 1


def test_pictures_and_markup_in_any_text_stay_inert(check_inert: Callable[[str], None]) -> None:
    attack = "<script>alert(1)</script>"
    shown = Reproduced(
        title=attack,
        about=attack,
        made=attack,
        sentences=[attack],
        notes=[attack],
        pictures=[Picture(title=attack, png=b"\x89PNG", meaning=attack)],
        settings={attack: attack},
    )
    text = render(shown)
    check_inert(text)
    assert "data:image/png;base64,iVBORw==" in text
