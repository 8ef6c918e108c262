"""What people have corrected of figures: boxes, letters and texts that stand in place of those that were found.

In: `separated/reviews.json`, written by `figray import-review`. Out: figures, and pairs, as the people say. A figure
without a review is as it was found, and so is a pair without a verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache

import numpy as np
from pydantic import TypeAdapter

from core.images import open_image
from core.places import Place
from core.records import Box, Pair, SeparatedFigure, Subfigure
from core.runs import digest
from pipelines.separating import describe
from pipelines.separation.layout import overlap

FILE = "reviews.json"
SAME = 0.5  # intersection over union of a panel as found and as corrected
BY_A_PERSON = "corrected by a person"
WRONG = "a person says that image and text do not belong together"


@dataclass(frozen=True)
class ReviewedPanel:
    """A panel as a person left it; what they did not say is None."""

    box: Box
    label: str | None = None
    label_box: Box | None = None
    text: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a person says of a pair as they saw it. mark: of that pair, by mark_of()."""

    right: bool
    mark: str


@dataclass(frozen=True)
class Reviews:
    """All corrections of a run: panels by figure id, verdicts by pair id. version: how often some were brought in."""

    version: int = 0
    figures: Mapping[str, list[ReviewedPanel]] = field(default_factory=dict)
    pairs: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Another for other corrections; "" where there are none."""
        said = [f"{name} {panels}" for name, panels in sorted(self.figures.items())]
        said += [f"{name} {verdict}" for name, verdict in sorted(self.pairs.items())]
        return digest(said) if said else ""


def read_reviews(table: Place) -> Reviews:
    """The corrections that stand beside a table of separated figures; none where there is no file."""
    file = table / FILE
    return _adapter().validate_json(file.read_bytes()) if file.exists() else Reviews()


def write_reviews(
    table: Place, new: Mapping[str, Sequence[ReviewedPanel]], verdicts: Mapping[str, Verdict] | None = None
) -> Reviews:
    """Add corrections and verdicts to those that stand; of a figure, and of a pair, the newest count."""
    before = read_reviews(table)
    panels = {name: list(panels) for name, panels in new.items()}
    after = Reviews(before.version + 1, {**before.figures, **panels}, {**before.pairs, **(verdicts or {})})
    (table / FILE).write_json(asdict(after))
    return after


@lru_cache
def _adapter() -> TypeAdapter[Reviews]:
    return TypeAdapter(Reviews)


def corrected(
    figure: SeparatedFigure, images: Mapping[str, str], reviews: Reviews
) -> tuple[SeparatedFigure, Mapping[str, str], list[ReviewedPanel]]:
    """A figure and the groups of copies by pair id, as people left them; and the panels of its review, if any."""
    panels = reviews.figures.get(figure.figure_id)
    if panels is None:
        return figure, images, []
    return reviewed(figure, panels), images_as_corrected(images, figure, panels), panels


def reviewed(figure: SeparatedFigure, panels: Sequence[ReviewedPanel]) -> SeparatedFigure:
    """A figure with the panels that a person left; what its pixels show is described anew where a box has moved."""
    subfigures = [
        Subfigure(
            box=_within(panel.box, figure), score=1.0, label=panel.label or None, label_box=panel.label_box,
            label_score=1.0 if panel.label else None,
        )
        for panel in panels
    ]  # fmt: skip
    image = open_image(figure.image).image
    known = {figure.subfigures[each.subfigure].box: each for each in figure.pictures if each.subfigure >= 0}
    whole = [each for each in figure.pictures if each.subfigure < 0]
    pictures = [
        replace(known[panel.box], subfigure=index) if panel.box in known else describe(index, image.crop(panel.box))
        for index, panel in enumerate(subfigures)
    ]
    return replace(figure, subfigures=subfigures, pictures=[*whole, *pictures])


def _within(box: Box, figure: SeparatedFigure) -> Box:
    limits = np.array([figure.width, figure.height] * 2)
    left, top, right, bottom = (int(edge) for edge in np.clip(box, 0, limits))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def with_texts(pairs: Sequence[Pair], panels: Sequence[ReviewedPanel]) -> list[Pair]:
    """Pairs with the texts that a person gave their panels, in the order of these."""
    given = {f"#{index}": panel.text for index, panel in enumerate(panels) if panel.text}
    return [
        replace(pair, text=given[name], matched_by="reviewed", score=1.0, reason=BY_A_PERSON)
        if (name := f"#{pair.pair_id.rpartition('#')[2]}") in given
        else pair
        for pair in pairs
    ]


def images_as_corrected(
    images: Mapping[str, str], figure: SeparatedFigure, panels: Sequence[ReviewedPanel]
) -> dict[str, str]:
    """The groups of copies by pair id, those of a figure by the numbers of its corrected panels."""
    of_figure = f"{figure.figure_id}#"
    found = {name: group for name, group in images.items() if not name.startswith(of_figure)}
    for index, panel in enumerate(panels):
        shares = [overlap(panel.box, each.box) for each in figure.subfigures]
        was = f"{of_figure}{int(np.argmax(shares))}" if shares and max(shares) >= SAME else ""
        if was in images:
            found[f"{of_figure}{index}"] = images[was]
    return found


def mark_of(pair: Pair) -> str:
    """What a verdict is of: another where the panel's box or its text is another."""
    return digest([pair.text, *map(str, pair.box)])[:12]


def judged(pair: Pair, reviews: Reviews) -> Pair:
    """A pair as a person's verdict leaves it; of one that is wrong the reason is WRONG.

    A verdict on a pair that has changed since says nothing of what it is now.
    """
    verdict = reviews.pairs.get(pair.pair_id)
    if verdict is None or verdict.mark != mark_of(pair):
        return pair
    if not verdict.right:
        return replace(pair, reason=WRONG)
    return replace(pair, matched_by="reviewed", score=1.0, reason=BY_A_PERSON)
