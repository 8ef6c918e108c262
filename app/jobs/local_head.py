"""A Ray head on this machine to which jobs are submitted, by `ray start`; for the time of one job.

connect() starts Ray by ray.init, which gives the agent that begins jobs one fixed port: of two Rays on a machine only
the first would take jobs. Here every port is free, and all of them are on loopback.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.cluster import ClusterError, local_cpus, local_environment
from core.settings import ClusterSettings

PATIENCE = 120  # seconds until its dashboard answers; on a quiet machine it takes 8


@contextmanager
def local_head(settings: ClusterSettings) -> Iterator[str]:
    """The address of a head's dashboard; the head ends with the context, and with this process whatever ends it."""
    local_environment()
    from ray._private.utils import set_kill_on_parent_death_linux

    # Short: Ray puts Unix sockets below it.
    with tempfile.TemporaryDirectory(prefix="fr-", ignore_cleanup_errors=True) as folder:
        port, said = _free_port(), Path(folder, "start.log")
        with said.open("w") as log:
            head = subprocess.Popen(
                _command(settings, port, folder),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C at the terminal stops the job first
                preexec_fn=set_kill_on_parent_death_linux if sys.platform == "linux" else None,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        try:
            _await(head, port, said)
            yield f"http://127.0.0.1:{port}"
        finally:
            head.terminate()
            head.wait()


def _command(settings: ClusterSettings, port: int, folder: str) -> list[str]:
    """`ray start` with no port that another Ray may have; 0 is any free one."""
    return [
        *(str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--temp-dir={folder}"),
        *(f"--num-cpus={local_cpus(settings)}", f"--object-store-memory={settings.object_store}"),
        *("--node-ip-address=127.0.0.1", "--port=0", f"--ray-client-server-port={_free_port()}"),
        *("--dashboard-host=127.0.0.1", f"--dashboard-port={port}", "--dashboard-agent-listen-port=0"),
    ]


def _await(head: subprocess.Popen[bytes], port: int, said: Path) -> None:
    """Wait until the dashboard listens; ClusterError with Ray's last words if it ends or takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and head.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    last = said.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    raise ClusterError(f"Ray did not start on this machine: {last or 'it said nothing'}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
