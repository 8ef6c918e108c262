"""What a run holds is all told, and what is taken away can be made again."""

from pathlib import Path

from typer.testing import CliRunner

from app.cleaning import held, remove, size_in_words
from app.cli import cli
from core.places import Place

KEPT = ("config.yaml", "models/m/checkpoint/sha256.json", "models/new/restarts/step-1", "corpus/truth.json", "mine.txt")
AGAIN = ("report.html", "models/m/restarts/step-9/progress.pt", "models/m/films/x", "pairs/index")


def made(run: Place) -> Place:
    for number, name in enumerate((*KEPT, *AGAIN), 1):
        (run / name).write_bytes(bytes(number * 100))
    return run


def test_only_what_can_be_made_again_goes(tmp_path: Path) -> None:
    run = made(Place.at(tmp_path / "run"))
    found = held(run)
    assert {each.name for each in found if each.why} == {
        "report.html", "models/m/restarts", "models/m/films", "pairs/index",
    }  # fmt: skip
    assert sum(each.size for each in found) == sum(range(100, 1000, 100))
    assert [each.size for each in found] == sorted((each.size for each in found), reverse=True)
    assert remove(run, found) == 600 + 700 + 800 + 900
    there = {str(path.relative_to(tmp_path / "run")) for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert there == set(KEPT)


def test_the_demos_corpus_is_drawn_again(tmp_path: Path) -> None:
    run = made(Place.at(tmp_path / "run"))
    (run / "accuracy.json").write_json({})
    assert "corpus" in {each.name for each in held(run) if each.why}


def test_nothing_is_removed_unasked(tmp_path: Path) -> None:
    run = made(Place.at(tmp_path / "run"))
    for arguments, answer in ((["--dry-run"], ""), ([], "n\n")):
        said = CliRunner().invoke(cli, ["clean", run.uri, *arguments], input=answer)
        assert said.exit_code == 0 and (run / "report.html").exists()
    said = CliRunner().invoke(cli, ["clean", run.uri, "--yes"])
    assert said.exit_code == 0 and not (run / "report.html").exists()
    assert (run / "mine.txt").exists()


def test_bytes_as_people_read_them() -> None:
    assert [size_in_words(size) for size in (12, 1500, 2_340_000, 5_000_000_000)] == [
        "12 bytes", "1.5 kB", "2.3 MB", "5.0 GB",
    ]  # fmt: skip
