"""The page of a sweep: no trial is lost, the best is marked, and what cannot be concluded is said."""

from collections.abc import Callable
from typing import Any

from lxml import html

from app.sweeps.page import SweepReport, at_the_edge, ended, render
from core.settings import SweepSettings
from tuning.importance import Importance, Importances
from tuning.spaces import Range, Space

MakeTrial = Callable[..., dict[str, Any]]
SPACE: Space = {
    "mlip.temperature": Range(log_uniform=(0.01, 1.0)),
    "mlip.integrity": Range(choice=("off", "softmax_n")),
}
ATTACK = "<script>alert(1)</script>"


def trials(make: MakeTrial) -> list[dict[str, Any]]:
    settings = {"mlip.temperature": 0.1, "mlip.integrity": "off"}
    return [
        make("slow", settings, {"mean_recall": 0.25}, status="stopped", step=40),
        make(
            "lost", settings, {}, status="failed", step=0, starts=3, error="Traceback\n  of many lines\nOSError: full"
        ),
        make("good", settings, {"mean_recall": 0.5}, starts=2),
        make("poor", settings, {"mean_recall": 0.125}),
    ]


def page(rows: list[dict[str, Any]], **other: Any) -> str:
    plain: dict[str, Any] = {
        "title": "T",
        "made": "today",
        "space_name": "masking",
        "space": SPACE,
        "asked": SweepSettings(),
        "seed": 7,
        "metrics": ["mean_recall"],
        "importances": {},
        "recipe": "best.yaml",
    }
    return render(SweepReport(rows=rows, **plain | other))


def table_rows(text: str) -> list[str]:
    tree: Any = html.fromstring(text)  # the stubs of lxml know elements of XML alone
    return [" ".join(row.text_content().split()) for row in tree.xpath("//section[@id='trials']//tbody/tr")]


def test_every_trial_has_its_row_the_best_first_and_the_others_with_their_reason(
    made_up_trial: MakeTrial, check_inert: Callable[[str], None]
) -> None:
    text = page(trials(made_up_trial))
    check_inert(text)
    good, poor, slow, lost = table_rows(text)
    assert good.startswith("goodbest; started 2 times 0.5000 0.1 off 100 60 s")
    assert poor.startswith("poor 0.1250")
    assert slow.startswith("slowstopped at step 40: others were ahead 0.2500")
    assert lost.startswith("lostfailed after step 0: OSError: full; started 3 times –")
    assert "Trial good is the best of the 2 that ran to their end: mean recall 0.5000." in text
    assert "The test split was not looked at" in text
    assert "nothing can be concluded" in text


def test_what_became_of_the_trials_is_counted(made_up_trial: MakeTrial) -> None:
    counts = ended(trials(made_up_trial))
    assert counts == {
        "started": "4",
        "finished": "2",
        "stopped early": "1",
        "failed": "1",
        "started again": "3, of 2 trials",
        "time of all trials": "4 min",
    }


def test_of_two_metrics_the_front_is_drawn_and_the_choice_explained(made_up_trial: MakeTrial) -> None:
    points = ((0.1, 0.9), (0.4, 0.8), (0.5, 0.1), (0.3, 0.7))
    metrics = ["mean_recall", "zero_shot_auc"]
    rows = [made_up_trial(str(at), {"optim.lr": 0.1}, dict(zip(metrics, point))) for at, point in enumerate(points)]
    text = page(rows, metrics=metrics)
    assert "3 of the 4 trials that ran to their end are on the Pareto front" in text
    assert "trial 1 has the best mean rank over both metrics, 2 of 4" in text
    assert table_rows(text)[0].startswith("1best; 2 on the Pareto front")
    assert html.fromstring(text).xpath("//section[@id='front']//svg")


def test_a_sweep_in_which_nothing_finished_says_so(made_up_trial: MakeTrial) -> None:
    rows = [row for row in trials(made_up_trial) if row["status"] != "finished"]
    text = page(rows, recipe=None)
    assert "None of 2 trials ran to its end with mean recall: there is no best one." in text
    assert len(table_rows(text)) == 2
    assert "figray train" not in text
    empty = page([], recipe=None)
    assert "No trial was started." in empty
    assert "<svg" not in empty


def test_importances_are_shown_with_what_they_are_worth(made_up_trial: MakeTrial) -> None:
    bar = Importance(setting="mlip.temperature", mean=0.5, low=0.1, high=0.9)
    found = Importances(trials=9, step=40, explained=-0.5, settings=[bar])
    text = page(trials(made_up_trial), importances={"mean_recall": found})
    assert "9 trials, compared at step 40" in text
    assert "the bars are chance" in text
    assert html.fromstring(text).xpath("//section[@id='importance']//svg")


def test_a_best_value_at_the_end_of_its_range_is_pointed_out(made_up_trial: MakeTrial) -> None:
    assert at_the_edge(SPACE, {"mlip.temperature": 0.1, "mlip.integrity": "off"}) == []
    assert at_the_edge(SPACE, {"mlip.temperature": 0.0105}) == ["mlip.temperature"]
    assert at_the_edge({"mlip.mask_ratio": Range(uniform=(0.0, 0.5))}, {"mlip.mask_ratio": 0.49}) == ["mlip.mask_ratio"]
    rows = [made_up_trial("one", {"mlip.temperature": 0.99}, {"mean_recall": 0.5})]
    assert "The best has mlip.temperature at the end of the range" in page(rows)


def test_markup_in_any_text_stays_inert(made_up_trial: MakeTrial, check_inert: Callable[[str], None]) -> None:
    rows = [
        made_up_trial(ATTACK, {ATTACK: ATTACK}, {"mean_recall": 0.5}),
        made_up_trial("two", {ATTACK: 1}, {}, status="failed", error=ATTACK),
    ]
    check_inert(page(rows, title=ATTACK, made=ATTACK, space_name=ATTACK, recipe=ATTACK, space={}))
