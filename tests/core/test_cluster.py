"""Local Ray: what is refused before it starts, and what it listens on."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import ray

from core import cluster
from core.cluster import (
    ClusterError,
    RayNotStarted,
    cause_in,
    demands,
    local_cpus,
    nodes,
    patience,
    preflight,
    refuse_missing_weights,
)
from core.config import load
from core.settings import ClusterSettings, Config


def test_local_ray_has_four_logical_cpus_however_few_cores_there_are() -> None:
    assert local_cpus(ClusterSettings()) == max(4, os.cpu_count() or 1)
    assert local_cpus(ClusterSettings(cpus=1)) == 1


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_the_default_settings_fit_machines_of_few_logical_cpus(cpus: int) -> None:
    preflight(demands(Config()), cpus=cpus, gpus=0)


@pytest.mark.parametrize(
    ("setting", "job", "advice"),
    [
        ("tables.readers=[4, 4]", "separate", "tables.readers"),
        ("tables.task_cpus=2", "collect", "tables.task_cpus"),
        ("train.workers=2", "train", "train.workers"),
    ],
)
def test_what_would_hang_is_refused_with_advice(setting: str, job: str, advice: str) -> None:
    with pytest.raises(ClusterError, match=rf"^{job} holds .* lower .*{advice}.* or raise cluster\.cpus"):
        preflight(demands(load(None, [setting])), cpus=1, gpus=0)


def test_a_cluster_that_grows_is_given_the_time_that_a_node_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ClusterSettings(progress_timeout=300)
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4.0})
    assert nodes("pipelines") == {} and patience(settings) == 300
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"figray": 1.0})  # the head of cluster.yaml alone
    assert nodes("pipelines") == {"pipelines": 0.001} and patience(settings) == 1500


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(ClusterError, match=r"train needs 1 GPUs.*train\.gpu=false"):
        preflight(demands(load(None, ["train.gpu=true"])), cpus=4, gpus=0)


PROGRAM = """
from core.cluster import connect, disconnect
from core.config import load
connect(load(None, ["cluster.cpus=1"]))
import os, ray, subprocess, urllib.request, urllib.error
print("token", oct(os.stat(os.environ["RAY_AUTH_TOKEN_PATH"]).st_mode & 0o777))
print("cpus", ray.cluster_resources()["CPU"])
import psutil
ours = [psutil.Process(), *psutil.Process().children(recursive=True)]
print("listens", sorted({c.laddr.ip for p in ours for c in p.net_connections("tcp") if c.status == "LISTEN"}))
url = ray.worker.global_worker.node.address_info["webui_url"]
try:
    urllib.request.urlopen(f"http://{url}/api/jobs/")
except urllib.error.HTTPError as error:
    print("without token", error.code)
disconnect()
"""


@pytest.mark.ray
def test_local_ray_listens_on_loopback_only_and_asks_for_its_own_token(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, timeout=280)
    assert said.returncode == 0, said.stderr
    assert "token 0o600" in said.stdout
    assert "cpus 1.0" in said.stdout
    assert re.search(r"listens \[('127\.0\.0\.1'|, |'::1'|'::ffff:127\.0\.0\.1')+\]", said.stdout), said.stdout
    assert "without token 401" in said.stdout
    token = tmp_path / "figray" / "ray_token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert not (tmp_path / ".ray").exists()


def test_a_ray_that_was_imported_too_soon_is_said_at_once() -> None:
    said = run_alone(
        "import ray; from core.cluster import connect; from core.settings import Config; connect(Config())"
    )
    assert "import it after core.cluster.connect()" in said


def run_alone(code: str) -> str:
    """What a process of its own says that has nothing of Ray's in its environment."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True).stderr


@pytest.mark.parametrize("setting", ["separate.weights", "labels.weights"])
def test_weights_that_are_not_there_are_said_before_ray_starts(setting: str) -> None:
    with pytest.raises(ClusterError, match=f"{setting}: there is no /nowhere"):
        refuse_missing_weights(load(None, [f"{setting}=/nowhere"]))
    with pytest.raises(ClusterError, match=r"figures are read by a \.onnx file"):
        refuse_missing_weights(load(None, [f"separate.weights={__file__}"]))
    refuse_missing_weights(load())


def test_a_start_that_fails_is_tried_again_with_longer_limits_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits, left, name = list[str](), list[subprocess.Popen[bytes]](), "RAY_raylet_start_wait_time_s"
    for each, limit in cluster.LIMITS.items():
        monkeypatch.setenv(each, str(limit))

    def fail_once(_: ClusterSettings, temporary: str) -> None:
        waits.append(os.environ[name])
        if len(waits) == 1:
            # Its command names the folder a moment later, as that of a process whose program is still being loaded.
            left.append(
                subprocess.Popen(
                    ["sh", "-c", 'sleep 0.3; exec "$0" -c "import time; time.sleep(60)" "$FOLDER"', sys.executable],
                    env=os.environ | {"FOLDER": temporary},
                )
            )
            raise Exception("The current node timed out during startup.")  # what Ray raises

    monkeypatch.setattr(cluster, "_init", fail_once)
    cluster._start_local(ClusterSettings())
    assert waits == ["120", "240"]
    assert left[0].wait(10) < 0


def test_a_ray_that_does_not_start_says_what_its_log_blames_and_where_that_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def fail(_: ClusterSettings, temporary: str) -> None:
        logs = Path(temporary) / "session_2026" / "logs"
        logs.mkdir(parents=True)
        (logs / "gcs_server.out").write_text("[2026 I 7 7] begins\n")
        (logs / "raylet.out").write_text("[2026 I 7 7] begins\n[2026-11-29 C 7 7] agent did not register\nends\n")
        raise Exception("The current node timed out")

    monkeypatch.setattr(cluster, "_init", fail)
    with pytest.raises(RayNotStarted, match=r"in 3 tries: raylet\.out: .*agent did not register \(the load is") as told:
        cluster._start_local(ClusterSettings())
    assert "\n" not in str(told.value) and str(tmp_path) in str(told.value)
    assert (tmp_path / "figray" / "ray_logs" / "raylet.out").exists()
    assert cause_in(tmp_path / "nowhere", ValueError("no  such\nthing")) == "no such thing"
