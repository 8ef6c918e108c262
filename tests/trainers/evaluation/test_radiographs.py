"""Radiographs as models see them: the pixels of a batch of pairs, what is known, and who may not be shown."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.records import Radiograph
from trainers.batch import Collate, prepare
from trainers.checkpoint import load_model
from trainers.evaluation.radiographs import (
    encode_films,
    films,
    finding_names,
    refuse_seen,
    refuse_shared_patients,
    targets_of,
)
from trainers.evaluation.retrieval import LeakError

Writer = Callable[[str, Sequence[Radiograph]], list[str]]


def radiograph(image_id: str, patient_id: str, md5: str = "") -> Radiograph:
    data = io.BytesIO()
    Image.new("L", (8, 8), 100).save(data, "PNG")
    return Radiograph(
        image_id=image_id, patient_id=patient_id, study_id="s", dataset="drawn", split="test", image=data.getvalue(),
        width=8, height=8, view=None, text="", targets=[], regions=[], md5=md5 or image_id, notes=[],
    )  # fmt: skip


def test_a_model_sees_a_film_as_it_sees_the_image_of_a_pair(
    film_files: dict[str, list[str]], tokenizer: PreTrainedTokenizerFast
) -> None:
    seen = list(films([*film_files["val"], *film_files["test"]], size=32, batch_size=7))
    assert [row["image_id"] for batch in seen for row in batch.rows][29:31] == ["val-29", "test-0"]
    assert all("image" not in row and len(batch.images) == len(batch.rows) <= 7 for batch in seen for row in batch.rows)
    row = pq.read_table(film_files["val"][0]).to_pylist()[3]
    pair = {"pair_id": "p", "figure_id": "f", "article_id": "a", "image": row["image"], "text": "a disc"}
    torch.testing.assert_close(seen[0].images[3], Collate(tokenizer, 32, 24)([prepare(pair, 32)]).images[0])


def test_probes_see_the_small_image_and_masks_the_full_one(saved_model: Path, write_films: Writer) -> None:
    white = io.BytesIO()
    Image.new("L", (64, 64), 255).save(white, "PNG")
    plain, other = radiograph("a", "p"), replace(radiograph("a", "p"), image=white.getvalue())
    both = replace(plain, small=white.getvalue())
    model = load_model(saved_model)[0]
    seen = {
        name: encode_films(model, write_films(name, [film]), batch_size=2).embeddings
        for name, film in {"plain": plain, "other": other, "both": both}.items()
    }
    assert (seen["both"] == seen["other"]).all() and (seen["both"] != seen["plain"]).any()
    (full,) = films(write_films("both", [both]), size=32, batch_size=2)
    (alone,) = films(write_films("plain", [plain]), size=32, batch_size=2)
    assert torch.equal(full.images, alone.images) and not {"image", "small"} & full.rows[0].keys()


def test_what_nobody_judged_is_not_absent(film_files: dict[str, list[str]]) -> None:
    rows = [row for batch in films(film_files["val"], size=8, batch_size=30) for row in batch.rows]
    np.testing.assert_array_equal(targets_of(rows[:8], "Ring"), [np.nan, 0, 0, 0, 0, np.nan, 0, 1])
    assert np.isnan(targets_of(rows, "Hernia")).all()
    healthy = [{"targets": [{"name": name, "present": True} for name in ("No Finding", "Normal", "Mass")]}]
    assert finding_names([*rows, *healthy]) == ["Bar", "Disc", "Mass", "Ring"]


def test_features_are_the_embedding_and_the_mean_of_the_patches(
    saved_model: Path, film_files: dict[str, list[str]]
) -> None:
    model, _ = load_model(saved_model)
    found = encode_films(model.train(), film_files["val"], batch_size=8)
    again = encode_films(model.train(), film_files["val"], batch_size=30)
    np.testing.assert_allclose(found.states, again.states, atol=1e-6)
    np.testing.assert_allclose(found.embeddings, again.embeddings, atol=1e-6)
    images = next(iter(films(film_files["val"], size=32, batch_size=4))).images
    with torch.no_grad():
        embedding, states = model.embed_images(images)
    np.testing.assert_allclose(found.states[:4], states[:, 1:].mean(dim=1), atol=1e-6)
    np.testing.assert_allclose(found.embeddings[:4], embedding, atol=1e-6)
    assert found.patients[:3] == ["val-p0", "val-p0", "val-p1"] and len(found.rows) == 30


def test_a_film_that_does_not_open_is_named(write_films: Writer) -> None:
    files = write_films("broken", [replace(radiograph("x9", "p"), image=b"no image")])
    with pytest.raises(UserError, match=r"radiograph x9: .* does not open"):
        list(films(files, size=8, batch_size=2))


def test_no_radiographs_are_no_result(saved_model: Path, write_films: Writer) -> None:
    model, _ = load_model(saved_model)
    with pytest.raises(UserError, match=r"no radiographs in .*empty\.parquet"):
        encode_films(model, write_films("empty", []), batch_size=2)
    with pytest.raises(UserError, match="no radiographs in no files"):
        encode_films(model, [], batch_size=2)


def test_a_patient_of_the_training_is_refused(saved_model: Path, write_films: Writer) -> None:
    refuse_seen(saved_model, write_films("new", [radiograph("a", "p1")]))
    with pytest.raises(LeakError, match="1 patients of this pool, train-p0 among them"):
        refuse_seen(saved_model, write_films("seen", [radiograph("a", "p1"), radiograph("b", "train-p0")]))


def test_an_image_of_the_training_is_refused_under_another_patients_name(
    saved_model: Path, write_films: Writer
) -> None:
    with pytest.raises(LeakError, match="images that 1 patients of this pool show, p2"):
        refuse_seen(saved_model, write_films("seen", [radiograph("a", "p1"), radiograph("b", "p2", "train-md5-0")]))


@pytest.mark.parametrize("shared", [radiograph("b", "p1"), radiograph("b", "p2", "a")])
def test_splits_that_share_a_patient_or_an_image_are_refused(shared: Radiograph, write_films: Writer) -> None:
    train, val = write_films("train", [radiograph("a", "p1")]), write_films("val", [radiograph("c", "p3")])
    refuse_shared_patients(train=train, val=val, test=write_films("test", [radiograph("d", "p4")]))
    with pytest.raises(
        LeakError, match=f"1 patients or images stand in split test and in train, patient {shared.patient_id} "
    ):
        refuse_shared_patients(train=train, val=val, test=write_films("test", [shared]))
