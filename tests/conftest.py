"""What several tests need: the real material where it stands beside the project, and one local Ray for all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cluster import local_environment

os.environ.setdefault("OMP_NUM_THREADS", "1")  # on shared cores a second thread of torch spins at every barrier
local_environment()  # some tests import ray long before one starts it

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real articles and figures; skips the test, saying so, where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the real material in ../shared")
    return SHARED


@pytest.fixture(scope="module")  # not longer: the commands that other tests run start their own
def local_ray() -> Iterator[None]:
    """Local Ray as the commands start it."""
    from app.cluster import connect, disconnect
    from app.settings import Config

    connect(Config())
    yield
    disconnect()
