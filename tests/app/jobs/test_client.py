"""Jobs: what Ray packs of a folder, and, on a Ray head with token authentication, what a user sees of a job."""

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.jobs.client import client_of, packed
from app.jobs.local_head import local_head
from app.jobs.submission import EXCLUDED, LIMIT, JobError, hiding
from core.settings import ClusterSettings

FIGRAY = str(Path(sys.executable).with_name("figray"))
ROOT = Path(__file__).resolve().parents[3]


def test_what_is_said_to_be_packed_is_what_ray_packs(tmp_path: Path) -> None:
    from ray._private.runtime_env.packaging import create_package

    tree = tmp_path / "tree"
    for name in ("app/cli.py", "core/config.py", "pyproject.toml",
                 "app/runs/x.py", "runs/big.bin", "data/x", "a/.venv/x", ".git/x", "a/__pycache__/x.pyc",
                 ".pytest_cache/x", ".env", "my.pem", "ignored.txt", "a/scans/x.png", "a b.txt"):  # fmt: skip
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"12345")
    (tree / ".gitignore").write_text("ignored.txt\nscans/\n")
    create_package(str(tree), tmp_path / "tree.zip", include_gitignore=True, excludes=list(EXCLUDED))
    with zipfile.ZipFile(tmp_path / "tree.zip") as package:
        by_ray = {info.filename: info.file_size for info in package.infolist() if not info.is_dir()}
    assert packed(tree) == by_ray
    assert set(by_ray) == {"core/config.py", "pyproject.toml", "app/cli.py", "app/runs/x.py", "a b.txt", ".gitignore"}


def test_of_another_tree_what_would_hide_figray_is_left_out(tmp_path: Path) -> None:
    for name in ("app/__init__.py", "core/x.py", "tuning.py", "scans/app/x.png", "core.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert set(packed(tmp_path)) == {"scans/app/x.png", "core.txt"}
    assert hiding(tmp_path) == ["app", "core", "tuning.py"]
    assert hiding(ROOT) == []


def test_this_tree_fits_and_has_what_a_job_needs() -> None:
    files = packed(ROOT)
    assert {"app/cli.py", "pipelines/separation/weights/separator.onnx", "core/recipes/demo.yaml"} <= set(files)
    assert not any(name.startswith((".git/", ".venv/", "runs/")) or "__pycache__" in name for name in files)
    assert sum(files.values()) < LIMIT / 10


class Answers(http.server.BaseHTTPRequestHandler):
    """A server on loopback that knows one path, the version, and forbids all others."""

    version: bytes

    def do_GET(self) -> None:
        known = self.path == "/api/version"
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(self.version if known else b"Forbidden")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def test_an_address_at_which_nothing_or_no_ray_answers_is_named(server: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(JobError, match=f"nothing answers at {nowhere}"):
        client_of(nowhere)
    Answers.version = b"<html>It works</html>"
    with pytest.raises(JobError, match="is no Ray dashboard"):
        client_of(server)


def test_a_refused_token_says_where_it_was_taken_from(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "")  # client_of sets it; this puts it back
    Answers.version = json.dumps({"ray_version": ray.__version__}).encode()
    with pytest.raises(JobError, match=re.escape(f"the token of {os.environ['RAY_AUTH_TOKEN_PATH']}")):
        client_of(server)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Ray head with token authentication, on loopback; what its clients set."""
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text("0123456789abcdef" * 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
        patch.setenv("PATH", f"{Path(FIGRAY).parent}:{os.environ['PATH']}")  # where a job's python is
        patch.delenv("RAY_ADDRESS", raising=False)
        with local_head(ClusterSettings()) as address:
            yield {**os.environ, "RAY_API_SERVER_ADDRESS": address}


def figray(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FIGRAY, *words], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=280)


def job_named_in(text: str) -> str:
    found = re.search(r"^job (\S+):", text, re.MULTILINE)
    assert found, text
    return found[1]


@pytest.mark.ray
@pytest.mark.cluster
def test_a_jobs_log_and_exit_code_come_through(head: dict[str, str]) -> None:
    said = figray("submit", "--", "config", "mlip-phantom", environment=head)
    assert said.returncode == 0, said.stderr
    assert figray("config", "mlip-phantom", environment=head).stdout in said.stdout
    assert "packed" in said.stderr and "succeeded, exit code 0" in said.stderr
    job = job_named_in(said.stderr)
    assert figray("logs", job, environment=head).stdout == said.stdout
    assert "succeeded, exit code 0" in figray("status", job, environment=head).stdout


@pytest.mark.ray
@pytest.mark.cluster
def test_a_wrong_setting_ends_job_and_command_with_2(head: dict[str, str]) -> None:
    said = figray("submit", "--", "config", "--set", "optim.lrr=1", environment=head)
    assert said.returncode == 2
    assert "no setting 'optim.lrr'" in said.stdout
    assert "failed, exit code 2" in said.stderr
    assert re.search(r"FAILED .* 2 +figray config --set optim.lrr=1", figray("status", environment=head).stdout)


@pytest.mark.ray
@pytest.mark.cluster
def test_without_the_right_token_nothing_is_told(head: dict[str, str]) -> None:
    said = figray("submit", "--", "config", environment={**head, "RAY_AUTH_TOKEN": "f" * 64})
    assert said.returncode == 2
    assert "refuses the token of RAY_AUTH_TOKEN" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.ray
@pytest.mark.cluster
def test_a_job_that_is_not_there_is_said_in_a_sentence(head: dict[str, str]) -> None:
    for command in (["logs", "train-0"], ["logs", "train-0", "--follow"], ["stop", "train-0"], ["status", "train-0"]):
        said = figray(*command, environment=head)
        assert said.returncode == 2
        assert "knows no job train-0" in said.stderr
        assert "Traceback" not in said.stderr


@contextlib.contextmanager
def waiting_job(environment: dict[str, str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`figray submit` of a job that waits, its figures asked for at a port that never answers; and what it said."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = f"bucket:http://127.0.0.1:{silent.getsockname()[1]}"
        words = ["collect", "--run", f"file://{folder}/run", "--source", source, "--set", "select.keyword=x"]
        submitting = subprocess.Popen(
            [FIGRAY, "submit", "--", *words], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        assert submitting.stderr
        said = ""
        while "dashboard:" not in said:
            said += (line := submitting.stderr.readline())
            assert line, said
        time.sleep(2)
        yield submitting, said


@pytest.mark.ray
@pytest.mark.cluster
def test_ctrl_c_leaves_a_clusters_job_and_stop_ends_it(head: dict[str, str], tmp_path: Path) -> None:
    with waiting_job(head, tmp_path) as (submitting, said):
        submitting.send_signal(signal.SIGINT)
        rest = submitting.communicate(timeout=60)[1]
        job = job_named_in(said)
        assert submitting.returncode == 130
        assert f"figray stop {job}" in rest and "goes on" in rest
        assert re.search("running|pending", figray("status", job, environment=head).stdout)
        assert f"{job}: stopped" in figray("stop", job, environment=head).stderr
        assert "had ended before: stopped" in figray("stop", job, environment=head).stderr
        assert figray("logs", job, "--follow", environment=head).returncode == 143


@pytest.mark.ray
@pytest.mark.cluster
def test_without_an_address_ctrl_c_stops_the_job_and_the_ray_that_was_started(tmp_path: Path) -> None:
    alone = {name: value for name, value in os.environ.items() if name not in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS")}
    with waiting_job(alone, tmp_path) as (submitting, said):
        assert "starting Ray on this machine" in said
        started = psutil.Process(submitting.pid).children(recursive=True)
        submitting.send_signal(signal.SIGINT)
        assert f"{job_named_in(said)}: stopped" in submitting.communicate(timeout=120)[1]
    assert submitting.returncode == 130
    assert not psutil.wait_procs(started, timeout=20)[1]


@pytest.mark.ray
@pytest.mark.cluster
def test_a_folder_with_an_app_of_its_own_runs_the_installed_figray_workers_included(tmp_path: Path) -> None:
    for name in ("app", "core"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "in.json").write_text(json.dumps([{"id": "1", "caption": "(A) Axial CT. (B) Sagittal MRI."}]))
    words = [FIGRAY, "submit", "--", "split-captions", "in.json", str(tmp_path / "out.json")]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert said.returncode == 0, said.stderr
    assert len(json.loads((tmp_path / "out.json").read_text())[0]["subcaptions"]) == 2
    assert "left out, for Python would take it for figray's own: app, core" in said.stderr
