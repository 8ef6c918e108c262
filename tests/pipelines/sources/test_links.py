"""PubMed ids to PMC ids by two services."""

import pytest

from core.settings import SourceSettings
from phantom.pmc.server import Served
from pipelines.sources.links import BATCH, eutil, pmc_ids
from pipelines.sources.pmc import open_transport


@pytest.mark.parametrize("links", ["elink", "idconv"])
def test_each_id_gets_the_article_of_its_own_or_none(there: SourceSettings, served: Served, links: str) -> None:
    source = there.model_copy(update={"links": links})
    before = len(served.requests)
    pmids = ["30000003", "30000001", "99", *(str(number) for number in range(1, BATCH))]
    found = pmc_ids(source, open_transport(source), pmids)
    assert found == {"30000003": "PMC9000003", "30000001": "PMC9000001"}
    assert len(served.requests) - before == 2  # in batches


def test_no_ids_ask_nothing(there: SourceSettings) -> None:
    assert pmc_ids(there, open_transport(there), []) == {}


def test_the_e_utilities_stand_beside_each_other() -> None:
    assert eutil(SourceSettings(), "elink").endswith("/entrez/eutils/elink.fcgi")
