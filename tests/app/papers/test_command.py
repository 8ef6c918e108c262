"""figray reproduce: what there is, and what it is begun with."""

import pytest

from app.papers.command import PAPERS, REPRODUCTIONS, paper_of
from core.config import recipes


def test_the_command_line_offers_what_there_is() -> None:
    from app.options import REPRODUCIBLE

    assert set(REPRODUCIBLE) == set(REPRODUCTIONS)


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_every_table_and_figure_has_a_paper_with_a_recipe_for_each_scale(name: str) -> None:
    paper = paper_of(name)
    assert paper in PAPERS.values()
    assert set(paper.recipes) == {"phantom", "paper"}
    assert set(paper.recipes.values()) <= set(recipes())
