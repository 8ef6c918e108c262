"""A process of its own reads what is read here, and gives back reasons."""

from dataclasses import replace

import pytest
from PIL import Image

from core.images import encode_png
from core.records import Figure
from core.rejection import RejectionError
from core.settings import Config
from pipelines.separating import Separating
from pipelines.separating_apart import SeparatingApart

CONFIG = Config.model_validate({"separate": {"method": "classical"}})
CAPTION = "Brain of a man. (A) Axial view of the cyst. (B) Coronal view after surgery."


def drawn() -> Figure:
    two = Image.new("RGB", (400, 200), "white")
    for left in (0, 210):
        two.paste(Image.radial_gradient("L").resize((190, 190)).convert("RGB"), (left, 5))
    return Figure(
        figure_id="PMC1.1/f", article_id="PMC1.1", title="", article_type="case-report", doi=None, year=2016,
        licence="CC BY", attribution="A", media_url="s3://x", md5="0", image=encode_png(two), image_format="PNG",
        width=400, height=200, n_frames=1, label=None, caption=CAPTION, emphasis=[], mentions=[], notes=[],
    )  # fmt: skip


def test_a_process_of_its_own_reads_what_is_read_here() -> None:
    figure, apart, here = drawn(), SeparatingApart(CONFIG), Separating(CONFIG)
    assert apart.separated(figure) == here.separated(figure)
    assert len(here.separated(figure).subfigures) == 2
    found = apart.row("two.png", CAPTION, figure.image)
    assert [pair["label"] for pair in found["pairs"]] == [
        pair["label"] for pair in here.row("two.png", CAPTION, figure.image)["pairs"]
    ]
    with pytest.raises(RejectionError) as told:
        apart.separated(replace(figure, image=figure.image[:200]))
    assert told.value.code == "truncated"
