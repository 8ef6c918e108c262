"""The check of a GPU, tried on the CPU: every part runs and says what it found."""

import json
from pathlib import Path

import pytest
import torch

from bench.gpu_check import RECIPES, main, one_rank, same_losses, share_of_peak


def test_all_but_fit_runs_on_the_cpu_and_holds(tmp_path: Path) -> None:
    assert main([str(tmp_path / "out.json"), "--tiny", "--no-fit"]) == 0
    told = json.loads((tmp_path / "out.json").read_text())
    for recipe in RECIPES:
        assert told[f"{recipe}, bfloat16"]["samples_per_second"] > 0
        assert told[f"{recipe}, same_losses"]["holds"] and told[f"{recipe}, one_rank"]["backend"] == "gloo"


def test_without_a_gpu_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([str(tmp_path / "out.json")]) == 1 and not (tmp_path / "out.json").exists()


def test_the_share_of_the_peak_is_by_the_gpus_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.gpu_check.device_name", lambda device: "NVIDIA H200")
    assert share_of_peak(98.9e12, torch.device("cpu")) == 0.1
    monkeypatch.setattr("bench.gpu_check.device_name", lambda device: "another")
    assert share_of_peak(1e12, torch.device("cpu")) is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("recipe", RECIPES)
def test_bfloat16_and_nccl_have_the_losses_of_float32_on_one_gpu(recipe: str) -> None:
    device = torch.device("cuda")
    assert same_losses(recipe, device, tiny=False)["holds"]
    assert one_rank(recipe, device, tiny=False)["holds"]
