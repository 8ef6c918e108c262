"""The training bench counts what it says it counts; its goals are for a quiet machine, not for the tests."""

import pytest

from bench.drawn import PANELS, draw_batch
from bench.training import missed, rerank_numbers, step_numbers, waited
from core.settings import ModelSettings

TINY = ModelSettings(
    image_size=32, patch=16, image_width=32, image_depth=1, image_heads=2,
    text_width=32, text_depth=1, text_heads=2, max_tokens=64, embedding=16, vocabulary=64, dropout=0.0,
)  # fmt: skip


def test_both_sides_of_the_step_are_timed_and_their_losses_agree() -> None:
    told = step_numbers(TINY, pairs=4, steps=1)
    assert told["loss_difference"] < 1e-4
    assert told["times_reference_step"] == pytest.approx(told["reference_step_cpu_seconds"] / told["step_cpu_seconds"])


def test_the_loop_scores_as_the_re_ranking_does() -> None:
    told = rerank_numbers(TINY, pairs=100, k=5)
    assert told["score_difference"] < 1e-4
    assert told["times_rerank_loop"] == pytest.approx(told["rerank_loop_cpu_seconds"] / told["rerank_cpu_seconds"])


def test_each_record_waits_for_its_own_time_and_the_first_does_not_count() -> None:
    first, short, long = (
        {"step": 1, "samples_per_s": 1.0, "wait_share": 0.9},
        {"step": 2, "samples_per_s": 16.0, "wait_share": 0.04},
        {"step": 5, "samples_per_s": 16.0, "wait_share": 0.0},
    )
    assert waited([first, short, long]) == pytest.approx(0.01)


def test_a_run_tells_which_goals_it_missed() -> None:
    good = {
        "times_reference_step": 2.0, "wait_share": 0.01, "times_rerank_loop": 5.0,
        "loss_difference": 1e-6, "score_difference": 1e-6,
    }  # fmt: skip
    assert missed(good) == []
    assert missed(good | {"times_reference_step": 1.9}) == ["1.90 times the reference step, of 2"]
    assert missed(good | {"wait_share": 0.04}) == ["4.0% of a step waited for data, of 3%"]
    assert missed(good | {"loss_difference": float("nan")}) == ["loss_difference nan, of 0.0001"]


def test_drawn_texts_are_as_long_as_told_and_cut_where_the_model_cuts() -> None:
    batch = draw_batch(2000, TINY, lengths=PANELS)
    lengths = batch.mask.sum(dim=1)
    assert lengths.median() == pytest.approx(PANELS[10], abs=3)
    assert lengths.max() == TINY.max_tokens
    assert (batch.tokens[~batch.mask] == 0).all() and (batch.tokens[batch.mask] >= 5).all()
