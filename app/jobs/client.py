"""figray's commands as jobs of a Ray cluster: packed, submitted, followed and stopped by Ray's own job client.

A job runs `python -m app.cli COMMAND` on the cluster's head, in a copy of the folder it was submitted from, and finds
Ray by RAY_ADDRESS. Whoever may open the dashboard reads its command line and its runtime environment, so no secret is
put there: NCBI_API_KEY and tokens stand in the environment in which the cluster itself was started, and buckets are
opened by the role of its machines.
"""

import asyncio
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from app.jobs.local_head import local_head
from app.jobs.submission import (
    TUNNEL,
    Asked,
    JobError,
    address_of,
    entrypoint,
    excluded,
    exit_code,
    megabytes,
    of_another_tree,
    refuse_large,
    refuse_lost_results,
)
from app.session import say
from core.cluster import local_environment
from core.config import load

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

STOPPING = 60  # seconds in which a job that is asked to stop commits what it does; Ray gives 3
WORDY = (
    *("dashboard.modules.dashboard_sdk", "dashboard.modules.job.sdk"),
    *("_private.runtime_env.packaging", "_private.runtime_env.working_dir"),
)
STARTING = 120  # seconds in which a head's agent, which begins jobs, is waited for
LOCAL_SETTINGS = ("cluster.cpus=", "cluster.object_store=")


def packed(folder: Path) -> dict[str, int]:
    """The files that Ray packs of a folder, path -> bytes: by Ray's own walk, as .gitignore and excluded() say."""
    local_environment()
    from ray._private.runtime_env.packaging import _dir_travel, _get_excludes

    _hush()
    files: dict[str, int] = {}

    def take(path: Path) -> None:
        if path.is_file():
            files[str(path.relative_to(folder))] = path.stat().st_size

    try:
        _dir_travel(folder, [_get_excludes(folder, list(excluded(folder)))], take, include_gitignore=True)
    except OSError as error:
        raise JobError(f"{folder} cannot be packed: {error}") from error
    return files


def submit(wanted: Asked, address: str | None, folder: Path) -> int:
    """Run a command on the cluster at an address, or on a Ray started for it; the job's exit code."""
    warnings = refuse_lost_results(wanted.results) if address else []
    files = packed(folder)
    refuse_large(files, folder)
    say(f"packed {folder}: {len(files):,} files, {megabytes(sum(files.values()))}")
    for line in (*of_another_tree(folder), *(f"warning: {warning}" for warning in warnings)):
        say(line)
    return _submit_to(wanted, address, folder) if address else _submit_here(wanted, folder)


def _submit_to(wanted: Asked, address: str, folder: Path) -> int:
    client = client_of(address)
    with told(client):
        job = _begin(client, wanted, folder, command=entrypoint(wanted.words), environment={})
    try:
        with told(client, job):
            return _followed(client, job)
    except KeyboardInterrupt:
        say(f"\nno longer followed; {job} goes on at {address}")
        say(f"see it:  figray logs {job} --follow --address {address}")
        say(f"stop it: figray stop {job} --address {address}")
        return 130


def _submit_here(wanted: Asked, folder: Path) -> int:
    """Start Ray, submit to it, follow, stop both. The command runs in this folder, so that paths mean what they say."""
    settings = [word.removeprefix("--set=") for word in wanted.words]
    config = load(None, [setting for setting in settings if setting.startswith(LOCAL_SETTINGS)])
    say("starting Ray on this machine (--address names a cluster instead)")
    command = entrypoint(wanted.words, python=sys.executable, folder=folder)
    with _signals_raised(), local_head(config.cluster) as address:
        client = client_of(address)
        # As connect() gives its own job; Ray's processes do not write into the log.
        environment = {"RAY_API_SERVER_ADDRESS": address, "OMP_NUM_THREADS": "1", "RAY_LOG_TO_DRIVER": "0"}
        with told(client):
            job = _begin(client, wanted, folder, command=command, environment=environment)
            try:
                return _followed(client, job)
            except SystemExit:
                say(stop(client, job))
                raise


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Ctrl-C and SIGTERM unwind what runs, and end figray with 130 and 143."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _begin(
    client: "JobSubmissionClient", wanted: Asked, folder: Path, *, command: str, environment: Mapping[str, str]
) -> str:
    """Send the folder and the command; the job's name. A head that has just come up is given time to take jobs."""
    from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_fixed

    still_starting = retry_if_exception_message(match=".*No available agent")
    submitted = retry(retry=still_starting, stop=stop_after_delay(STARTING), wait=wait_fixed(2), reraise=True)
    job = submitted(client.submit_job)(
        entrypoint=command,
        submission_id=f"{wanted.words[0]}-{secrets.token_hex(3)}",
        metadata={"command": str(wanted), "run": wanted.results.get("run", "")},
        runtime_env={
            "working_dir": str(folder),
            "excludes": list(excluded(folder)),
            "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOPPING), **environment},
        },
    )
    say(f"job {job}: {wanted}")
    if run := wanted.results.get("run"):
        say(f"run: {run}")
    say(f"dashboard: {client.get_address()}")
    return job


def client_of(address: str) -> "JobSubmissionClient":
    """Ray's job client with the user's token; or JobError that says what is wrong with the address or the token."""
    local_environment()
    _refuse_silence(address)
    os.environ["RAY_API_SERVER_ADDRESS"] = address  # the client takes it, or RAY_ADDRESS, rather than its argument
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    _hush()
    try:
        client = JobSubmissionClient(address)
        client.list_jobs()  # the version is told without a token
    except AuthenticationError as error:
        raise _token_refused(address) from error
    except (ConnectionError, RuntimeError) as error:
        raise JobError(f"{address}: {error}") from error
    return client


def _hush() -> None:
    """Leave unsaid, once they are imported, what Ray's packers and its client tell of themselves: enough is told."""
    for name in WORDY:
        logging.getLogger(f"ray.{name}").setLevel(logging.ERROR)


def _refuse_silence(address: str) -> None:
    """Refuse an address at which no Ray answers within 10 s: Ray's client itself waits for ever."""
    import httpx

    try:
        answer = httpx.get(f"{address}/api/version", timeout=10)
    except httpx.HTTPError as error:
        raise JobError(f"nothing answers at {address} ({error}); is the cluster up? {TUNNEL}") from error
    if answer.status_code not in (401, 403) and "ray_version" not in answer.text:
        raise JobError(f"what answers at {address} is no Ray dashboard; {TUNNEL}")


def _token_refused(address: str) -> JobError:
    used = "RAY_AUTH_TOKEN" if os.environ.get("RAY_AUTH_TOKEN") else os.environ["RAY_AUTH_TOKEN_PATH"]
    return JobError(
        f"{address} refuses the token of {used}; put the cluster's token into RAY_AUTH_TOKEN, "
        "or the path of its file into RAY_AUTH_TOKEN_PATH"
    )


@contextmanager
def told(client: "JobSubmissionClient", job: str = "") -> Iterator[None]:
    """What goes wrong between here and the cluster, said in one sentence."""
    import requests
    from ray.exceptions import AuthenticationError

    address = client.get_address()
    try:
        yield
    except AuthenticationError as error:
        raise _token_refused(address) from error
    except requests.ConnectionError as error:
        again = f"; the job goes on without it: figray logs {job} --follow, once it does" if job else ""
        raise JobError(f"{address} no longer answers{again}") from error
    except RuntimeError as error:  # how Ray's client says what the server answered
        if job and "404" in str(error):
            raise JobError(f"{address} knows no job {job}; `figray status` lists those it knows") from error
        raise JobError(f"{address}: {error}") from error


def _followed(client: "JobSubmissionClient", job: str) -> int:
    """Write a job's log until it ends; its exit code."""
    info = _follow(client, job)
    code = exit_code(info.status, info.driver_exit_code)
    if info.status == "FAILED" and info.driver_exit_code is None:
        say(f"the job's command never ended by itself: {info.message}")
    if code == 127:
        say("127: the cluster finds no python; start Ray there with the bin folder of figray's environment on PATH")
    run = (info.metadata or {}).get("run")
    say(f"job {job}: {info.status.lower()}, exit code {code}" + (f"; run: {run}" if run else ""))
    return code


def _follow(client: "JobSubmissionClient", job: str) -> "JobDetails":
    """Write a job's log to standard output until the job ends; a connection that breaks is taken up where it was."""
    import aiohttp

    log = Log()
    while True:
        try:
            asyncio.run(_write_tail(client, job, log))
        except (aiohttp.ClientError, RuntimeError):  # a tunnel that broke, a proxy that knows no web sockets
            log.write(client.get_job_logs(job), 0)
        info = client.get_job_info(job)
        if info.status.is_terminal():
            return info
        time.sleep(1)


async def _write_tail(client: "JobSubmissionClient", job: str, log: "Log") -> None:
    start = 0
    async for text in client.tail_job_logs(job):
        log.write(text, start)
        start += len(text)


class Log:
    """A job's log on standard output: what was written is not written again, wherever reading begins anew."""

    def __init__(self) -> None:
        self.written = 0

    def write(self, text: str, start: int) -> None:
        """Write what is new of a piece of the log that begins at its character `start`."""
        sys.stdout.write(text[max(0, self.written - start) :])
        sys.stdout.flush()
        self.written = max(self.written, start + len(text))


def cluster_of(given: str | None, environment: Mapping[str, str], *, insecure: bool) -> "JobSubmissionClient":
    """The cluster that --address or the environment names; JobError where neither does."""
    address = address_of(given, environment, insecure=insecure)
    if address is None:
        raise JobError(f"which cluster? Say --address, or set RAY_API_SERVER_ADDRESS; {TUNNEL}")
    return client_of(address)


def status(client: "JobSubmissionClient", job: str | None) -> list[str]:
    """Lines on one job, or a table of all that were submitted."""
    with told(client, job or ""):
        return card(client.get_job_info(job)) if job else rows(client.list_jobs())


def logs(client: "JobSubmissionClient", job: str, *, follow: bool) -> int:
    """Write a job's log; followed to its end, the job's exit code."""
    with told(client, job):
        if follow:
            return _followed(client, job)
        Log().write(client.get_job_logs(job), 0)
        return 0


def stop(client: "JobSubmissionClient", job: str) -> str:
    """Ask a job to stop, wait until it has, and say how it ended."""
    with told(client, job):
        running = client.stop_job(job)
        ended = _ended(client, job)
    if not running:
        return f"{job} had ended before: {ended.status.lower()}"
    return f"{job}: {ended.status.lower()}" if ended.status.is_terminal() else f"{job} was asked to stop, and goes on"


def _ended(client: "JobSubmissionClient", job: str) -> "JobDetails":
    """A job once it has ended, or as it stands when it had time enough to stop."""
    info = client.get_job_info(job)
    for _ in range(STOPPING + 10):
        if info.status.is_terminal():
            break
        time.sleep(1)
        info = client.get_job_info(job)
    return info


def rows(jobs: Sequence["JobDetails"]) -> list[str]:
    """A table of the jobs that were submitted, the latest first."""
    submitted = sorted((job for job in jobs if job.submission_id), key=lambda job: job.start_time or 0, reverse=True)
    head = f"{'JOB':24}{'STATUS':11}{'BEGAN':18}{'TOOK':>10}  {'EXIT':4}  COMMAND"
    return [head, *(_row(job) for job in submitted)]


def _row(job: "JobDetails") -> str:
    code = "" if job.driver_exit_code is None else str(job.driver_exit_code)
    command = (job.metadata or {}).get("command", job.entrypoint)
    return f"{job.submission_id:24}{job.status:11}{_began(job):18}{_took(job):>10}  {code:>4}  {command}"


def card(job: "JobDetails") -> list[str]:
    """What is known of one job, a line each."""
    said = job.metadata or {}
    code = "" if job.driver_exit_code is None else f", exit code {job.driver_exit_code}"
    lines = [
        f"job:     {job.submission_id}",
        f"status:  {job.status.lower()}{code}",
        f"command: {said.get('command', job.entrypoint)}",
        f"run:     {said['run']}" if said.get("run") else "",
        f"began:   {_began(job)}, took {_took(job)}",
        f"log:     figray logs {job.submission_id}",
    ]
    return [line for line in lines if line]


def _began(job: "JobDetails") -> str:
    return f"{datetime.fromtimestamp((job.start_time or 0) / 1000):%Y-%m-%d %H:%M}"


def _took(job: "JobDetails") -> str:
    end = job.end_time or time.time() * 1000
    return str(timedelta(seconds=round((end - (job.start_time or end)) / 1000)))
