"""Each test here runs in a pytest of its own that sees no processes and no network but its own, and may kill them.

Ray finds and stops other Rays of a machine by their processes and ports; so what a test starts ends with it, and
nothing that it starts can meet another user's Ray.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow.fs import FileSystem

from phantom.pmc.corpus import write_corpus
from phantom.pmc.server import serve
from tests.cluster.nodes import Nodes, wait_for

ALONE = ("unshare", "--pid", "--fork", "--mount-proc", "--net", "--uts", "--kill-child")
INSIDE = "FIGRAY_TESTED_ALONE"
SECONDS = 600  # of one test; a minute or so on a quiet machine
ARTICLES, PARTS = 12, 6


def pytest_itemcollected(item: pytest.Item) -> None:
    """Outside nothing is prepared: a test's fixtures are made where it runs."""
    item.add_marker(pytest.mark.timeout(SECONDS + 30))
    if INSIDE not in os.environ:
        item.fixturenames.clear()  # type: ignore[attr-defined]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run the test alone, in a pytest of its own; its output is the failure's text."""
    if INSIDE in os.environ:
        return None
    if os.geteuid() or subprocess.run([*ALONE, "ip", "link", "set", "lo", "up"], capture_output=True).returncode:
        pytest.skip("needs root, `unshare` and `ip`, for processes and a network of its own")
    temporary = tempfile.mkdtemp(prefix="fr-")  # short: Ray puts Unix sockets below it
    try:
        _run_alone(pyfuncitem, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def _run_alone(test: pytest.Function, temporary: str) -> None:
    inner = [sys.executable, "-m", "pytest", test.nodeid, "-m", "cluster", "-p", "no:cacheprovider", "-p", "no:logging"]
    inner += ["--basetemp", f"{temporary}/pytest", "--color=no"]
    environment = {
        INSIDE: "1",
        "TMPDIR": temporary,
        "RAY_TMPDIR": temporary,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",  # nodes may join; there is no network here but loopback
        "RAY_health_check_period_ms": "1000",  # a node that died is missed after seconds
        "OMP_NUM_THREADS": "1",
    }
    command = [*ALONE, "bash", "-c", 'hostname localhost && ip link set lo up && exec "$@"', "bash", *inner]
    with Path(temporary, "output").open("w+", encoding="utf-8", errors="replace") as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | environment,
                cwd=test.config.rootpath,
                timeout=SECONDS,
            )
            ended = "" if done.returncode == 0 else f"it ended with {done.returncode}"
        except subprocess.TimeoutExpired:
            ended = f"it took longer than {SECONDS} seconds"
        output.seek(0)
        told = output.read()
    if ended:
        pytest.fail(f"{ended}\n{told}", pytrace=False)
    if "1 passed" not in told:
        pytest.skip(told)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Settings by which a few drawn case reports are collected from loopback, as PubMed Central serves them."""
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, articles=ARTICLES, seed=0)
    with serve(folder / "bucket") as there:
        yield [
            *(f"{name}={url}" for name, url in there.settings.items()),
            f"tables.parts={PARTS}",
        ]


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """A head that runs no work; a test adds the nodes that do."""
    from core.cluster import disconnect

    cluster = Nodes()
    yield cluster
    disconnect()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of an empty bucket on moto's S3; to be had before the nodes, whose environment tells them where it is."""
    environment = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5055",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    command = str(Path(sys.executable).with_name("moto_server"))
    server = subprocess.Popen([command, "-H", "127.0.0.1", "-p", "5055"], stderr=subprocess.DEVNULL)
    wait_for(_bucket_made, seconds=120, what="moto's server")
    yield "s3://figray"
    server.kill()


def _bucket_made() -> bool:
    filesystem, bucket = FileSystem.from_uri("s3://figray?allow_bucket_creation=true")
    try:
        filesystem.create_dir(bucket)
    except OSError:
        return False
    return True
