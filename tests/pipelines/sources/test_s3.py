"""A bucket over HTTP: the same objects and listings as the folder that is served, through faults and pages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from phantom.pmc.faults import Faults
from phantom.pmc.server import Served, serve
from pipelines.sources.folder import FolderBucket
from pipelines.sources.s3 import HttpBucket
from pipelines.sources.transport import FetchError, Transport

KEYS = ["PMC1.1/PMC1.1.xml", "PMC1.1/g 1+&.jpg", "PMC1.2/PMC1.2.xml", "PMC11.1/PMC11.1.xml"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for key in KEYS:
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_text(key)
    return tmp_path


def bucket(served: Served) -> HttpBucket:
    transport = Transport([served.bucket_url], attempts=4, deadline=10, max_bytes=10**6, backoff=0.01)
    return HttpBucket(served.bucket_url, transport)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(FetchError) as refused:
        call()
    return refused.value.code


def test_objects_and_listings_are_those_of_the_folder(root: Path) -> None:
    folder = FolderBucket(root)
    with serve(root) as served:
        for key in KEYS:
            assert bucket(served).get(key) == folder.get(key)
        for prefix in ("PMC1.", "PMC1", "PMC1.1/", "PMC1.1/g", "none"):
            assert bucket(served).list(prefix) == folder.list(prefix)
        every = bucket(served).list("", delimiter="")
        assert [key for key in every if not key.startswith("inventory-reports/")] == sorted(KEYS)


def test_what_is_absent_is_gone_and_bad_keys_are_not_asked_for(root: Path) -> None:
    with serve(root) as served:
        assert refusal(lambda: bucket(served).get("PMC1.1/none.jpg")) == "gone"
        assert refusal(lambda: bucket(served).get("../PMC1.1/PMC1.1.xml")) == "bad_key"
        assert len(served.requests) == 1


def test_a_listing_of_many_pages_is_read_to_its_end(root: Path) -> None:
    (root / "metadata").mkdir()
    names = [f"metadata/{number:04}.txt" for number in range(2300)]
    for name in names:
        (root / name).touch()
    with serve(root) as served:
        assert bucket(served).list("metadata/") == names
        assert len(served.requests) == 3


def test_a_damaged_listing_is_asked_for_again(root: Path) -> None:
    with serve(root, faults=Faults(scripted={"/pmc-oa-opendata/": ("corrupted", "truncated")})) as served:
        assert bucket(served).list("PMC1.") == ["PMC1.1/", "PMC1.2/"]
        assert len(served.requests) == 3


def test_an_answer_that_is_no_listing_is_refused(root: Path) -> None:
    with serve(root) as served:
        transport = Transport([served.bucket_url], attempts=2, deadline=10, max_bytes=10**6, backoff=0.01)
        page = HttpBucket(f"{served.bucket_url}/PMC1.1/PMC1.1.xml?", transport)
        assert refusal(lambda: page.list("PMC1.")) == "not_a_listing"
