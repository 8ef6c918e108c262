"""What an article is about."""

from typing import get_args

import numpy as np

from phantom.brain.lesions import Kind, draw_lesion
from phantom.pages.case import plan_case, shown_by


def test_an_article_depends_on_seed_and_index_only() -> None:
    assert plan_case(7, 31) == plan_case(7, 31)
    assert plan_case(7, 31) != plan_case(8, 31)


def test_sixteen_articles_in_a_row_show_every_kind_of_lesion() -> None:
    assert {plan_case(0, index).lesion.kind for index in range(16)} == set(get_args(Kind))


def test_panels_of_a_figure_differ_in_modality_plane_or_time() -> None:
    for index in range(60):
        for figure in plan_case(2, index).figures:
            views = [(view.modality, view.plane, view.stage) for view in figure.views]
            assert len(set(views)) == len(views)


def test_every_kind_can_fill_a_compound_figure() -> None:
    for kind in get_args(Kind):
        for seed in range(20):
            assert len(list(shown_by(draw_lesion(kind, np.random.default_rng(seed))))) >= 4
