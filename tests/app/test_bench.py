"""The benchmark counts what it says it counts; its goals are for a quiet machine, not for the tests."""

import io
from pathlib import Path

import pytest
from PIL import Image

from app.bench import BenchFigure, Line, PlainLoop, bench, missed, own_figures
from app.own_files import FileError
from core.places import Place
from core.settings import Config

BOXES = [(0, 5, 190, 195), (210, 5, 400, 195)]


@pytest.fixture(scope="module")
def line() -> Line:
    return Line(Config.model_validate({"separate": {"method": "classical"}}))


@pytest.fixture
def figure() -> BenchFigure:
    image = Image.new("RGB", (400, 200), "white")
    for box in BOXES:
        image.paste(Image.radial_gradient("L").resize((190, 190)).convert("RGB"), box[:2])
    file = io.BytesIO()
    image.save(file, "PNG")
    return BenchFigure(file.getvalue(), "(A) Axial view. (B) Coronal view.", BOXES)


def test_a_run_tells_costs_and_ratios_and_which_goals_it_missed(line: Line, figure: BenchFigure) -> None:
    told = bench(line.config, [figure, figure], line)
    assert told["panels_per_figure"] == 2
    assert told["cpu_ms_per_figure"] == pytest.approx(2 * told["cpu_ms_per_panel"])
    assert told["figures_per_second_and_core"] == pytest.approx(1000 / told["cpu_ms_per_figure"])
    assert told["rapidocr_cpu_ms_per_panel"] > told["paddleocr_cpu_ms_per_panel"] > 0
    assert told["times_rapidocr"] > told["times_paddleocr"]
    assert told["figures_per_second_2_processes"] > 0
    good = {"figures_of_4_panels_per_second_and_core": 4.0, "times_rapidocr": 10.0}
    assert missed(good) == []
    assert missed(good | {"times_rapidocr": 9.94}) == ["9.9 times the plain loop, of 10"]
    assert missed(good | {"figures_of_4_panels_per_second_and_core": 3.0}) == ["3.0 figures per second and core, of 4"]


def test_the_plain_loop_reads_what_is_printed() -> None:
    from PIL import ImageDraw, ImageFont

    image = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(image).text((60, 60), "Axial", fill="black", font=ImageFont.load_default(size=60))
    (found,) = PlainLoop()(image, [(0, 0, 300, 200)], (64, "min"))
    assert found == ["Axial"]


def test_own_figures_are_the_compound_ones(line: Line, figure: BenchFigure, tmp_path: Path) -> None:
    Image.radial_gradient("L").save(tmp_path / "single.png")
    with pytest.raises(FileError, match="no compound figures"):
        own_figures(Place.at(tmp_path), line)
    (tmp_path / "two.png").write_bytes(figure.image)
    (found,) = own_figures(Place.at(tmp_path), line)
    assert len(found.boxes) == 2
