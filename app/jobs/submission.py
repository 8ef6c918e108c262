"""What is submitted to a cluster, and to which: a command line that was read, a folder not too large, an address.

Nothing here knows Ray; app/jobs/client.py sends it.
"""

import ipaddress
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from core.config import UserError

TUNNEL = "`ray dashboard cluster.yaml` brings a cluster's dashboard to http://127.0.0.1:8265"
LIMIT = 500 * 2**20  # bytes that Ray takes as one package
# Beside what .gitignore names: what is made by running, what a machine makes for itself, and keys.
EXCLUDED = (
    *("/runs/", "/data/", "/build/", "/dist/", ".git/", ".venv/", "venv/", "*.egg-info/", "node_modules/"),
    *("__pycache__/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/", ".ipynb_checkpoints/"),
    *(".env", "*.pem", "*.key"),
)
PACKAGES = ("app", "bench", "core", "phantom", "pipelines", "trainers", "tuning")  # figray's, as they are imported
ALONE = {"submit", "status", "logs", "stop"}  # what speaks to a cluster and does not run on one
SECRET = re.compile(r"source\.api_key=|://[^/@\s]*:[^/@\s]*@")


class JobError(UserError):
    """A job that cannot be submitted, found or reached; the message says what to do."""


class Asked(NamedTuple):
    """A figray command that was read and found right."""

    words: tuple[str, ...]
    results: dict[str, str]  # "run" and "out", of those it has -> where its results go; "" where it chooses itself

    def __str__(self) -> str:
        return shlex.join(("figray", *self.words))


def asked(commands: Any, words: Sequence[str]) -> Asked:
    """A command line, read by the command line's own commands: they raise, as ever, what is wrong in it.

    commands: typer's group of all of them.
    """
    if not words:
        raise JobError("submit what? For example: figray submit -- train blip-brain --run s3://bucket/run")
    if words[0] in ALONE:
        raise JobError(f"{words[0]} does not run on a cluster, it speaks to one: figray {shlex.join(words)}")
    if any(SECRET.search(word) for word in words):
        raise JobError(
            "a job's command line stands on the dashboard, and there is a key in this one: put it into the environment "
            "in which the cluster is started (NCBI_API_KEY), and open buckets by the role of its machines"
        )
    above = commands.make_context("figray", list(words))
    name, command, rest = commands.resolve_command(above, list(words))
    context = command.make_context(name, rest, parent=above)
    while hasattr(command, "resolve_command"):  # a group, as `export`: what counts is its own command
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    given = context.params
    return Asked(tuple(words), {key: str(given[key] or "") for key in ("run", "out") if key in given})


def is_figray(folder: Path) -> bool:
    """Whether a folder is figray's own tree, which a job then runs instead of the installed one."""
    return all((folder / name).is_file() for name in ("app/cli.py", "core/config.py", "pyproject.toml"))


def excluded(folder: Path) -> tuple[str, ...]:
    """What is not packed of a folder: in any other than figray's tree also what Python would import for figray."""
    if is_figray(folder):
        return EXCLUDED
    return (*EXCLUDED, *(f"/{name}{end}" for name in PACKAGES for end in ("/", ".py")))


def hiding(folder: Path) -> list[str]:
    """The files and folders that are left out because they are called as figray's packages are."""
    if is_figray(folder):
        return []
    return [name for each in PACKAGES for name in (each, f"{each}.py") if (folder / name).exists()]


def of_another_tree(folder: Path) -> list[str]:
    """What is said of a folder that is not figray's tree."""
    if is_figray(folder):
        return []
    hidden = ", ".join(hiding(folder))
    return [
        "there is no figray in it: the job runs the one that the cluster has",
        *([f"left out, for Python would take it for figray's own: {hidden}"] if hidden else []),
    ]


def refuse_lost_results(results: Mapping[str, str]) -> list[str]:
    """Refuse what a cluster would delete with the job's folder; warnings of what is lost with the cluster."""
    local = {name: place for name, place in results.items() if "://" not in place}
    for name, place in local.items():
        if not place.startswith("/"):
            option = "--run" if name == "run" else name.upper()
            raise JobError(
                f"{place or 'the run folder'} would lie in the job's own folder on the cluster, which is deleted with "
                f"the job; say {option} s3://BUCKET/RUN, or a path on a disk that every node mounts"
            )
    return [
        f"{place} lies on the cluster: on its head's own disk other nodes do not reach it, and it is lost with the "
        "cluster; a URI, s3://BUCKET/RUN, outlives it"
        for place in local.values()
    ]


def entrypoint(words: Sequence[str], *, python: str = "python", folder: Path | None = None) -> str:
    """The shell's command line of a job. folder: where to run it; None: in the job's own copy of what was packed."""
    there = f"cd {shlex.quote(str(folder))} && " if folder else ""
    # -P: not from the folder in which the command runs, which may have an app/ of its own.
    return there + shlex.join(("exec", python, "-P", "-m", "app.cli", *words))


def exit_code(status: str, code: int | None) -> int:
    """What `figray submit` ends with. code: of the job's process, negative if a signal ended it; None: it has none."""
    if status == "SUCCEEDED":
        return 0
    if status == "STOPPED":
        return 143  # as any command that SIGTERM stopped
    if code is None:
        return 1  # it never began, or its node died
    return code if code >= 0 else 128 - code


def refuse_large(files: Mapping[str, int], folder: Path, limit: int = LIMIT) -> None:
    """Refuse a folder that Ray would not take, naming what is biggest right below it."""
    total = sum(files.values())
    if total <= limit:
        return
    parts: Counter[str] = Counter()
    for name, size in files.items():
        parts[name.partition("/")[0]] += size
    biggest = ", ".join(f"{name} ({megabytes(size)})" for name, size in parts.most_common(4))
    raise JobError(
        f"{folder} is {megabytes(total)} to pack, and Ray takes {megabytes(limit)}; the biggest in it: {biggest}. "
        "Name in .gitignore or .rayignore what the job does not need, or submit from the folder of the code"
    )


def megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"


def address_of(given: str | None, environment: Mapping[str, str], *, insecure: bool = False) -> str | None:
    """The dashboard to speak to: --address, RAY_API_SERVER_ADDRESS or RAY_ADDRESS; None where none is named."""
    named = {
        "--address": given,
        "RAY_API_SERVER_ADDRESS": environment.get("RAY_API_SERVER_ADDRESS"),
        "RAY_ADDRESS": environment.get("RAY_ADDRESS"),
    }
    source, address = next(((name, text) for name, text in named.items() if text), ("", None))
    if address is None:
        return None
    url = urlsplit(address)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise JobError(f"{source} {address}: jobs go to a dashboard, http://HOST:PORT; {TUNNEL}")
    if url.scheme == "http" and not insecure and not _is_loopback(url.hostname):
        raise JobError(
            f"{source} {address}: the token would cross the network in the clear. {TUNNEL}; "
            "or name it by https; on a private network --insecure sends it all the same"
        )
    return address.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
