"""A shuffle deals rows as one process does."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from app import given as of_tables
from app.pointers_back import parts_for, read_pointers
from core.config import UserError
from core.places import Place
from core.settings import Config
from pipelines.dealing import SCRATCH, Dealt, PartsFor, Source, values_of
from pipelines.given_rows import given

POINTER = {
    "split": "train", "media_url": "https://x/é", "md5": "m", "box": [0, 0, 9, 9], "pixels_md5": "p",
    "caption_sha256": "c", "pieces": [[0, 3], "x"], "text_sha256": "t", "label": None, "matched_by": "letter",
    "score": 0.5, "reason": "", "licence": "CC0", "attribution": "", "kind": "picture", "modality": "CT",
}  # fmt: skip


def write_table(folder: Path) -> None:
    """Rows of three files, one of them empty; some ids are in two of them, and in two groups."""
    folder.mkdir()
    (folder / "b.jsonl").touch()
    for name, begin in (("a", 0), ("c", 590)):
        rows = [
            {
                "id": k,
                "image": "x",
                "text": f"é\u2028 {k}",
                "group": f"g{k * begin % 41}",
                "split": "val" if k % 3 else "",
            }
            for k in range(begin, begin + 610)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))


def write_pointers(folder: Path, second: str = "") -> None:
    """120 pointers to 50 articles in two files, and a second one to some pair."""
    folder.mkdir()
    (folder / "export.json").write_text('{"form": "pointers", "table": "pairs"}')
    names = [(f"PMC{100 + k * 7 % 50}.1", f"/fig.{k}") for k in range(120)]
    told = [{"pair_id": f"{a}{f}#0", "figure_id": f"{a}{f}", "article_id": a, **POINTER} for a, f in names]
    lines = [json.dumps(each) for each in told]
    for begin, name in enumerate(("test", "train")):
        (folder / f"{name}.jsonl").write_text("\n".join([*lines[begin::2], *([lines[0]] if name == second else [])]))


def by_shuffle(source: Source, parts: PartsFor, run: Place) -> tuple[Dealt, list[list[object]]]:
    from pipelines.dealing_on_ray import dealt

    with dealt(source, parts, Config(), run) as found:
        values = [values_of(each) for each in found.slices]
    assert not (run / SCRATCH).exists()
    return found, values


@pytest.mark.ray
def test_parts_of_a_shuffle_are_those_of_one_process(
    local_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.dealing_on_ray.GROUPED", 500)
    run = Place.at(tmp_path / "run")
    write_table(tmp_path / "table")
    write_pointers(tmp_path / "pointers")
    few, pointers = given(tmp_path / "table", {}), read_pointers(tmp_path / "pointers")
    cases: list[tuple[Source, Source, PartsFor]] = [
        (few, replace(few, few=None), of_tables.parts_for),
        (pointers, replace(pointers, few=None), partial(parts_for, config=Config())),
    ]
    for source, same, parts in cases:
        here, expected = by_shuffle(source, parts, run)
        there, values = by_shuffle(same, parts, run)
        assert [(each.part, each.inputs) for each in there.slices] == [(each.part, each.inputs) for each in here.slices]
        assert values == json.loads(json.dumps(expected)) and all(not each.rows for each in there.slices)
        assert (there.rows, there.counts) == (here.rows, here.counts)
    write_pointers(tmp_path / "twice", second="train")
    with pytest.raises(UserError, match=r"^[^\n]*train\.jsonl, line 61: a second pointer to PMC100\.1/fig\.0#0$"):
        by_shuffle(read_pointers(tmp_path / "twice", at_most=10), partial(parts_for, config=Config()), run)
    with (tmp_path / "table" / "c.jsonl").open("a") as file:
        file.write("\n{")
    with pytest.raises(UserError, match=r"^[^\n]*c\.jsonl, line 611, character 2: Expecting property name[^\n]*$"):
        by_shuffle(given(tmp_path / "table", {}, at_most=10), of_tables.parts_for, run)
    assert not (run / SCRATCH).exists()
