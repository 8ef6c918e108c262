"""Europe PMC's cursor, to its end."""

import pytest

from core.settings import SourceSettings
from pipelines.sources import europepmc
from pipelines.sources.pmc import open_transport


def test_pages_along_the_cursor_join_to_the_whole(there: SourceSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    source = there.model_copy(update={"index": "europepmc"})
    transport = open_transport(source)
    whole = europepmc.ids(source, transport, "OPEN_ACCESS:y")
    monkeypatch.setattr(europepmc, "PAGE", 7)
    assert europepmc.ids(source, transport, "OPEN_ACCESS:y") == whole and len(whole) > 21
    assert europepmc.count(source, transport, "OPEN_ACCESS:y") == len(whole)
    assert europepmc.ids(source, transport, "OPEN_ACCESS:y", wanted=5) == whole[:5]


def test_a_field_that_it_does_not_know_finds_nothing(there: SourceSettings) -> None:
    source = there.model_copy(update={"index": "europepmc"})
    assert europepmc.ids(source, open_transport(source), 'LEGEND:"brain"') == []
