"""Ray, local or a cluster: connect() and what must hold before a job starts (facts of Ray 2.60 in the comments)."""

import atexit
import contextlib
import logging
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from core.config import UserError
from core.places import Place
from core.settings import ClusterSettings, Config

NODE_STARTS = (
    1200  # seconds at most from ordering a node to its first work: some eight minutes, a second try among them
)
ENDINGS = 5  # looks for what a failed start has left, one second in all
TRIES = 3  # to start Ray here; each waits longer than the one before
# Ray's own limits for a start, which a busy machine misses; more than its defaults of 30 to 60 seconds.
LIMITS = {
    "RAY_raylet_start_wait_time_s": 120,
    "RAY_worker_register_timeout_seconds": 120,
    "RAY_agent_register_timeout_ms": 120_000,
    "RAY_gcs_server_request_timeout_seconds": 120,
    "RAY_DASHBOARD_STARTUP_TIMEOUT_S": 120,
}
IDLE, IDLE_MS = "RAY_idle_worker_killing_time_threshold_ms", 60_000  # the same in cluster.yaml and slurm/
LOGS = ("raylet.err", "raylet.out", "gcs_server.err", "gcs_server.out", "dashboard_agent.log", "dashboard.log")
BLAME = re.compile(r"\b[EFC] \d+ \d+\b|\b(?:ERROR|CRITICAL)\b|Check failed|[Nn]o space|[Pp]ermission denied")
SHARE = 0.001  # of a group's own resource; a node has more of them than it has tasks


class ClusterError(UserError):
    """The machines cannot do what the settings ask; the message says what to change."""


class RayNotStarted(ClusterError):
    """Ray did not start on this machine, as often as it was tried."""

    def __init__(self, cause: str, logs: Path | None) -> None:
        load = f"the load is {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
        kept = f"; Ray's own log is kept in {logs}" if logs else ""
        super().__init__(f"Ray did not start in {TRIES} tries: {cause} ({load}; try again when it is lower){kept}")


class Demand(NamedTuple):
    """What one job needs at the very least to make progress, in logical CPUs and GPUs held at the same time."""

    job: str
    settings: str  # the settings that decide it, for the advice
    cpus: float
    gpus: float = 0.0


def demands(config: Config) -> list[Demand]:
    """What each job asks for at the same time. Ray says nothing when it does not fit: it waits (ray issue 44687)."""
    tables, train, evaluate = config.tables, config.train, config.evaluate
    return [
        Demand("collect", "tables.task_cpus", tables.task_cpus),
        Demand("separate", "tables.readers, tables.reader_cpus", tables.readers[0] * tables.reader_cpus),
        Demand("pairs", "tables.task_cpus", tables.task_cpus),
        Demand("evaluate", "evaluate.actors, evaluate.actor_cpus", evaluate.actors[0] * evaluate.actor_cpus),
        Demand(
            "train",
            "train.workers, train.cpus_per_worker",
            config.training_cpus,
            float(train.least_workers) if train.gpu else 0.0,
        ),
    ]


def preflight(asked: Sequence[Demand], cpus: float, gpus: float) -> None:
    """Refuse, with advice, what would hang."""
    for demand in asked:
        if demand.cpus > cpus:
            raise ClusterError(
                f"{demand.job} holds {demand.cpus:g} logical CPUs at once and Ray has {cpus:g}; "
                f"lower {demand.settings}, or raise cluster.cpus (logical CPUs may exceed cores)"
            )
        if demand.gpus > gpus:
            raise ClusterError(
                f"{demand.job} needs {demand.gpus:g} GPUs and Ray has {gpus:g}; set train.gpu=false or add GPU nodes"
            )


def refuse_missing_weights(config: Config) -> None:
    """Say before anything starts that weights named in the settings are not there."""
    separate, labels = config.separate.weights, config.labels.weights
    named = {
        "separate.weights": Place.at(separate) if separate else None,
        "labels.weights": Place.at(labels) / "inference.onnx" if labels else None,
    }
    for setting, place in named.items():
        if place and not place.exists():
            raise ClusterError(f"{setting}: there is no {place}")
    if separate and not separate.endswith(".onnx"):
        raise ClusterError("separate.weights: figures are read by a .onnx file, as `figray train separator` writes it")


def nodes(group: str) -> dict[str, float]:
    """What a task or actor asks for beside its CPUs, so that it runs in that group of cluster.yaml and nowhere else.

    group: "pipelines", "trainers", or "figray" for the head. {} on any other Ray, which has no such resources.
    """
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized() or "figray" not in ray.cluster_resources():
        return {}
    return {group: SHARE}


def local_cpus(settings: ClusterSettings) -> int:
    """Logical CPUs of local Ray: with only 2, ordinary jobs of Ray Data and Train wait for each other for ever."""
    return settings.cpus or max(4, os.cpu_count() or 1)


def connect(config: Config) -> None:
    """Connect to the cluster at `cluster.address` or RAY_ADDRESS, else start Ray here; refuse what would hang."""
    address = config.cluster.address or os.environ.get("RAY_ADDRESS")
    if address:
        _join(address)
    else:
        refuse_missing_weights(config)
        preflight(demands(config), local_cpus(config.cluster), _local_gpus() if config.train.gpu else 0)
        _start_local(config.cluster)
    _watch(config.cluster)


def _join(address: str) -> None:
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    import ray

    # A cluster's resources are its own: ray.init takes none here. One that can grow is not held to its present size.
    with _quiet_stderr():
        ray.init(address=address, ignore_reinit_error=True, logging_level=logging.ERROR)


def local_environment() -> None:
    """Set what local Ray reads from the environment; before ray is imported, which reads it once."""
    # Every listener on loopback only: on Linux Ray binds to the machine's outer address, whatever it is told.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN_PATH", str(_token_file()))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # what comes too late must not start a second Ray
    # Of more workers than CPUs Ray ends those that idle for a second, and starts them again for the next task, two CPU
    # seconds each: of a search for copies that was 60 %. Where a stage asks for a part of a CPU they are always more.
    os.environ.setdefault(IDLE, str(IDLE_MS))
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")  # how soon a checkpoint counts as committed
    os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")  # a relative path in a setting means the same in a trial
    for name, limit in LIMITS.items():  # some are read as ray is imported
        os.environ.setdefault(name, str(limit))
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its C++ writes harmless errors to this terminal


def _start_local(settings: ClusterSettings) -> None:
    yours = {name for name, limit in LIMITS.items() if os.environ.get(name, str(limit)) != str(limit)}  # these stay
    unprepared = "ray" in sys.modules and "RAY_AUTH_MODE" not in os.environ
    local_environment()
    import ray

    if ray.is_initialized():
        return
    if unprepared:  # such as in a notebook; Ray has read the environment as it was, and would ask itself for a token
        raise ClusterError("ray was imported before figray could set it up: import it after core.cluster.connect()")
    for attempt in range(1, TRIES + 1):
        temporary = tempfile.mkdtemp(prefix="fr-")  # short: Ray puts Unix sockets below it
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        os.environ.update({name: str(attempt * limit) for name, limit in LIMITS.items() if name not in yours})
        try:
            _init(settings, temporary)
        except Exception as error:  # Ray raises bare Exception where a process of its own was too slow
            ray.shutdown()
            end_started_in(temporary)
            told = cause_in(Path(temporary), error)
            if attempt == TRIES:
                raise RayNotStarted(told, keep_logs(Path(temporary))) from error
        else:
            return


def _init(settings: ClusterSettings, temporary: str) -> None:
    import ray

    port = _free_port()
    with _quiet_stderr():
        ray.init(
            "local",  # never a cluster that an old address file names
            num_cpus=local_cpus(settings),
            object_store_memory=settings.object_store,
            include_dashboard=True,  # Train inside Tune asks its State API; off, a stopped trial never frees its place
            dashboard_host="127.0.0.1",
            dashboard_port=port,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=temporary,
            runtime_env={"env_vars": {"RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{port}", "OMP_NUM_THREADS": "1"}},
        )


def end_started_in(temporary: str) -> None:
    """End the processes of a start that failed: those whose command names its folder, which is this process's own.

    Looks several times: a process that begins right now shows no command until its program is loaded.
    """
    for _ in range(ENDINGS):
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if temporary.encode() in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
        time.sleep(0.2)


def cause_in(temporary: Path, error: Exception) -> str:
    """Why Ray did not start, in one line: the last thing that its own logs blame, else what it raised."""
    for name in LOGS:
        for file in sorted(temporary.glob(f"session_*/logs/{name}")):
            blamed = [line for line in file.read_text(errors="replace").splitlines() if BLAME.search(line)]
            if blamed:
                return f"{name}: {' '.join(blamed[-1].split())[:300]}"
    return " ".join(str(error).split())[:300] or type(error).__name__


def keep_logs(temporary: Path) -> Path | None:
    """Copy Ray's logs to where figray keeps its state, the latest alone; None where there are none."""
    sessions = sorted(temporary.glob("session_2*/logs"))
    if not sessions:
        return None
    kept = _state() / "ray_logs"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(sessions[-1], kept, ignore_dangling_symlinks=True)
    return kept


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Nothing reaches the terminal's error stream: Ray's C++ announces there that it was told to be quiet."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _watch(settings: ClusterSettings) -> None:
    """Make a job that stands still fail and name its station, after minutes instead of Ray's half hour.

    And let a pool grow as soon as all its actors are busy; Ray would wait until each has a second piece of work queued.
    """
    from ray.data import DataContext

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what it would log is raised too
    context = DataContext.get_current()
    context.raise_original_map_exception = True  # so that a user's mistake is told from a bug, see core/stations.py
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = patience(settings)
    context.autoscaling_config.actor_pool_util_upscaling_threshold = 1.0


def patience(settings: ClusterSettings) -> int:
    """Seconds without progress after which a station is stopped: more where its first node may be on its way."""
    return settings.progress_timeout + (NODE_STARTS if nodes("figray") else 0)


def disconnect() -> None:
    """Stop what connect() started; nothing where a signal came while Ray was imported."""
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()


def _token_file() -> Path:
    """A token of this user's, readable by nobody else; Ray's own file takes the default mode."""
    file = _state() / "ray_token"
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_hex(32))
    return file


def _state() -> Path:
    folder = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state")) / "figray"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _local_gpus() -> int:
    import torch

    return torch.cuda.device_count()
