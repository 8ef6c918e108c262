"""MLIP's Table 4 from one trained start: every row against plain contrast, seed by seed, with how sure that is."""

from collections.abc import Sequence

from app.papers.mlip_models import BEST, PLAIN, TRAINED_ROWS, UNTRAINED, Score, by_seed, chosen
from app.papers.mlip_tables import cell
from app.papers.mlip_verdicts import said_by_side
from app.papers.reproduced import Cell, Row, Table
from app.papers.seeds import Paired, paired

MEASURES = {  # what rows are compared by: task, metric, how it is written
    "zero-shot AUC": ("zero-shot", "auc", "{:.1f}"),
    "pointing, by chance's": ("pointing", "ratio", "×{:.1f}"),
}
GOALS = {"zero-shot AUC": 94.0, "pointing, by chance's": 6.0}  # of the best form
AHEAD = 0.9  # of the seeds in which it has to be ahead of plain contrast
CAPTION = (
    "Rows of one seed begin with the same heads and see the same masks and batches. Beneath a mean the lowest and the "
    "highest seed, then their intervals over patients. Difference: from plain contrast, seed against the same seed, "
    "with its 95 % interval by Student's t; ahead: in how many seeds, with p of the sign test; seen: the least "
    "difference that so many seeds find in four cases of five."
)
NOTE = (
    "Both encoders stay as they are: what a linear head tells from few labels is the same for every row, and so is not "
    "shown; eq. 9 would teach the decoder alone. Patches are hidden after the encoder, so a visible patch knows of a "
    "hidden one."
)


def table(found: Sequence[Score]) -> Table:
    """Each row's numbers, and its paired difference from plain contrast."""
    return Table(
        title="What each part is for, from one trained start",
        caption=CAPTION,
        groups={name: ["mean", "difference", "ahead", "seen"] for name in MEASURES},
        rows=[Row(head=row, cells=_cells(found, row)) for row in TRAINED_ROWS],
        foot=Row(head=UNTRAINED, cells=_cells(found, UNTRAINED)),
    )


def _cells(found: Sequence[Score], row: str) -> list[Cell]:
    cells = []
    for name, (task, metric, form) in MEASURES.items():
        cells.append(cell(chosen(found, row=row, task=task, metric=metric, target=""), form=form))
        gain = against_plain(found, row, name) if row not in (PLAIN, UNTRAINED) else None
        cells += [Cell(value="–")] * 3 if gain is None else list(_told(gain))
    return cells


def _told(gain: Paired) -> tuple[Cell, Cell, Cell]:
    beneath = [f"{gain.interval[0]:+.2f} to {gain.interval[1]:+.2f}"] if gain.interval else []
    return (
        Cell(value=f"{gain.mean:+.2f}", beneath=beneath),
        Cell(value=f"{gain.ahead} of {gain.seeds}", beneath=[f"p {gain.sign_test:.3f}"]),
        Cell(value="–" if gain.seen is None else f"{gain.seen:.2f}"),
    )


def against_plain(found: Sequence[Score], row: str, measure: str) -> Paired | None:
    """By how much a row is ahead of plain contrast in a measure."""
    task, metric, _ = MEASURES[measure]
    here = chosen(found, task=task, metric=metric, target="")
    return paired(by_seed(chosen(here, row=row)), by_seed(chosen(here, row=PLAIN)))


def said(found: Sequence[Score]) -> list[str]:
    """Whether the rows are ahead of plain contrast, and whether the best form reaches what was asked."""
    told = []
    for row in TRAINED_ROWS:
        for name in MEASURES:
            if row != PLAIN and (gain := against_plain(found, row, name)):
                told.append(f"{row}, {name}: {sentence(gain)}.")
    sides = [line for row in (PLAIN, BEST) for line in said_by_side(found, row)]
    return [*told, *sides, *reached(found)]


def sentence(gain: Paired) -> str:
    """A paired difference in words."""
    interval = f" (95 %: {gain.interval[0]:+.2f} to {gain.interval[1]:+.2f})" if gain.interval else ""
    return f"{gain.mean:+.2f}{interval} from plain contrast, ahead in {gain.ahead} of {gain.seeds} seeds"


def reached(found: Sequence[Score]) -> list[str]:
    """Each goal of the best form, and whether it is met."""
    told = []
    for name, goal in GOALS.items():
        task, metric, form = MEASURES[name]
        values = by_seed(chosen(found, row=BEST, task=task, metric=metric, target="")).values()
        gain = against_plain(found, BEST, name)
        if values and gain:
            value = sum(values) / len(values)
            met = value >= goal and gain.ahead >= AHEAD * gain.seeds
            told.append(
                f"Asked of the best form: {name} of {form.format(goal)} or more, ahead of plain contrast in nine seeds "
                f"of ten. It has {form.format(value)}, ahead in {gain.ahead} of {gain.seeds}: "
                f"{'met' if met else 'not met'}."
            )
    return told
