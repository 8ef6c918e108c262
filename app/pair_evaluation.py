"""`figray evaluate pairs`: separation, letters, subcaptions and pairs against a labelled set, with its worst cases."""

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.own_files import FileError, Progress, Row, are_few, caption_rows, figure_rows, images_below, read_json
from app.report.from_run import changed_settings
from app.report.scorecard_page import BadCaption, BadFigure, render_scorecard
from app.session import GOES_ON, connected, say, unconnected, without_training
from app.steps import opened
from core.images import ImageError, open_image
from core.places import Place
from core.records import SplitCaption, Subfigure, from_row
from core.settings import Config, PhantomSettings
from pipelines.captions.marked import read_marks
from pipelines.captions.mentions import without_mentions
from pipelines.loose_files import CaptionWork, FigureWork, named
from pipelines.scoring.detection import mean_average_precision, sentence_bleu, starts_found
from pipelines.scoring.labelled_sets import (
    MarkedCaption,
    MarkedCaptions,
    MarkedFigure,
    drawn_captions,
    drawn_figure,
    true_caption,
    true_figures,
)
from pipelines.scoring.published import Published, StartedCaption, published
from pipelines.scoring.reliability import reliability, verdicts
from pipelines.scoring.scorecard import (
    FoundPair,
    Measure,
    Tallies,
    Tally,
    TrueCaption,
    TrueFigure,
    bare,
    measures,
    pairing,
    pairs_right,
    separation,
    splitting,
)

DRAWN_FOR_PAIRS = "phantom.articles=60"  # some two hundred figures, a minute on two cores
WORST_FIGURES, WORST_CAPTIONS = 16, 8  # on the page


@dataclass(frozen=True)
class LabelledSet:
    """What the line is measured on."""

    about: str
    folder: Place | None  # of the figures
    figures: dict[str, TrueFigure]  # by the image's path below the folder
    captions: list[TrueCaption]
    started: list[StartedCaption] = field(default_factory=list)  # captions of which panel starts alone are known


@dataclass(frozen=True)
class ReadFigure:
    """A figure of the set, what was found on it, and what that is worth."""

    truth: TrueFigure
    row: Row
    panels: list[Subfigure]
    pairs: list[FoundPair]
    tallies: Tallies


@dataclass(frozen=True)
class ReadCaption:
    """A caption of the set, its subcaptions, and what they are worth."""

    truth: TrueCaption
    split: SplitCaption
    tallies: Tallies


Item = TypeVar("Item", ReadFigure, ReadCaption)


def labelled_set(images: Place | None, truth: Path | None, captions: Path | None) -> LabelledSet:
    """Figures and captions from files of the shapes of scoring.labelled_sets or scoring.published; raises FileError."""
    others = [_published(file) if file else None for file in (truth, captions)]
    has_figures = truth is not None and (others[0] is None or bool(others[0][0]))
    if ((images is None) and has_figures) or (images is not None and truth is None):
        raise FileError("a folder of images needs its truth, and the truth its images: --images DIR --truth TRUTH.json")
    found, told, started = _both(others)
    marked: list[MarkedFigure] = read_json(truth, list[MarkedFigure]) if truth and others[0] is None else []
    stated = read_json(captions, MarkedCaptions | list[MarkedCaption]) if captions and others[1] is None else []
    rows: list[MarkedCaption] = stated.records if isinstance(stated, MarkedCaptions) else stated
    found += true_figures(marked)
    paths = named(images_below(images), [figure.image for figure in found]) if images else {}
    figures = {paths.get(figure.image, figure.image): figure for figure in found}
    twice = [paths.get(image, image) for image, count in Counter(one.image for one in found).items() if count > 1]
    if twice or len(figures) < len(found):
        raise FileError(f"{truth}: a figure stands twice in it: {', '.join(twice[:3]) or 'by two names'}")
    about = ", ".join(path.name for path in (truth, captions) if path)
    return LabelledSet(about, images, figures, [*told, *(true_caption(row) for row in rows)], started)


def _published(file: Path) -> Published | None:
    """A file of a published set; None where it is of figray's own shapes. Raises FileError."""
    try:
        return published(file.name, file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise FileError(f"{file}: {error}") from error


def _both(files: Sequence[Published | None]) -> Published:
    """What two files hold, as one."""
    read = [file for file in files if file is not None]
    return (
        [figure for file in read for figure in file[0]],
        [caption for file in read for caption in file[1]],
        [caption for file in read for caption in file[2]],
    )


def drawn_set(run: Place, settings: PhantomSettings) -> LabelledSet:
    """Figures and captions of a corpus that is drawn into the run folder."""
    from phantom.pmc.corpus import read_truth, write_corpus

    corpus = run / "corpus"
    with nullcontext(corpus.path) if corpus.is_local else corpus.written(last="truth.json") as folder:
        write_corpus(Path(folder), articles=settings.articles, seed=settings.seed)
        drawn = read_truth(Path(folder))
    bucket = corpus / "bucket"
    images = {image.rpartition(".")[0]: image for image in images_below(bucket)}
    truths = [truth for truth in drawn if truth.kept and truth.figure_id in images]
    figures = {images[truth.figure_id]: drawn_figure(truth, images[truth.figure_id]) for truth in truths}
    about = f"a drawn corpus of {settings.articles} articles, seed {settings.seed}"
    return LabelledSet(about, bucket, figures, drawn_captions(truths))


def works_of(labelled: LabelledSet) -> tuple[list[FigureWork], list[CaptionWork]]:
    """The figures and captions of a set, as they are read."""
    figures = [FigureWork(image, truth.caption) for image, truth in sorted(labelled.figures.items())]
    return figures, [CaptionWork(truth.id, truth.caption) for truth in labelled.captions]


def evaluate(config: Config, run: Place, labelled: LabelledSet, progress: Progress) -> dict[str, Measure]:
    """Read the set, and write `scorecard.json` and `scorecard.html`."""
    figures: list[ReadFigure] = []
    failed = 0
    if labelled.folder is not None:
        works = works_of(labelled)[0]
        for row in figure_rows(config, labelled.folder, works):
            figures.append(judged_figure(labelled.figures[row["image"]], row))
            failed += "error" in row
            progress("figures", len(figures), failed, len(works))
    rows = caption_rows(config, works_of(labelled)[1])
    captions = [judged_caption(truth, row) for truth, row in zip(labelled.captions, rows)]
    return write_scorecard(config, run, labelled, figures=figures, captions=captions)


def write_scorecard(
    config: Config, run: Place, labelled: LabelledSet, *, figures: Sequence[ReadFigure], captions: Sequence[ReadCaption]
) -> dict[str, Measure]:
    """All measures of what was read, with the worst cases, as JSON and as a page."""
    starts = [_starts(caption) for caption in labelled.started]
    read = [item.tallies for item in figures] + [item.tallies for item in captions]
    found = measures(read + starts, seed=config.seed)
    precision = mean_average_precision([one.truth for one in figures], [one.panels for one in figures])
    believed = reliability(one for figure in figures for one in verdicts(figure.truth, figure.pairs))
    failed = Counter(figure.row["error"]["code"] for figure in figures if "error" in figure.row)
    bad_figures, bad_captions = _worst(figures, WORST_FIGURES), _worst(captions, WORST_CAPTIONS)
    about = f"On {labelled.about}: {len(figures):,} figures, {failed.total():,} unreadable; {len(captions):,} captions."
    (run / "scorecard.json").write_json({
        "about": about,
        "measures": {name: asdict(measure) for name, measure in found.items()},
        "average_precision": precision if figures else None,
        "reliability": asdict(believed) if believed else None,
        "failed": dict(failed),
        "worst_figures": {item.truth.image: round(score(item.tallies), 4) for item in bad_figures},
        "worst_captions": {item.truth.id: round(score(item.tallies), 4) for item in bad_captions},
        "settings": changed_settings(config),
    })  # fmt: skip
    page = render_scorecard(
        f"figray: {run.name}",
        found,
        figures=[_bad_figure(labelled.folder, item) for item in bad_figures if labelled.folder],
        captions=[BadCaption(truth=item.truth, split=item.split, score=score(item.tallies)) for item in bad_captions],
        about=about,
        believed=believed,
        precision=precision if figures else {},
    )
    (run / "scorecard.html").write_bytes(page.encode())
    return found


def score(tallies: Tallies) -> float:
    """How good one figure or caption is as a whole: the mean of what it has measures for, 0 to 1."""
    shares = {name: tally.right / tally.of for name, tally in tallies.items() if tally.of}
    if "false_splits" in shares:
        return 1 - shares["false_splits"]
    return sum(shares.values()) / max(1, len(shares))


def judged_figure(truth: TrueFigure, row: Row) -> ReadFigure:
    """A row of stream.read_figures against the truth; a figure that could not be read has found nothing."""
    panels = [from_row(panel, Subfigure) for panel in row.get("subfigures", [])]
    pairs = [FoundPair(pair["box"], pair["text"], pair.get("score")) for pair in row.get("pairs", [])]
    return ReadFigure(truth, row, panels, pairs, separation(truth, panels) | pairing(truth, pairs))


def judged_caption(truth: TrueCaption, row: Row) -> ReadCaption:
    """A row of stream.split_captions against the truth."""
    split = from_row(row, SplitCaption)
    return ReadCaption(truth, split, splitting(truth, split) | _bleu(truth, split))


def _bleu(truth: TrueCaption, split: SplitCaption) -> Tallies:
    """Sentence BLEU of the text of each true label; nothing where nobody has written the texts."""
    if not truth.texts:
        return {}
    found = {bare(label): part.text for part in split.subcaptions for label in part.labels}
    total = sum(sentence_bleu(found.get(label, ""), text) for label, text in truth.texts.items())
    return {"sentence_bleu": Tally(total, len(truth.texts))}


def _starts(truth: StartedCaption) -> Tallies:
    """Where panels begin in a caption, against where the marks stand that begin their texts."""
    read = without_mentions(read_marks(truth.caption))
    first: dict[tuple[str, ...], int] = {}
    for marker in read.markers:
        first.setdefault(marker.labels, marker.start)
    share = starts_found(truth.caption, truth.starts, sorted(first.values()))
    return {"panel_start_f1": Tally(2 * share.right, share.found + share.true)}


def _worst(read: Sequence[Item], most: int) -> list[Item]:
    flawed = [item for item in read if score(item.tallies) < 1]
    return sorted(flawed, key=lambda item: score(item.tallies))[:most]


def _bad_figure(folder: Place, figure: ReadFigure) -> BadFigure:
    image, problem = None, ""
    try:
        image = open_image((folder / figure.row["image"]).read_bytes()).image
    except (ImageError, OSError) as error:
        problem = str(error)
    return BadFigure(
        truth=figure.truth,
        image=image,
        problem=problem,
        panels=figure.panels,
        texts=[pair.text for pair in figure.pairs],
        verdicts=pairs_right(figure.truth, figure.pairs),
        score=score(figure.tallies),
    )


def evaluate_pairs(
    run: str, images: str | None, truth: Path | None, captions: Path | None, set_: list[str]
) -> dict[str, Any]:
    """Separation, letters, subcaptions and pairs against a labelled set; without one, against drawn figures."""
    given = labelled_set(Place.at(images) if images else None, truth, captions)
    place = Place.at(run)
    with opened(place, None, [DRAWN_FOR_PAIRS, *set_]) as config:
        labelled = given if given.about else drawn_set(place, config.phantom)
        few = are_few(config, *works_of(labelled))
        with unconnected() if few else connected(without_training(config), stopped=GOES_ON) as bars:
            found = evaluate(config, place, labelled, bars.rows)
    for name, measure in found.items():
        say(f"{name:28}{100 * measure.value:6.1f} %  ({100 * measure.low:.1f} to {100 * measure.high:.1f})")
    say(f"scorecard: {place / 'scorecard.html'}")
    return {name: {"value": each.value, "low": each.low, "high": each.high} for name, each in found.items()}
