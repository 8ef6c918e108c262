"""Questions to a run's model, and what cannot be asked."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.asking.pages import compared_page, lines, page
from app.asking.questions import fits, opened_image, refuse_texts, search
from app.cli import cli
from app.steps import checkpoint
from core.config import SettingError, UserError
from core.places import Place
from core.settings import Config
from tests.app.test_retrieving import run as small_run
from trainers.asking import Asked

run = small_run


def test_words_find_pairs_and_the_page_is_inert(run: Place) -> None:
    hits = search(Config(), run, "a red disc", name="processed", split="test", top=3)
    assert len(hits) == len(lines(hits)) == 3
    text = page(hits, "<script>x</script>", "processed")
    assert "<script>" not in text
    assert text.count("data:image/jpeg") == 3


def test_words_may_be_longer_than_a_file_name(run: Place) -> None:
    assert search(Config(), run, "a red disc " * 500, name="processed", split="test", top=1)


def test_an_image_is_compared_with_texts(run: Place, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), (200, 0, 0)).save(tmp_path / "x.png")
    asked, image = Asked(checkpoint(run, "processed")), opened_image(tmp_path / "x.png")
    found = fits(asked, image, ["a red disc", "a blue ring"])
    assert {each.text for each in found} == {"a red disc", "a blue ring"}
    assert found[0].score >= found[1].score
    text = compared_page(found, image, "<b>", how=asked.how_mapped)
    assert text.count("data:image/jpeg") == 1 + sum(each.heat is not None for each in found)
    assert "<b>0" in text or "<b>-0" in text
    assert "model &lt;b&gt;" in text


def test_what_cannot_be_asked_is_said(run: Place, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--top 0"):
        search(Config(), run, "x", name="processed", split="", top=0)
    with pytest.raises(UserError, match="no pair in split val"):
        search(Config(), run, "x", name="processed", split="val", top=1)
    with pytest.raises(UserError, match="no model other"):
        search(Config(), run, "x", name="other", split="", top=1)
    with pytest.raises(SettingError, match="name words or an image"):
        search(Config(), run, " ", name="processed", split="", top=1)
    with pytest.raises(UserError, match=r"missing\.png: there is no such file"):
        search(Config(), run, "missing.png", name="processed", split="", top=1)
    with pytest.raises(SettingError, match="none that is empty"):
        refuse_texts(["a", ""])
    (tmp_path / "x.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"x\.png: none of"):
        opened_image(tmp_path / "x.png")


def test_the_commands(run: Place, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["search", run.uri, "a red disc", "--top", "2", "--json"])
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout.splitlines()[-1])) == 2
    assert (run / "search.html").exists()
    Image.new("RGB", (40, 30), (200, 0, 0)).save(tmp_path / "x.png")
    done = CliRunner().invoke(cli, ["compare", str(tmp_path / "x.png"), "a disc", "a ring", "--run", run.uri, "--json"])
    assert done.exit_code == 0, done.output
    assert [row["text"] for row in json.loads(done.stdout.splitlines()[-1])]
    assert (run / "compare.html").exists()


def test_vectors_are_made_once(run: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = search(Config(), run, "a red disc", name="processed", split="", top=5)
    monkeypatch.setattr(Asked, "file", None)  # would be called for a file that is not encoded yet
    again = search(Config(), run, "a red disc", name="processed", split="", top=5)
    assert [hit.row["pair_id"] for hit in again] == [hit.row["pair_id"] for hit in first]
