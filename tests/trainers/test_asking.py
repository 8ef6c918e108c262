"""A model asked, beside a plain look at every pair."""

import torch

from core.images import open_image
from core.places import Place
from core.records import Pair
from core.runs import Table
from tests.app.test_retrieving import TEXTS
from tests.app.test_retrieving import run as small_run
from trainers.asking import Asked, nearest

run = small_run


def test_the_nearest_are_those_of_all_pairs_by_their_cosine(run: Place) -> None:
    files = Table(run / "pairs", Pair).files("split=test")
    asked = Asked(f"{run.path}/models/processed/checkpoint")
    query = asked.texts([TEXTS[4]])
    hits = nearest(asked, query, files, top=4, batch_size=2)
    every = nearest(asked, query, files, top=9, batch_size=9)
    rows = [hit.row for hit in every]
    scores = (asked.images(rows) @ query[0]).tolist()
    order = sorted(range(9), key=lambda k: (-round(scores[k], 6), rows[k]["pair_id"]))
    assert [hit.row["pair_id"] for hit in hits] == [rows[k]["pair_id"] for k in order[:4]]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_an_image_is_nearest_to_itself(run: Place) -> None:
    files = Table(run / "pairs", Pair).files("split=test")
    asked = Asked(f"{run.path}/models/processed/checkpoint")
    wanted = nearest(asked, asked.texts(["x"]), files, top=9, batch_size=9)[3].row
    hit = nearest(asked, asked.image(open_image(wanted["image"]).image), files, top=1, batch_size=4)[0]
    assert torch.isclose(torch.tensor(hit.score), torch.tensor(1.0), atol=1e-4)
