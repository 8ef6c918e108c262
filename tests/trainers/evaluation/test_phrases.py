"""Phrases and their boxes: IoU and P@1 worked by hand, a list that cannot be followed is refused, nothing lost."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.records import Radiograph
from core.settings import MlipSettings, ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.evaluation.phrases import Phrase, ground, ground_by, read_phrases
from trainers.evaluation.retrieval import LeakError
from trainers.evaluation.sentence_maps import prompt_maps
from trainers.mlip import Mlip

Films = Callable[[str, range], list[Radiograph]]
Writer = Callable[[str, Sequence[Radiograph]], list[str]]
HEADER = "dicom_id,category_name,label_text,path,x,y,w,h,image_width,image_height,split"
LEFT = Phrase("test-0", "Disc", "A disc on the left.", ((0.0, 0.0, 0.5, 1.0),))
# The middle two rows are the image, 4 x 2 px; the rows above and below are its margins.
HEAT = torch.tensor([[9.0] * 4, [0.6, 0.35, 0.25, 0.0], [0.6, 0.15, 0.0, -0.4], [9.0] * 4])
ASKED: dict[str, Any] = {"size": 4, "batch_size": 2, "resamples": 0, "seed": 0}
SMALL = ModelSettings(
    image_size=32, patch=8, image_width=16, image_depth=1, image_heads=2, text_width=16, text_depth=1, text_heads=2,
    max_tokens=16, embedding=12, vocabulary=200, dropout=0.0, pool="mean",
)  # fmt: skip


@pytest.fixture
def wide(disc_films: Films, write_films: Writer) -> list[str]:
    """Six films of 4 x 2 px, two of each patient."""
    data = io.BytesIO()
    Image.new("L", (4, 2), 90).save(data, "PNG")
    films = [replace(each, image=data.getvalue(), width=4, height=2) for each in disc_films("test", range(6))]
    return write_films("wide", films)


def alike(images: Tensor, phrases: Sequence[Phrase]) -> Tensor:
    assert len(images) == len(phrases)
    return HEAT.expand(len(images), 4, 4)


def test_iou_is_of_the_cosines_within_the_image_over_five_thresholds(wide: list[str]) -> None:
    found = ground_by(alike, [LEFT], files=wide, **ASKED)
    hits, (asked,) = found.overall, found.asked
    # Of eight pixels four are inside: of them .6, .35, .6, .15 are marked, and outside .25 at .1 and at .2.
    assert hits.mean_iou == asked.iou == pytest.approx((4 / 5 + 3 / 5 + 3 / 4 + 2 / 4 + 2 / 4) / 5)
    assert (hits.hit_rate, hits.random_rate, hits.n, found.elsewhere) == (1.0, 0.5, 1, 0)
    assert (asked.image_id, asked.patient_id, asked.finding) == ("test-0", "test-p0", "Disc")
    right = ground_by(alike, [LEFT._replace(boxes=((0.5, 0.0, 1.0, 1.0),))], files=wide, **ASKED)
    assert right.overall.hit_rate == 0.0 and right.overall.mean_iou == pytest.approx((1 / 8 + 1 / 7) / 5)


def test_a_coarse_map_is_drawn_out_between_its_patches(wide: list[str]) -> None:
    found = ground_by(lambda images, _: torch.tensor([[[0.0, 0.84], [0.0, 0.84]]]), [LEFT], files=wide, **ASKED)
    assert found.overall.mean_iou == pytest.approx(2 * (2 / 8) / 5)  # columns of 0, .21, .63 and .84
    assert found.overall.hit_rate == 0.0


def test_categories_count_alike_in_their_mean_and_phrases_elsewhere_are_counted(wide: list[str]) -> None:
    right = Phrase("test-1", "Bar", "A bar.", ((0.5, 0.0, 1.0, 1.0),))
    listed = [LEFT, LEFT._replace(text="On the left."), LEFT._replace(image_id="test-2"), right]
    found = ground_by(alike, [*listed, right._replace(image_id="train-9")], files=wide, **ASKED)
    assert (found.overall.n, found.elsewhere, found.overall.hit_rate) == (4, 1, 0.75)
    assert found.of_categories["hit_rate"] == 0.5
    assert found.of_categories["mean_iou"] == pytest.approx((0.63 + (1 / 8 + 1 / 7) / 5) / 2)
    with pytest.raises(UserError, match="none of the 1 phrases is about a radiograph of the test split, such as x"):
        ground_by(alike, [right._replace(image_id="x")], files=wide, **ASKED)


def test_intervals_resample_patients(wide: list[str]) -> None:
    of_both = [LEFT._replace(image_id=f"test-{number}") for number in range(6)]
    mixed = [
        each._replace(boxes=((0.5, 0.0, 1.0, 1.0),)) if number < 2 else each for number, each in enumerate(of_both)
    ]
    found = ground_by(alike, mixed, files=wide, **ASKED | {"resamples": 500}).overall
    assert found.hit_interval == (0.0, 1.0)  # of three patients one is missed, in both of its films
    assert found.iou_interval is not None and found.iou_interval[0] < found.mean_iou < found.iou_interval[1]
    sure = ground_by(alike, of_both, files=wide, **ASKED | {"resamples": 50}).overall
    assert sure.hit_interval == (1.0, 1.0)


def test_a_list_is_read_as_ms_cxr_publishes_it(tmp_path: Path) -> None:
    file = tmp_path / "phrases.csv"
    rows = [
        "a,Pneumonia,Left lower opacity,files/a.jpg,100,50,200,100,400,200,test",
        "a,Pneumonia,Left lower opacity,files/a.jpg,-20,0,40,20,400,200,test",
        "b,Edema,Both lungs,files/b.jpg,0,0,400,200,400,200,train",
    ]
    file.write_text("\n".join([HEADER, *rows]))
    first, second = read_phrases(file)
    assert first == Phrase("a", "Pneumonia", "Left lower opacity", ((0.25, 0.25, 0.75, 0.75), (0.0, 0.0, 0.05, 0.1)))
    assert second.boxes == ((0.0, 0.0, 1.0, 1.0),)


@pytest.mark.parametrize(("rows", "said"), [
    (["a,P,Opacity,f,500,0,10,10,400,200,test"], "row 1: no part of the box is in the image"),
    (["a,P,Opacity,f,0,0,1,1,4,2,test", "a,P,Opacity,f,x,0,10,10,400,200,test"], "row 2: could not convert"),
    (["a,P,Opacity,f,0,0,10,10,0,200,test"], "row 1: an image of 0 x 200 pixels"),
    (["a,P,,f,0,0,10,10,400,200,test"], "row 1: dicom_id and label_text are needed"),
    ([], "has no phrase"),
])  # fmt: skip
def test_a_list_that_cannot_be_followed_is_refused(tmp_path: Path, rows: list[str], said: str) -> None:
    file = tmp_path / "phrases.csv"
    file.write_text("\n".join([HEADER, *rows]))
    with pytest.raises(UserError, match=said):
        read_phrases(file)


def test_a_saved_model_is_asked_by_its_cosines_and_only_of_patients_it_has_not_learnt_from(
    tokenizer: PreTrainedTokenizerFast, disc_films: Films, write_films: Writer, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model, groups = Mlip(SMALL, MlipSettings(mip=0)), (SMALL, ObjectiveSettings(name="mlip"), MlipSettings(mip=0))
    files = write_films("test", disc_films("test", range(6)))
    texts = {"test-1": "A red disc.", "test-4": "A green square."}
    phrases = [Phrase(image, "Disc", text, ((0.2, 0.2, 0.6, 0.6),)) for image, text in texts.items()]
    plan: dict[str, Any] = {"files": files, "batch_size": 4, "resamples": 0, "seed": 0}
    save_model(tmp_path / "m", model, settings=groups, tokenizer=tokenizer, articles=[])

    def maps(images: Tensor, asked: Sequence[Phrase]) -> Tensor:
        each = zip(images, asked, strict=True)
        return torch.cat([prompt_maps(model.eval(), tokenizer, image[None], [one.text]) for image, one in each])

    found = ground(tmp_path / "m", phrases=phrases, **plan)
    slow = ground_by(maps, phrases, size=32, **plan)
    assert [each.iou for each in found.asked] == pytest.approx([each.iou for each in slow.asked], abs=1e-6)
    assert [each.hit for each in found.asked] == [each.hit for each in slow.asked]
    save_model(tmp_path / "m", model, settings=groups, tokenizer=tokenizer, articles=["test-p1"])
    with pytest.raises(LeakError, match="test-p1"):
        ground(tmp_path / "m", phrases=phrases, **plan)
    blip = (SMALL, ObjectiveSettings())
    save_model(tmp_path / "b", Blip(*blip), settings=blip, tokenizer=tokenizer, articles=[])
    with pytest.raises(UserError, match="no patches in the space of sentences"):
        ground(tmp_path / "b", phrases=phrases, **plan)
