"""Pairs of a run as pointers."""

from app.exports.pointing import pointed
from core.copies.dedupe import pixels_md5
from core.images import open_image
from core.places import Place
from core.records import Pair, SeparatedFigure, from_table
from core.runs import Table


def test_a_pointer_has_the_pixels_that_were_noted_and_those_of_a_panel_that_moved(run: Place) -> None:
    table = Table(run / "pairs", Pair)
    (file,) = [each for each in table.files("split=train") if each.endswith("part-00001.parquet")]
    part = table.parts()[1].model_copy(
        update={"files": [each for each in table.parts()[1].files if "train" in each.name]}
    )
    rows = table.read_of(part).to_pylist()
    rows[1]["box"] = [50, 0, 100, 40]  # as a person has left it
    items = pointed(table, [file], rows)
    assert [item.facts["pair_id"] for item in items] == [row["pair_id"] for row in rows]
    assert all(item.image == b"" and item.text == "" for item in items)
    figures = from_table(Table(run / "separated", SeparatedFigure).read_part(1), SeparatedFigure)
    (figure,) = [each for each in figures if each.figure_id == rows[1]["figure_id"]]
    assert items[0].facts["pixels_md5"] == "0"
    assert items[1].facts["pixels_md5"] == pixels_md5(open_image(figure.image).image.crop((50, 0, 100, 40)))
    assert items[0].facts["pieces"] == ((4, 15),)
