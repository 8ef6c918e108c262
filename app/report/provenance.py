"""Where a run comes from: versions, machine, seeds, digests of data and weights, query and day, commands."""

import hashlib
import os
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.places import Place
from core.records import TABLES
from core.runs import Table, figray_version
from core.settings import Config

MADE = "made.json"  # step -> what it was last made with
LIBRARIES = ("ray", "torch", "transformers", "timm")
FILES = ("config.yaml", "DATA_CARD.md", "ATTRIBUTION.csv", "left_out.csv", "contact_sheet.html", "results.json")


def made_with() -> dict[str, str]:
    """figray, its commit, the libraries and the machine, as they are now."""
    return {
        "figray": figray_version(),
        "commit": commit(),
        **{name: _version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count() or 1} CPUs",
    }


def commit() -> str:
    """The commit of the source that runs, with a plus where files were changed since; "" of an installed wheel."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def provenance(run: Place, config: Config, models: Sequence[str], found: Mapping[str, Any]) -> dict[str, str]:
    """Name -> what is known, in the order in which the page shows it. found: `figures/found.json`, {} without one."""
    file = run / MADE
    made: dict[str, dict[str, str]] = file.read_json() if file.exists() else {}
    begun = (run / "version.json").read_json()["figray"] if (run / "version.json").exists() else "unknown"
    told = {"begun with figray": str(begun), **_of_steps(made)}
    if found:
        told["collected on"] = str(found.get("day", "unknown"))
        told |= {f"query, {index}": str(query) for index, query in found.get("queries", {}).items()}
        told["articles found by"] = str(found.get("index") or "a bucket's own list")
    told["seeds"] = f"{config.seed} of the run, {config.phantom.seed} of what is drawn"
    told |= {f"digest of {name}/": Table(run / name, of).digest for name, of in TABLES.items() if (run / name).exists()}
    told |= {f"digest of the weights of {name}": of for name in models if (of := weights_of(run, name))}
    return told


def weights_of(run: Place, model: str) -> str:
    """The SHA-256 of a model's list of checksums, shortened; "" where it is not trained yet."""
    sealed = run / "models" / model / "checkpoint" / "sha256.json"
    return hashlib.sha256(sealed.read_bytes()).hexdigest()[:32] if sealed.exists() else ""


def commands(run: Place, config: Config, models: Sequence[str], *, drawn: bool) -> list[str]:
    """What makes the run again in another folder, from its own settings."""
    new, settings = f"runs/{run.name}-again", shlex.quote((run / "config.yaml").uri)
    if drawn:
        sets = f"--set phantom.articles={config.phantom.articles} --set phantom.seed={config.phantom.seed}"
        return [f"figray demo --run {new} {sets} --set seed={config.seed} --set optim.steps={config.optim.steps}"]
    lines = []
    if (run / "figures").exists():
        lines += [f"figray collect {settings} --run {new}", f"figray pair --run {new}"]
    elif (run / "radiographs").exists():
        lines.append(f"figray dataset KIND FOLDER --run {new}")
    elif (run / "pairs").exists():
        lines.append(f"figray dataset pairs TABLE --run {new}")
    for name in models:
        name = shlex.quote(name)
        lines += [f"figray train {name} --run {new}", f"figray evaluate {name} --run {new}"]
    return [*lines, f"figray report --run {new}"]


def files_of(run: Place, models: Sequence[str]) -> list[str]:
    """Files of the run that a reader may want, relative to the page."""
    found = [name for name in FILES if (run / name).exists()]
    for model in models:
        folder = run / "models" / model
        found += [f"models/{model}/{name}" for name in folder.files() if name.endswith((".json", ".jsonl", ".csv"))]
    return found


def _of_steps(made: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What the steps were made with: once where all were made with the same."""
    if not made:
        return {"made with": "not recorded: the run is older than that record"}
    texts = {step: ", ".join(f"{name} {value}" for name, value in of.items() if value) for step, of in made.items()}
    by_text: dict[str, list[str]] = {}
    for step, text in texts.items():
        by_text.setdefault(text, []).append(step)
    if len(by_text) == 1:
        return {"made with": next(iter(by_text))}
    return {f"made with: {', '.join(steps)}": text for text, steps in by_text.items()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
