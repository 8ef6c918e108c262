"""Intervals against a slow loop, and how often they hold the truth."""

import numpy as np
import pytest

from trainers.evaluation.bootstrap import bounds, difference, ratio, resampled_means


def clustered(rng: np.random.Generator, *, articles: int, spread: float) -> tuple[list[float], list[str]]:
    """Hits of 1 to 6 panels an article, alike within it; the expected mean is 0.4."""
    hits, names = [], []
    for article in range(articles):
        chance = np.clip(0.4 + spread * (1 if rng.random() < 0.5 else -1), 0, 1)
        for _ in range(rng.integers(1, 7)):
            hits.append(float(rng.random() < chance))
            names.append(f"A{article}")
    return hits, names


def test_resampled_means_are_those_of_articles_drawn_one_by_one() -> None:
    rng = np.random.default_rng(3)
    values, articles = rng.random((12, 2)), list("aaabbccccdef")
    found = resampled_means(values, articles, resamples=5, seed=11)
    names = sorted(set(articles))
    times = np.random.default_rng(11).multinomial(6, np.full(6, 1 / 6), size=5)
    for drawn, means in zip(times, found, strict=True):
        rows = [
            row
            for name, n in zip(names, drawn, strict=True)
            for _ in range(n)
            for row in values[np.array(articles) == name]
        ]
        assert means == pytest.approx(np.mean(rows, axis=0))


def test_intervals_hold_the_truth_about_as_often_as_they_say_though_panels_are_alike() -> None:
    rng = np.random.default_rng(0)
    held = held_if_independent = 0
    for trial in range(120):
        hits, articles = clustered(rng, articles=80, spread=0.35)
        low, high = bounds(resampled_means(np.c_[hits], articles, resamples=200, seed=trial)[:, 0])
        alone = [str(query) for query in range(len(hits))]
        narrow = bounds(resampled_means(np.c_[hits], alone, resamples=200, seed=trial)[:, 0])
        held += low <= 0.4 <= high
        held_if_independent += narrow[0] <= 0.4 <= narrow[1]
    assert 0.90 <= held / 120 <= 0.99
    assert held_if_independent / 120 < 0.87


def test_two_models_are_compared_query_by_query() -> None:
    rng = np.random.default_rng(1)
    hits, articles = clustered(rng, articles=60, spread=0.35)
    better = [max(hit, float(rng.random() < 0.1)) for hit in hits]
    told = difference(better, hits, articles, resamples=500, seed=0)
    assert told.value == pytest.approx(np.mean(better) - np.mean(hits))
    assert 0 < told.low < told.value < told.high
    alone = bounds(resampled_means(np.c_[hits], articles, resamples=500, seed=0)[:, 0])
    assert told.high - told.low < (alone[1] - alone[0]) / 2
    assert difference(hits, hits, articles, resamples=50, seed=0) == (0, 0, 0)


def test_a_ratio_to_a_model_that_finds_nothing_is_infinite() -> None:
    articles = [f"A{n}" for n in range(40)]
    half = [float(n % 2) for n in range(40)]
    told = ratio(half, [0.25] * 40, articles, resamples=300, seed=2)
    assert told.value == 2 and told.low < 2 < told.high
    assert ratio(half, [0.0] * 40, articles, resamples=20, seed=2).value == float("inf")
    rare = ratio(half, [1.0] + [0.0] * 39, articles, resamples=300, seed=2)
    assert 1 < rare.low < 20 and rare.high == float("inf")


def test_the_seed_decides() -> None:
    hits, articles = clustered(np.random.default_rng(5), articles=30, spread=0.2)
    same = [bounds(resampled_means(np.c_[hits], articles, resamples=99, seed=seed)[:, 0]) for seed in (1, 1, 2)]
    assert same[0] == same[1] != same[2]
