"""Sentences that say what of MLIP's tables reappears, with intervals and seeds."""

from collections.abc import Mapping, Sequence
from statistics import mean

from app.papers.mlip_models import FULL, PLAIN, UNTRAINED, Score, averages, chosen, lead_of
from app.papers.mlip_published import OURS, TABLE_1, TABLE_1_COLUMNS, TABLE_4
from app.papers.mlip_tables import HEADS, Costs, bounds, datasets, percent_of
from app.papers.seeds import Lead, Summary, summary

MODULES = {  # what Table 4 adds, row above row
    "the weights by integrity": ("integrity", PLAIN),
    "sentence-patch matching": ("contrast + SPM", PLAIN),
    "sentence-patch matching, on those weights": ("integrity + SPM", "integrity"),
    "masked image prediction": (FULL, "integrity + SPM"),
    "all of them": (FULL, PLAIN),
}

SEERS = {"MLIP": FULL, "plain contrast": PLAIN, "the untrained model": UNTRAINED}
POINTED = {  # what is taken for where a prompt is seen
    "pointing": "the warmest patch of a prompt's map",
    "pointing-seen": "the patch that, seen, brings an image nearest to a prompt",
}


def said_of_table1(found: Sequence[Score]) -> list[str]:
    """How well findings are told without any label, against the model before training."""
    said = []
    for dataset in datasets(found):
        here = chosen(found, dataset=dataset, task="zero-shot", metric="auc", target="")
        said.append(f"On {dataset}, by prompts alone, {against_untrained(here, 'mean AUC')}; by chance it is 50.")
        said += said_by_side(chosen(found, dataset=dataset))
    theirs = " and ".join(
        f"{TABLE_1[OURS][TABLE_1_COLUMNS.index((name, 'AUC'))]:.1f} on {name}" for name in ("RSNA", "SIIM")
    )
    return [*said, f"MLIP's own AUC is {theirs}."]


def said_by_side(found: Sequence[Score], row: str = FULL) -> list[str]:
    """What prompts of one side tell alone: whether a model reads the word "no"."""
    sides = {"pos": "by the positive prompts alone", "neg": "by the negative ones alone", "pnc": "by both"}
    values = {
        name: summary(
            [each.value for each in chosen(found, row=row, task="zero-shot", metric=f"auc_{side}", target="")]
        )
        for side, name in sides.items()
    }
    told = [f"{each.mean:.1f} {name}" for name, each in values.items() if each]
    return [f"Mean AUC of {row}: {', '.join(told)}; below 50 by negative prompts, “no” is not read."] if told else []


def said_of_table2(found: Sequence[Score]) -> list[str]:
    """What few labels are worth on a frozen encoder."""
    here = chosen(found, task="few-shot", target="")
    columns = sorted({(each.dataset, each.share or 0.0) for each in here})
    return [
        f"On {dataset}, with labels of {percent_of(share)} of the patients, "
        f"{against_untrained(chosen(here, dataset=dataset, share=share), 'mean AUC')}."
        for dataset, share in columns
    ]


def said_of_table3(found: Sequence[Score]) -> list[str]:
    """What few masks are worth on a frozen encoder."""
    here, said = chosen(found, task="segmentation"), []
    for dataset in datasets(here):
        of_set = chosen(here, dataset=dataset)
        outlined = chosen(of_set, metric="dice_positive")
        dice, nothing = (
            summary([each.value for each in chosen(of_set, row=FULL, metric=metric)])
            for metric in ("dice", "dice_all_empty")
        )
        said.append(f"On {dataset}, of radiographs with the finding, {against_untrained(outlined, 'Dice')}.")
        if dice and nothing:
            than = "more" if dice.mean > nothing.mean else "no more"
            said.append(f"Over all, MLIP's is {dice.mean:.1f}, {than} than the {nothing.mean:.1f} of drawing nothing.")
    return said


def said_of_table4(found: Sequence[Score]) -> list[str]:
    """Whether each part adds what the paper says, seed against the same seed."""
    ours = averages(found)
    return [_added(part, lead_of(ours, *rows), TABLE_4[rows[0]] - TABLE_4[rows[1]]) for part, rows in MODULES.items()]


def said_of_matching(found: Sequence[Score], matching: Mapping[str, Costs]) -> list[str]:
    """Where sentences are seen, and whether matching has collapsed, its costs the same whatever is matched."""
    said = []
    for task, what in POINTED.items():
        ratios = {name: _ratio(found, row, task) for name, row in SEERS.items()}
        if told := [f"{many.mean:.1f} with {name}" for name, many in ratios.items() if many]:
            said.append(f"How many times as often as a random patch {what} lies in its finding: {', '.join(told)}.")
    costs = matching.get(FULL, [])
    if costs:
        own, other = (mean(each) for each in zip(*costs))
        apart = "matching tells reports apart" if own < other else "matching has collapsed"
        said.append(f"Matching a report's own sentences costs {own:.3f}, another's {other:.3f}: {apart}.")
    return said


def _ratio(found: Sequence[Score], row: str, task: str) -> Summary | None:
    return summary([each.value for each in chosen(found, row=row, task=task, metric="ratio", target="")])


def _added(part: str, gain: Lead | None, published: float) -> str:
    if gain is None:
        return f"Of {part} nothing can be said."
    return (
        f"AVG changes by {gain.mean:+.1f} points with {part} (seeds {gain.low:+.1f} to {gain.high:+.1f}, above in "
        f"{gain.ahead} of {gain.seeds}); MLIP {published:+.1f}. The paper's order {verdict(gain)}."
    )


def verdict(gain: Lead | None) -> str:
    """Whether one is ahead of the other, as in the paper, in all seeds; one seed leaves it open."""
    if gain is None or gain.seeds < 2 or 0 < gain.ahead < gain.seeds:
        return "is open"
    return "reappears" if gain.ahead else "is reversed"


def against_untrained(found: Sequence[Score], what: str) -> str:
    """MLIP beside the model that it began as, in one number."""
    ours, begun = (summary([each.value for each in chosen(found, row=row)]) for row in HEADS)
    if not ours or not begun:
        return "MLIP cannot be set against the untrained model"
    gain = lead_of(found, FULL, UNTRAINED)
    outer = bounds(chosen(found, row=FULL))
    interval = f" (95 %: {outer[0]:.1f} to {outer[1]:.1f})" if outer else ""
    more = f", {gain.mean:+.1f} points" if gain else ""
    return f"MLIP reaches a {what} of {ours.mean:.1f}{interval}, untrained {begun.mean:.1f}{more}"
