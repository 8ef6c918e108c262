"""Drawn tables are read as real ones are."""

from pathlib import Path

import numpy as np

from bench.drawn_tables import draw_figures, draw_manifests, draw_pairs, draw_pictures, draw_separated, draw_texts
from core.copies import dedupe
from core.copies.signatures import Asked
from core.images import open_image
from core.places import Place
from core.records import Figure, Pair, from_table
from pipelines.copies.duplicates import kept_duplicates
from pipelines.separation.xy_cuts import XYCuts
from trainers.training_set import read_training_set, seen_in


def test_drawn_figures_are_many_bytes_in_two_panels(tmp_path: Path) -> None:
    table = draw_figures(Place.at(tmp_path), 3, parts=2)
    assert [part.rows for part in table.parts()] == [2, 1]
    images = [row["image"] for row in table.read().to_pylist()]
    assert len(set(images)) == 3 and min(map(len, images)) > 400_000
    pixels = np.asarray(open_image(images[0]).image)
    assert len(XYCuts(min_panel=0.1, max_panels=40)(pixels).subfigures) == 2


def test_drawn_pictures_are_as_alike_as_slices_of_an_organ_and_none_a_copy(tmp_path: Path) -> None:
    separated = draw_separated(Place.at(tmp_path), 100)
    pictures = [picture for row in separated.read().to_pylist() for picture in row["pictures"]]
    assert len(pictures) == 300
    seen = [dedupe.Seen(str(n), str(n), str(n), each["thumbnail"]) for n, each in enumerate(pictures)]
    assert dedupe.find_copies(seen, min_similarity=0.98) == []


def test_drawn_manifests_and_texts_are_read_as_real_ones(tmp_path: Path) -> None:
    manifests = draw_manifests(Place.at(tmp_path), 7)
    assert [part.part for part in manifests.parts()] == list(range(7)) and manifests.record is Figure
    found = read_training_set([draw_texts(tmp_path / "pairs.parquet", 40)], fraction=1.0, seed=0)
    assert len(found) == 40
    seen = [row["kind"] for piece in seen_in(found) for row in piece.to_pylist()]
    assert (seen.count("article"), seen.count("image")) == (10, 40)


def test_drawn_signatures_have_copies_and_a_logo_and_drawn_pairs_are_trained_on(tmp_path: Path) -> None:
    separated = draw_pictures(Place.at(tmp_path), 250, each=100)
    assert [part.rows for part in separated.parts()] == [100, 100, 50]
    kept = kept_duplicates(separated, asked=Asked(0.98))
    assert 15 <= kept.images <= 60 and kept.uncompared == 0
    pairs = draw_pairs(Place.at(tmp_path), 30, each=20)
    chosen = read_training_set(pairs.files("split=train"), fraction=1.0, seed=0)
    assert (len(chosen), len(from_table(pairs.read_part(1), Pair))) == (90, 30)
