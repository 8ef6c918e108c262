"""What is kept of a part's pictures, so that nobody reads them again."""

from pathlib import Path

import numpy as np
import pytest

from core.copies.dedupe import SIDE, VARIANTS, Seen, hashes_of
from core.copies.signatures import PICTURE, Pictures, Signed, keep, owner_in, part_in, place_of, signatures
from core.places import Place
from core.records import Reject
from core.runs import Part, Table


def seen(item: str, owner: str, *, seed: int | None) -> Seen:
    """A picture of noise; without a seed a flat one."""
    grey = np.full((SIDE, SIDE), 9) if seed is None else np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE))
    return Seen(item, owner, f"{seed or 0:032x}", grey.astype(np.uint8).tobytes())


PICTURES = [seen("a", "A", seed=1), seen("b", "A", seed=None), seen("c", "B", seed=2)]


def test_a_picture_has_the_hashes_of_its_thumbnail_and_a_flat_one_none() -> None:
    found = Signed(3, signatures(PICTURES))
    assert found.shown.tolist() == [True, False, True]
    assert found.hashes.shape == (3, VARIANTS, 2) and not found.hashes[1].any()
    assert np.array_equal(found.hashes[[0, 2]], hashes_of(found.grey[[0, 2]]))
    assert len(Signed(0, signatures([]))) == 0 and Signed(0, signatures([])).ids.shape == (0,)


def test_a_picture_s_number_tells_its_part_its_owner_and_its_place() -> None:
    ids = Signed(3, signatures(PICTURES)).ids
    assert part_in(ids).tolist() == [3, 3, 3] and place_of(ids).tolist() == [0, 1, 2]
    assert owner_in(ids)[0] == owner_in(ids)[1] != owner_in(ids)[2]
    with pytest.raises(ValueError, match="cut the table into more parts"):
        _ = Signed(2**20, signatures(PICTURES)).ids
    assert 2**PICTURE > 10**6


def test_signatures_are_made_once_for_a_part_as_it_is(tmp_path: Path) -> None:
    table = Table(Place.at(tmp_path) / "t", Reject)
    part = table.commit(0, tables={}, rejects=[], inputs="", counts={})
    asked = []

    def read(table: Table, part: Part) -> list[Seen]:
        asked.append(part.part)
        return PICTURES

    pictures = Pictures(table, read)
    first = pictures.signed(part, 5)
    assert first.rows.equals(signatures(PICTURES)) and first.part == 5
    assert pictures.signed(part, 5).rows.equals(first.rows) and asked == [0]
    file = part.rejects.model_copy(update={"sha256": 64 * "1"})
    other = part.model_copy(update={"files": [file]})  # made again, with other rows
    keep(table, other, PICTURES[:1])
    assert len(pictures.signed(other, 0)) == 1 and len(pictures.signed(part, 0)) == 3 and asked == [0]
