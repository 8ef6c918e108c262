"""What several tests need: the real material where it stands beside the project, and one local Ray for all."""

import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.cluster import local_environment

os.environ.setdefault("OMP_NUM_THREADS", "1")  # on shared cores a second thread of torch spins at every barrier
local_environment()  # some tests import ray long before one starts it

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real articles and figures; skips the test, saying so, where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the real material in ../shared")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that share local Ray come last: none of the others, which may start their own, has it beside itself."""
    items.sort(key=lambda item: "local_ray" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def ray_of_all() -> Iterator[None]:
    """Whatever Ray tests have shared ends with them."""
    from core.cluster import disconnect

    yield
    disconnect()


@pytest.fixture
def local_ray(ray_of_all: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local Ray as the commands start it, one for all tests; commands that a test types in this process leave it."""
    from core.cluster import connect
    from core.settings import Config

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    connect(Config())
    monkeypatch.setattr("core.cluster.disconnect", lambda: None)
    from ray.data import DataContext

    # Of a shuffle: Ray would start one for each logical CPU, of which there are four on two cores.
    DataContext.get_current().max_hash_shuffle_aggregators = 2
    yield
    for number, handler in handlers.items():  # commands take them for themselves, and so does Ray
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def draw_corpus() -> Callable[..., None]:
    """write_corpus(folder, articles=, seed=) in this process, where no article is drawn twice."""
    from phantom.pmc import corpus

    drawn = cache(corpus.draw_article)

    def draw(folder: Path, *, articles: int, seed: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(corpus, "draw_article", drawn)
            corpus.write_corpus(folder, articles=articles, seed=seed, processes=1)

    return draw


@pytest.fixture(scope="session")
def made_up_trial() -> Callable[..., dict[str, Any]]:
    """A sweep's row: by its id, settings and metrics; whatever else it is to be, by name."""

    def row(trial: str, settings: Mapping[str, Any], metrics: Mapping[str, float], **other: Any) -> dict[str, Any]:
        curve = [{"step": 100, **metrics}] if metrics else []
        plain = {"status": "finished", "starts": 1, "step": 100, "seconds": 60.0, "curve": curve, "error": ""}
        return {"trial": trial, "settings": dict(settings), "metrics": dict(metrics)} | plain | other

    return row


@pytest.fixture(scope="session")
def storage_server() -> Iterator[str]:
    """The address of an S3 on loopback, played by moto, in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(storage_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of a new bucket there, and an environment that reaches it, as users have one."""
    import boto3

    reached = {"AWS_ENDPOINT_URL": storage_server, "AWS_EC2_METADATA_DISABLED": "true"}
    reached |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    reached |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "us-east-1")
    for name, value in reached.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{secrets.token_hex(4)}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"
