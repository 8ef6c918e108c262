"""A sweep's pictures: every trial is a mark, ranges and choices have their axes, no text comes to life."""

from collections.abc import Callable
from typing import Any

from lxml import html
from markupsafe import Markup

from app.sweeps.plots import BEST, curves_plot, front_plot, importance_plot, settings_plot
from tuning.importance import Importance, Importances
from tuning.spaces import Range
from tuning.trials import front_of

MakeTrial = Callable[..., dict[str, Any]]
METRICS = ("mean_recall", "zero_shot_auc")
SPACE = {"optim.lr": Range(log_uniform=(1e-4, 1e-2)), "mlip.mask_ratio": Range(uniform=(0.0, 0.5))}


def texts(svg: Markup) -> list[str]:
    return ["".join(map(str, text.itertext())) for text in html.fromstring(svg).iter("text")]


def trials(make: MakeTrial) -> list[dict[str, Any]]:
    values = ((0.1, 0.9), (0.3, 0.8), (0.2, 0.7))
    rows = [
        make(str(at), {"optim.lr": 10.0 ** (at - 4), "mlip.mask_ratio": at / 4}, dict(zip(METRICS, value)))
        for at, value in enumerate(values)
    ]
    return [*rows, make("3", {"optim.lr": 1e-3, "mlip.mask_ratio": 0.5}, {}, status="failed")]


def test_an_axis_shows_the_whole_range_logarithmic_where_the_range_is(made_up_trial: MakeTrial) -> None:
    svg = settings_plot(trials(made_up_trial), "mean_recall", best=None, space=SPACE)
    assert {"optim.lr", "mlip.mask_ratio", "mean recall", "0.0001", "0.001", "0.01", "0.0", "0.5"} <= set(texts(svg))
    assert svg == settings_plot(trials(made_up_trial), "mean_recall", best=None, space=SPACE)


def test_a_choice_is_a_strip_for_each_value(made_up_trial: MakeTrial) -> None:
    held = [64, 128, None, "off", False, "a value of many, many letters"]
    rows = [made_up_trial(str(at), {"s": value}, {"m": at / 10}) for at, value in enumerate(held)]
    labels = texts(settings_plot(rows, "m", best=None, space={"s": Range(choice=tuple(held))}))
    assert [label for label in labels if label in {"64", "128", "null", "off", "false"}] == [
        "64",
        "128",
        "off",
        "false",
        "null",
    ]
    assert "a value of many…" in labels


def test_every_trial_with_a_value_is_a_mark_and_the_best_has_its_own(made_up_trial: MakeTrial) -> None:
    rows = trials(made_up_trial)
    plain = settings_plot(rows, "mean_recall", best=None, space=SPACE)
    marked = settings_plot(rows, "mean_recall", best=rows[1], space=SPACE)
    assert BEST not in plain
    assert marked.count(f"fill: {BEST}") == len(SPACE)


def test_the_front_is_numbered_from_the_best_in_the_first_metric(made_up_trial: MakeTrial) -> None:
    rows = trials(made_up_trial)
    front = front_of(rows, METRICS)
    assert [row["trial"] for row in front] == ["1", "0"]
    labels = texts(front_plot(rows, METRICS, front, rows[1]))
    assert {"1", "2", "mean recall", "zero-shot AUC"} <= set(labels)
    assert "3" not in labels


def test_curves_are_drawn_of_whatever_was_validated(made_up_trial: MakeTrial) -> None:
    rows = trials(made_up_trial)
    assert {"mean recall", "zero-shot AUC", "step"} <= set(texts(curves_plot(rows, METRICS, rows[1])))
    assert "<svg" in curves_plot([], METRICS, None)


def test_importances_stand_under_their_metric() -> None:
    bars = [Importance(setting=name, mean=0.5, low=-0.1, high=0.9) for name in ("optim.lr", "optim.beta2")]
    found = {"mean_recall": Importances(trials=9, step=None, explained=0.5, settings=bars)}
    assert {"mean recall", "optim.lr", "optim.beta2"} <= set(texts(importance_plot(found)))


def test_dollars_and_markup_in_values_stay_text(made_up_trial: MakeTrial, check_inert: Callable[[str], None]) -> None:
    attacks = ["<script>x()", "$\\frac{a}$", "]]>-->&"]
    rows = [made_up_trial(str(at), {"<b>s": value}, {"m": at / 10}) for at, value in enumerate(attacks)]
    svg = settings_plot(rows, "m", best=None, space={})
    check_inert(svg)
    assert set(attacks) | {"<b>s"} <= set(texts(svg))
