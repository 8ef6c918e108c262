"""The nearest of a table by its vectors, beside a plain look at every pair."""

import pytest
import torch

from core.images import open_image
from core.places import Place
from core.records import Pair
from core.runs import Table
from tests.app.test_retrieving import TEXTS
from tests.app.test_retrieving import run as small_run
from trainers.asking import Asked
from trainers.index import Index, made, nearest

run = small_run


def index_of(run: Place, asked: Asked) -> Index:
    """Of the test pairs."""
    files = Table(run / "pairs", Pair).files("split=test")
    return made(
        [(file, f"sum{n}") for n, file in enumerate(files)], run / "index", lambda f: asked.files(f, batch_size=2)
    )


def test_the_nearest_are_those_of_all_pairs_by_their_cosine(run: Place) -> None:
    asked = Asked(f"{run.path}/models/processed/checkpoint")
    index = index_of(run, asked)
    queries = asked.texts([TEXTS[4], TEXTS[1]])
    for number, (hits, every) in enumerate(
        zip(nearest(index, queries, top=4), nearest(index.holding(), queries, top=9), strict=True)
    ):
        scores = (asked.images([hit.row for hit in every]) @ queries[number]).tolist()
        assert scores == pytest.approx([hit.score for hit in every], abs=1e-3)
        assert scores == sorted(scores, reverse=True)
        assert [hit.row["pair_id"] for hit in hits] == [hit.row["pair_id"] for hit in every[:4]]


def test_an_image_is_nearest_to_itself(run: Place) -> None:
    asked = Asked(f"{run.path}/models/processed/checkpoint")
    index = index_of(run, asked)
    wanted = nearest(index, asked.texts(["x"]), top=9)[0][3].row
    hit = nearest(index, asked.image(open_image(wanted["image"]).image), top=1)[0][0]
    assert torch.isclose(torch.tensor(hit.score), torch.tensor(1.0), atol=1e-4)
