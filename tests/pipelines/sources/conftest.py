"""A small corpus that is served on loopback as NCBI, Europe PMC and the PMC Cloud answer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.settings import SourceSettings
from phantom.pmc.server import Served, serve


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, draw_corpus: Callable[..., None]) -> Path:
    """Forty synthetic articles, one of each fate at least."""
    folder = tmp_path_factory.mktemp("corpus")
    draw_corpus(folder, articles=40, seed=0)
    return folder


@pytest.fixture(scope="session")
def served(corpus: Path) -> Iterator[Served]:
    with serve(corpus / "bucket") as there:
        yield there


@pytest.fixture
def there(served: Served) -> SourceSettings:
    """Settings by which the served corpus is asked."""
    urls = {name.removeprefix("source."): url for name, url in served.settings.items()}
    return SourceSettings(**urls, esearch_per_second=1000, bucket_per_second=1000)
