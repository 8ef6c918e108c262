"""The Ray that takes one job: it starts or says why not, and never outlives what started it."""

import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from app.jobs.local_head import local_head
from core.cluster import ClusterError
from core.settings import ClusterSettings


def test_a_head_that_cannot_start_says_so_in_rays_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    too_deep = tmp_path / ("x" * 120)  # for the Unix sockets that Ray puts below its folder
    too_deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(too_deep))
    with (
        pytest.raises(ClusterError, match=r"^Ray did not start on this machine: .*AF_UNIX"),
        local_head(ClusterSettings()),
    ):
        pass


@pytest.mark.ray
@pytest.mark.cluster
def test_a_head_ends_with_a_process_that_is_killed() -> None:
    program = (
        "import sys, time; from app.jobs.local_head import local_head; from core.settings import ClusterSettings\n"
        "with local_head(ClusterSettings()) as address: print(address, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert owner.stdout and owner.stdout.readline().startswith("http://127.0.0.1:")
    started = psutil.Process(owner.pid).children(recursive=True)
    assert started
    owner.kill()
    owner.wait()
    # Ray's agents look for their head for a minute before they give up.
    assert not psutil.wait_procs(started, timeout=150)[1]
