"""The bucket's inventory: its newest report, and what changed since."""

from pathlib import Path

import pytest

from pipelines.sources.folder import FolderBucket
from pipelines.sources.inventory import PREFIX, newest
from pipelines.sources.transport import FetchError


def test_a_folder_without_reports_has_no_inventory(corpus: Path) -> None:
    assert newest(FolderBucket(corpus / "bucket")) is None


def test_the_newest_of_several_is_taken_and_a_broken_one_is_named(tmp_path: Path) -> None:
    for day in ("2026-11-01T01-00Z", "2026-11-03T01-00Z", "2026-11-02T01-00Z"):
        (tmp_path / PREFIX / day).mkdir(parents=True)
        (tmp_path / PREFIX / day / "manifest.json").write_text('{"files": [{"key": "a.csv.gz"}]}')
    report = newest(FolderBucket(tmp_path))
    assert report is not None and (report.made, report.files) == ("2026-11-03T01-00Z", ("a.csv.gz",))
    (tmp_path / PREFIX / "2026-11-04T01-00Z").mkdir()
    (tmp_path / PREFIX / "2026-11-04T01-00Z" / "manifest.json").write_text("[]")
    with pytest.raises(FetchError, match=r"2026-11-04T01-00Z/manifest\.json is not an inventory"):
        newest(FolderBucket(tmp_path))
