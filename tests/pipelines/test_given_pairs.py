"""Tables of a user's own as pairs."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.rejection import RejectionError
from pipelines.given_pairs import pair_of
from pipelines.given_rows import Given, GivenPair, given, work_of

TEXTS = ["Axial CT of the brain.", "Sagittal MRI."]


def png(grey: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (grey, grey, grey)).save(file, "PNG")
    return file.getvalue()


def works(found: Given) -> list[GivenPair]:
    assert found.few is not None
    return [work_of(row.value) for row in found.few]


def pairs_of(found: Given) -> list[tuple[str, str, str, str]]:
    made = [pair_of(work, root=found.root, seed=0, val=0.0, test=0.0) for work in works(found)]
    assert all((pair.width, pair.height, pair.matched_by) == (40, 30, "given") for pair in made)
    return [(pair.text, pair.article_id, pair.split, pair.modality) for pair in made]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "img").mkdir()
    for number in range(2):
        (tmp_path / "img" / f"{number}.png").write_bytes(png(90 + number))
    return tmp_path


def test_a_csv_by_names_that_are_found(images: Path) -> None:
    rows = "".join(f"img/{k}.png,{text},P{k},validation\n" for k, text in enumerate(TEXTS))
    (images / "table.csv").write_text("file_name,caption,PMCID,split\n" + rows)
    assert pairs_of(given(images / "table.csv", {})) == [
        (TEXTS[0], "P0", "val", "CT"),
        (TEXTS[1], "P1", "val", "MRI"),
    ]


def test_columns_by_names_that_are_given(images: Path) -> None:
    rows = [{"where": f"img/{k}.png", "said": text, "n": k} for k, text in enumerate(TEXTS)]
    (images / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = given(images, {"image": "where", "text": "said", "id": "n"})
    assert [work.id for work in works(found)] == ["0", "1"]
    assert [text for text, *_ in pairs_of(found)] == TEXTS


def test_parquet_as_hugging_face_writes_it(tmp_path: Path) -> None:
    rows = [{"image": {"bytes": png(k), "path": None}, "text": text} for k, text in enumerate(TEXTS)]
    (tmp_path / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / "train-0.parquet", row_group_size=1)
    assert [text for text, *_ in pairs_of(given(tmp_path, {}))] == TEXTS


def test_webdataset(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "test-0.tar", "w") as tar:
        for number, text in enumerate(TEXTS):
            facts = json.dumps({"article_id": f"P{number}"}).encode()
            for suffix, data in (("png", png(number)), ("txt", text.encode()), ("json", facts)):
                info = tarfile.TarInfo(f"s{number}.{suffix}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    assert pairs_of(given(tmp_path / "test-0.tar", {})) == [
        (TEXTS[0], "P0", "test", "CT"),
        (TEXTS[1], "P1", "test", "MRI"),
    ]


def test_a_row_without_text_or_image_costs_itself(images: Path) -> None:
    (images / "t.csv").write_text("image,text\nimg/0.png,\n,Words\nimg/none.png,Words\n../x.png,Words\nimg/1.png,Yes\n")
    found = given(images / "t.csv", {})
    codes = []
    for work in works(found):
        try:
            pair_of(work, root=found.root, seed=0, val=0, test=0)
            codes.append("")
        except RejectionError as error:
            codes.append(error.code)
    assert codes == ["no_text", "missing_image", "unreadable", "unreadable", ""]


def test_groups_with_dots_are_divided_as_others_are(images: Path) -> None:
    (images / "t.csv").write_text("image,text,group\n" + "".join(f"img/0.png,CT.,1.2.840.{k}\n" for k in range(12)))
    found = given(images / "t.csv", {"id": "group"})
    splits = {pair_of(work, root=found.root, seed=0, val=0.3, test=0.3).split for work in works(found)}
    assert splits == {"train", "val", "test"}
