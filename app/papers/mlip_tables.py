"""MLIP's tables, and the paper's numbers as printed beside them."""

from collections.abc import Mapping, Sequence
from statistics import mean

from app.papers.mlip_models import FULL, ROWS, UNTRAINED, Score, averages, chosen
from app.papers.mlip_published import OURS, TABLE_1, TABLE_1_COLUMNS, TABLE_2, TABLE_2_COLUMNS, TABLE_3, TABLE_4
from app.papers.reproduced import Cell, Row, Table
from app.papers.seeds import summary

HEADS = {FULL: "MLIP", UNTRAINED: "untrained"}
ZERO_SHOT = {"auc": "AUC", "ap": "AP", "f1": "F1", "macro_f1": "macro F1", "f1_oracle": "F1, oracle"}
DICE = {"dice": "all", "dice_positive": "with the finding", "dice_all_empty": "nothing drawn"}
F1 = "F1: at the threshold that is best on validation; oracle: the best that any threshold reaches on the test set."
BENEATH = (
    "In percent, mean over seeds; beneath it the seeds from lowest to highest, then from the lowest to the highest "
    "bound of their 95 % intervals over patients."
)
Costs = list[tuple[float, float]]  # by seed, of matching a report's own sentences and another's


def table1(found: Sequence[Score]) -> Table:
    """Zero-shot classification: MLIP and the model it began as, for each data set; the means over its findings."""
    sets = datasets(found)
    columns = [(name, metric) for name in sets for metric in ZERO_SHOT]
    rows = [
        Row(
            head=head,
            cells=[
                cell(chosen(found, row=row, dataset=name, task="zero-shot", metric=metric, target=""))
                for name, metric in columns
            ],
        )
        for row, head in HEADS.items()
    ]
    shares = {name: chosen(found, dataset=name, metric="prevalence", target="") for name in sets}
    chance = {"auc": lambda name: 50.0, "ap": lambda name: shares[name][0].value if shares[name] else None}
    foot = [_plain(chance[metric](name) if metric in chance else None) for name, metric in columns]
    return Table(
        title="By prompts alone",
        caption=f"{BENEATH} {F1}",
        groups={name: list(ZERO_SHOT.values()) for name in sets},
        rows=rows,
        foot=Row(head="chance", cells=foot),
    )


def findings(found: Sequence[Score], dataset: str) -> Table:
    """Zero-shot classification, finding by finding."""
    here = chosen(found, dataset=dataset, task="zero-shot")
    names = dict.fromkeys(each.target for each in here if each.target)
    rows = [
        Row(
            head=name,
            cells=[
                *(cell(chosen(here, row=FULL, metric=metric, target=name)) for metric in ("auc", "ap", "f1")),
                cell(chosen(here, row=UNTRAINED, metric="auc", target=name)),
                cell(chosen(here, metric="prevalence", target=name)),
            ],
        )
        for name in names
    ]
    return Table(
        title=f"By prompts alone, each finding of {dataset}",
        caption=BENEATH,
        groups={"MLIP": ["AUC", "AP", "F1"], "untrained": ["AUC"], "radiographs": ["have it"]},
        rows=rows,
    )


def paper_table1(found: Sequence[Score]) -> Table:
    """MLIP, Table 1 as printed; above it ours, where the run has those data sets."""
    rows = [
        Row(
            head=f"figray, {name}",
            cells=[
                cell(chosen(found, row=FULL, dataset=dataset, task="zero-shot", target="", metric=metric))
                for dataset, kind in TABLE_1_COLUMNS
                for metric in [f1 if kind == "F1" else "auc"]
            ],
        )
        for f1, name in (("f1", "F1 at the threshold of validation"), ("f1_oracle", "F1, oracle"))
        if {dataset for dataset, _ in TABLE_1_COLUMNS} & set(datasets(found))
    ]
    groups: dict[str, list[str]] = {}
    for dataset, metric in TABLE_1_COLUMNS:
        groups.setdefault(dataset, []).append(metric)
    return _printed("MLIP, Table 1", groups, TABLE_1, rows)


def table2(found: Sequence[Score]) -> Table:
    """Few-shot classification on a frozen encoder, for each data set and share."""
    here = chosen(found, task="few-shot", target="")
    columns = sorted({(each.dataset, each.share or 0.0) for each in here})
    groups: dict[str, list[str]] = {}
    for dataset, share in columns:
        groups.setdefault(dataset, []).append(percent_of(share))
    return Table(
        title="From few labels",
        caption=f"AUC of linear heads on the frozen encoder, each the mean over draws of the patients. {BENEATH}",
        groups=groups,
        rows=[
            Row(head=head, cells=[cell(chosen(here, row=row, dataset=name, share=share)) for name, share in columns])
            for row, head in HEADS.items()
        ],
        foot=Row(head="chance", cells=[Cell(value="50.0")] * len(columns)),
    )


def paper_table2(found: Sequence[Score]) -> Table:
    """MLIP, Table 2 as printed; above it ours, where the run has those data sets."""
    here = chosen(found, row=FULL, task="few-shot", target="")
    cells = [cell(chosen(here, dataset=dataset, share=share)) for dataset, share in TABLE_2_COLUMNS]
    rows = [Row(head="figray", cells=cells)] if {name for name, _ in TABLE_2_COLUMNS} & set(datasets(here)) else []
    groups = {dataset: [percent_of(share)] for dataset, share in TABLE_2_COLUMNS}
    return _printed("MLIP, Table 2", groups, TABLE_2, rows)


def table3(found: Sequence[Score]) -> Table:
    """Segmentation by a head on the frozen encoder; what drawing nothing scores stands beside it."""
    here = chosen(found, task="segmentation")
    columns = [(name, metric) for name in datasets(here) for metric in DICE]
    targets = {each.dataset: each.target for each in here}
    return Table(
        title="From few masks",
        caption=f"Dice, mean over radiographs; over all, one without the finding counts 1 where nothing is drawn and 0 "
        f"where anything is. {BENEATH}",
        groups={f"{name}, {target}": list(DICE.values()) for name, target in targets.items()},
        rows=[
            Row(head=head, cells=[cell(chosen(here, row=row, dataset=name, metric=each)) for name, each in columns])
            for row, head in HEADS.items()
        ],
    )


def paper_table3() -> Table:
    """MLIP, Table 3 as printed."""
    return _printed("MLIP, Table 3", {"SIIM": ["Dice"]}, {name: (value,) for name, value in TABLE_3.items()}, [])


def table4(found: Sequence[Score], matching: Mapping[str, Costs]) -> Table:
    """The ablation: AVG as made here beneath which stands the paper's, what it is made of, and what SPM is for.

    matching: what matching costs at the end of training with a report's own sentences and with another's, by row.
    """
    shares = sorted({each.share for each in chosen(found, task="few-shot") if each.share is not None})
    rows = [
        row
        for name in ROWS
        for row in (
            Row(head=name, cells=_ablated(found, name, shares, matching)),
            Row(
                head="MLIP",
                cells=[Cell(value=f"{TABLE_4[name]:.1f}"), *[Cell(value="")] * (len(shares) + 8)],
                is_quiet=True,
            ),
        )
    ]
    return Table(
        title="What each part is for",
        caption=f"AVG: the mean of the zero-shot AUC and of the few-shot AUC. Hits: the warmest patch of a prompt's "
        f"map lies in its finding, beside how many times as often as a random patch; apart: of that map less the "
        f"one of the prompts that the finding is not there; seen: the patch that, seen, brings the image nearest to "
        f"the prompt. Matching: what eq. 8 costs with a "
        f"report's own sentences and with another's, at the end of training. {BENEATH}",
        groups={
            "AUC": ["AVG", "zero-shot", *(f"few-shot, {percent_of(share)}" for share in shares)],
            "pointing": ["hits", "by chance's"],
            "pointing apart": ["hits", "by chance's"],
            "pointing, seen": ["hits", "by chance's"],
            "matching": ["own / other's"],
        },
        rows=rows,
        foot=Row(head="untrained", cells=_ablated(found, UNTRAINED, shares, matching)),
    )


POINTING = {
    "pointing": "a prompt's map",
    "pointing-apart": "a prompt's map less the map of the prompts that the finding is not there",
    "pointing-seen": "how much nearer the image comes to a prompt by what it shows",
}


def pointing(found: Sequence[Score], dataset: str, task: str = "pointing") -> Table:
    """How often the warmest patch of a finding's map lies in it."""
    here = chosen(found, dataset=dataset, task=task)
    names = sorted({each.target for each in here})  # "" is the first: all of them
    rows = [
        Row(
            head=name or "all",
            cells=[
                *(cell(chosen(here, row=row, metric="hit_rate", target=name)) for row in HEADS),
                cell(chosen(here, row=FULL, metric="random_rate", target=name)),
                cell(chosen(here, row=FULL, metric="ratio", target=name), form="×{:.1f}"),
            ],
        )
        for name in names
    ]
    return Table(
        title=f"Where findings of {dataset} are seen",
        caption=f"The warmest patch of {POINTING[task]} lies in its finding, in percent of findings. {BENEATH}",
        groups={"hits": [*HEADS.values(), "by chance"], "MLIP": ["by chance's"]},
        rows=rows,
    )


def _ablated(found: Sequence[Score], row: str, shares: Sequence[float], matching: Mapping[str, Costs]) -> list[Cell]:
    here = [each for each in chosen(found, row=row) if not each.target]
    costs = matching.get(row, ())
    return [
        cell(averages(here)),
        cell(chosen(here, task="zero-shot", metric="auc")),
        *(cell(chosen(here, task="few-shot", share=share)) for share in shares),
        *(
            each
            for task in POINTING
            for each in (
                cell(chosen(here, task=task, metric="hit_rate")),
                cell(chosen(here, task=task, metric="ratio"), form="×{:.1f}"),
            )
        ),
        Cell(value=" / ".join(f"{mean(each):.2f}" for each in zip(*costs))) if costs else Cell(value="–"),
    ]


def datasets(found: Sequence[Score]) -> list[str]:
    """The data sets that anything was found in, as they came."""
    return list(dict.fromkeys(each.dataset for each in found if each.dataset))


def cell(found: Sequence[Score], form: str = "{:.1f}") -> Cell:
    """The mean over seeds, their range, and the outer bounds of their intervals."""
    values = summary([each.value for each in found])
    if values is None:
        return Cell(value="–")
    seeds = f"{form.format(values.low)}–{form.format(values.high)}" if values.low < values.high else ""
    outer = bounds(found)
    interval = f"95 %: {form.format(outer[0])}–{form.format(outer[1])}" if outer else ""
    return Cell(value=form.format(values.mean), beneath=[seeds, interval])


def bounds(found: Sequence[Score]) -> tuple[float, float] | None:
    """From the lowest to the highest bound of the seeds' intervals; None if they have none."""
    lows = [each.low for each in found if each.low is not None]
    highs = [each.high for each in found if each.high is not None]
    return (min(lows), max(highs)) if lows and highs else None


def percent_of(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:g} %"


def _plain(value: float | None) -> Cell:
    return Cell(value="–" if value is None else f"{value:.1f}")


def _printed(
    title: str,
    groups: Mapping[str, Sequence[str]],
    printed: Mapping[str, Sequence[float | None]],
    ours: Sequence[Row],
) -> Table:
    theirs = [
        Row(head=name, cells=[_plain(value) for value in values], is_quiet=name != OURS)
        for name, values in printed.items()
    ]
    caption = "As printed, in percent; of other data than the numbers above." if not ours else "In percent, as printed."
    return Table(title=title, caption=caption, groups=groups, rows=[*ours, *theirs])
