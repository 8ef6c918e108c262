"""Films that show what others show: their patients on one side, in one set and across sets."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.copies.signatures import Asked
from core.images import encode_jpeg, encode_png, open_image
from core.places import Place
from core.records import Pair, Radiograph, Reject, Sentence, from_table
from phantom.pictures.contents import draw_content
from trainers.datasets.alike import on_one_side_by_pixels
from trainers.datasets.tables import Terms, make_part, pair_table, radiograph_table, slices

ASKED = Asked(0.98)


@pytest.fixture(scope="module")
def films() -> list[Image.Image]:
    rng = np.random.default_rng(3)
    return [Image.fromarray(draw_content("xray", rng, height=160, width=150)) for _ in range(8)]


def film(name: str, patient: str, split: str, image: bytes, dataset: str) -> Radiograph:
    return Radiograph(
        image_id=name, patient_id=patient, study_id=name, dataset=dataset, split=split, image=image, width=150,  # type: ignore[arg-type]
        height=160, view="PA", text="One.", targets=[], regions=[], md5=name, notes=[],
    )  # fmt: skip


def made(run: Place, rows: list[Radiograph]) -> Place:
    """The tables of a run, in two parts, one work of each left out."""

    def read(work: int) -> list[Radiograph | Reject]:
        if work < len(rows):
            return [rows[work]]
        return [Reject(item_id=str(work), article_id="p", stage="dataset", code="last", message="the last")]

    cut = [[Sentence(start=0, end=4)]]
    make = partial(
        make_part, run=run, read=read, shape=int, open_cut=lambda: lambda texts: cut, terms=Terms("CC0", "A")
    )
    for each in slices(range(len(rows) + 1), 2):
        make(vars(each))
    return run


def sides(run: Place) -> dict[str, str]:
    table = radiograph_table(run)
    return {row.image_id: row.split for part in table.parts() for row in from_table(table.read_of(part), Radiograph)}


def recompressed(image: Image.Image) -> bytes:
    return encode_jpeg(open_image(encode_png(image)).image.resize((120, 140)))


def test_patients_who_share_a_picture_go_to_the_more_held_out_side(films: list[Image.Image], tmp_path: Path) -> None:
    run = made(Place.at(tmp_path), [
        film("a1", "a", "train", encode_png(films[0]), "D"),
        film("a2", "a", "train", encode_png(films[1]), "D"),
        film("b1", "b", "test", recompressed(films[0]), "D"),
        film("c1", "c", "val", encode_png(films[2]), "D"),
        film("c2", "c", "val", recompressed(films[2]), "D"),  # of one patient: its own affair
        film("d1", "d", "train", encode_png(films[3]), "D"),
    ])  # fmt: skip
    told = on_one_side_by_pixels(run, [], ASKED)
    assert told[0].startswith("1 times two patients share a picture")
    assert told[1] == "1 patients share one with another split: their 2 images went to test"
    assert sides(run) == {"a1": "test", "a2": "test", "b1": "test", "c1": "val", "c2": "val", "d1": "train"}
    pairs = pair_table(run)
    test = from_table(pairs.read("split=test"), Pair)
    assert sorted((pair.pair_id, pair.split) for pair in test) == [(name, "test") for name in ("a1", "a2", "b1")]
    assert radiograph_table(run).left_out == {"last": 1} and radiograph_table(run).rows == 6
    head, row = (radiograph_table(run).place / "duplicates.csv").read_bytes().decode().splitlines()
    assert head == '"image","copy","patient","copy_patient","similarity","reason"'
    assert row.startswith('"D/a1","D/b1","D/a","D/b",')
    assert on_one_side_by_pixels(run, [], ASKED) == []  # known already


def test_a_copy_in_another_set_moves_its_own_patient_and_not_the_other_s(
    films: list[Image.Image], tmp_path: Path
) -> None:
    there = made(Place.at(tmp_path) / "there", [film("x", "1", "test", encode_png(films[0]), "A")])
    here = made(Place.at(tmp_path) / "here", [
        film("y", "1", "train", recompressed(films[0]), "B"),  # a patient of that name in another set is another
        film("z", "2", "train", encode_png(films[1]), "B"),
    ])  # fmt: skip
    assert on_one_side_by_pixels(here, [], ASKED) == []
    told = on_one_side_by_pixels(here, [there], ASKED)
    assert told[1].endswith("their 1 images went to test")
    assert sides(here) == {"y": "test", "z": "train"} and sides(there) == {"x": "test"}
