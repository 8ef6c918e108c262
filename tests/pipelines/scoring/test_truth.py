"""The truth file."""

from pathlib import Path

from pipelines.scoring.truth import FigureTruth, PanelTruth, describes, read_figures, write_truth

PANEL = PanelTruth(
    box=(0, 0, 9, 9), label="A", label_box=(1, 1, 3, 4), text="Axial CT", whole_caption_allowed=False, modality="CT",
    plane="axial", lesion="infarct", side="left", place="frontal lobe",
)  # fmt: skip
FIGURE = FigureTruth(
    figure_id="PMC1.1/g1",
    kept=True,
    left_out_because=None,
    caption="(A) Axial CT.",
    caption_style="before",
    panels=[PANEL],
)


def test_truth_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_truth(tmp_path / "truth.json", [FIGURE], articles=1, seed=5)
    assert read_figures(tmp_path / "truth.json") == [FIGURE]


def test_a_corpus_is_known_by_size_and_seed(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    assert not describes(path, articles=1, seed=5)
    write_truth(path, [FIGURE], articles=1, seed=5)
    assert describes(path, articles=1, seed=5)
    assert not describes(path, articles=2, seed=5) and not describes(path, articles=1, seed=6)
