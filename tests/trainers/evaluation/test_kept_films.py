"""Radiographs are encoded once, and come back as they were."""

from pathlib import Path

import numpy as np
import pytest

from core.places import Place
from trainers.checkpoint import load_model
from trainers.evaluation.kept_films import KeptFilms
from trainers.evaluation.radiographs import Features, encode_films


def test_what_was_encoded_once_comes_back_for_the_same_model_and_films(
    saved_model: Path, film_files: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Place.at(str(tmp_path / "films"))
    expected = encode_films(load_model(saved_model)[0], film_files["test"], batch_size=8)
    first = KeptFilms(saved_model, keep=keep, batch_size=8)(film_files["test"])

    def refuse(*_: object, **__: object) -> Features:
        raise AssertionError("encoded again")

    monkeypatch.setattr("trainers.evaluation.kept_films.encode_films", refuse)
    again = KeptFilms(saved_model, keep=keep, batch_size=5)(film_files["test"])
    for found in (first, again):
        assert np.array_equal(found.embeddings, expected.embeddings)
        assert np.array_equal(found.states, expected.states)
        assert found.rows == expected.rows
    with pytest.raises(AssertionError, match="encoded again"):
        KeptFilms(saved_model, keep=keep, batch_size=8)(film_files["val"])
    assert len(keep.files()) == 1
