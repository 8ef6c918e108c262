"""What changed since a run was collected."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.changes import changes
from core.config import UserError, override
from core.places import Place
from core.settings import Config
from phantom.pmc.server import serve
from pipelines.sources.folder import FolderBucket
from pipelines.sources.inventory import Noted


def test_a_corrected_article_is_named(tmp_path: Path, draw_corpus: Callable[..., None]) -> None:
    draw_corpus(tmp_path / "corpus", articles=2, seed=0)
    bucket, run = tmp_path / "corpus" / "bucket", Place.at(tmp_path / "run")
    noted = Noted(FolderBucket(bucket))
    for key in noted.list("metadata/"):
        noted.get(key)
    (run / "figures" / "metadata-00000.json").write_json(noted.etags)
    first = sorted(noted.etags)[0]
    stated = json.loads((bucket / first).read_text())
    (bucket / first).write_text(json.dumps({**stated, "is_retracted": True}))
    with serve(bucket) as there:
        told = list(changes(override(Config(), there.settings), run))
    assert told[0].endswith(f"1 of {len(noted.etags)} versions changed or are gone")
    assert told[1].strip() == first.removeprefix("metadata/").removesuffix(".json")


def test_a_run_without_notes_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no notes of the metadata"):
        list(changes(Config(), Place.at(tmp_path)))
