"""What is said of MLIP's tables follows from the seeds."""

from collections.abc import Callable

import pytest

from app.papers.mlip_models import FULL, Score
from app.papers.mlip_verdicts import (
    said_of_matching,
    said_of_table1,
    said_of_table2,
    said_of_table3,
    said_of_table4,
    verdict,
)
from app.papers.seeds import Lead

Scores = Callable[..., list[Score]]


def test_zero_shot_is_set_against_the_untrained_model_and_the_paper(mlip_scores: Scores) -> None:
    said = said_of_table1(mlip_scores("phantom"))
    assert said == [
        "On phantom, by prompts alone, MLIP reaches a mean AUC of 88.5 (95 %: 85.0 to 92.0), untrained 50.5, +38.0 "
        "points; by chance it is 50.",
        "MLIP's own AUC is 90.0 on RSNA and 89.5 on SIIM.",
    ]


def test_every_share_of_labels_has_its_sentence(mlip_scores: Scores) -> None:
    said = said_of_table2(mlip_scores("phantom"))
    assert [each.split(",")[1] for each in said] == [f" with labels of {share} % of the patients" for share in (1, 10)]


def test_dice_that_is_no_better_than_drawing_nothing_is_said_to_be(mlip_scores: Scores) -> None:
    assert said_of_table3(mlip_scores("phantom"))[1] == (
        "Over all, MLIP's is 88.5, more than the 75.0 of drawing nothing."
    )
    assert "no more than the 75.0" in said_of_table3(mlip_scores("phantom", better=-1.0))[1]


def test_each_part_of_the_objective_is_judged_by_the_seeds(mlip_scores: Scores) -> None:
    said = said_of_table4(mlip_scores("phantom"))
    assert said[-1] == (
        "AVG changes by +8.0 points with all of them (seeds +8.0 to +8.0, above in 2 of 2); MLIP +2.7. The paper's "
        "order reappears."
    )
    assert said[2].startswith("AVG changes by +4.0 points with sentence-patch matching, on those weights")
    assert "above in 2 of 2); MLIP +0.5" in said[2]
    assert said_of_table4(mlip_scores("phantom", better=-1.0))[-1].endswith("order is reversed.")
    assert said_of_table4(mlip_scores("phantom", seeds=1))[-1].endswith("order is open.")
    assert said_of_table4([])[0] == "Of the weights by integrity nothing can be said."


@pytest.mark.parametrize(
    ("ahead", "seeds", "said"),
    [(3, 3, "reappears"), (0, 3, "is reversed"), (2, 3, "is open"), (1, 1, "is open")],
)
def test_seeds_that_disagree_settle_nothing(ahead: int, seeds: int, said: str) -> None:
    assert verdict(Lead(mean=0.0, low=0.0, high=0.0, ahead=ahead, seeds=seeds)) == said
    assert verdict(None) == "is open"


def test_matching_that_costs_the_same_for_any_report_has_collapsed(mlip_scores: Scores) -> None:
    said = said_of_matching(mlip_scores("phantom"), {FULL: [(0.25, 0.5)]})
    assert said == [
        "How many times as often as a random patch the warmest patch of a prompt's map lies in its finding: 4.4 "
        "with MLIP, 4.0 with plain contrast, 2.5 with the untrained model.",
        "Matching a report's own sentences costs 0.250, another's 0.500: matching tells reports apart.",
    ]
    assert said_of_matching([], {FULL: [(0.001, 0.001)]})[0].endswith("matching has collapsed.")
