"""`figray evaluate` on radiographs: what a model tells by prompts, from few labels, from few masks, and where."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import Any, Literal, get_args

import torch

from app import steps
from app.csv_text import as_csv
from app.films import Films, comparable, read_films
from app.retrieving import machine_for
from core.config import UserError, override
from core.places import Place
from core.records import Pair, Radiograph
from core.runs import claim, digest
from core.settings import Config
from core.tables import rows_of
from trainers.checkpoint import PUBLISHED, WHOLE
from trainers.evaluation.few_shot import FewShotPlan, few_shot
from trainers.evaluation.kept_films import Encode, KeptFilms
from trainers.evaluation.phrases import ground, read_phrases
from trainers.evaluation.prompts import Prompts, PromptSet, read_prompts
from trainers.evaluation.retrieval import Here
from trainers.evaluation.seen_maps import point_seen
from trainers.evaluation.segmentation import SegmentationPlan, segment
from trainers.evaluation.sentence_maps import point
from trainers.evaluation.zero_shot import ZeroShotPlan, zero_shot
from trainers.job import make_job, write_start
from trainers.training_set import training_set_of

Task = Literal["zero-shot", "few-shot", "segmentation", "pointing", "pointing-apart", "pointing-seen", "grounding"]
PHRASES: Task = "grounding"  # asked where probe.phrases names a list
OF_CATEGORIES = {"P@1": "hit_rate", "mIoU": "mean_iou"}  # as papers on MS-CXR print the means over its categories
TASKS: tuple[Task, ...] = tuple(task for task in get_args(Task) if task != PHRASES)
COLUMNS = ("image", "target", "score")


@dataclass(frozen=True)
class Question:
    """A probe of trainers.evaluation, and what its answer depends on beside the model and the radiographs."""

    ask: Callable[..., Any]  # of the checkpoint's folder, the files and the settings
    files: Mapping[str, list[str]]
    settings: Mapping[str, Any]
    plan: Callable[..., Any] | None = None  # what the settings are handed over as; None: one by one
    encodes: bool = False  # whether it asks of radiographs as a whole, which are encoded once for all that do


def possible(films: Films, objective: str) -> list[Task]:
    """What a model can be asked of radiographs: segmentation needs masks, pointing places, and by cosines MLIP."""
    placed = bool(films.placed)
    local = placed and objective == "mlip"
    whole = objective == PUBLISHED  # of what others have trained images and texts are compared as wholes
    able = {"segmentation": bool(films.masked) and not whole, "pointing": local, "pointing-apart": local}
    able["pointing-seen"] = placed and not whole
    return [task for task in TASKS if able.get(task, True)]


def objective_of(run: Place, name: str) -> str:
    """What a trained model has minimised, as its checkpoint says."""
    found: str = (Place.at(steps.checkpoint(run, name)) / "config.json").read_json()["objective"]["name"]
    return found


def probe(config: Config, run: Place, name: str, films: Films, tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
    """What a model of the run finds in radiographs, which may be another run's, by task.

    Kept beside the model as `probe-TASK-*.json`, with what it says of each radiograph as CSV: image, target, score,
    and whether the finding is there. Other settings or other radiographs make another file. Raises LeakError if the
    model has learnt from what it is asked, UserError if a task has nothing to ask.
    """
    torch.set_num_threads(config.train.threads)
    folder = steps.checkpoint(run, name)
    found: dict[str, dict[str, Any]] = {}
    encode: Encode | None = None
    questions = {task: QUESTIONS[task](films, config) for task in tasks}  # what is missing is said before any is asked
    for task, question in questions.items():
        shape = json.dumps({**question.settings, "radiographs": films.digest}, sort_keys=True, default=_plain)
        file = run / "models" / name / f"probe-{task}-{films.run}-{digest([shape])[:8]}.json"
        if not file.exists():
            with steps.timed(run, f"probe {name}"):
                settings: dict[str, Any] = dict(question.settings)
                if question.plan is not None:
                    settings = {"plan": question.plan(**question.settings)}
                if question.encodes:
                    encode = encode or encoder(config, folder, run / "models" / name / "films", films)
                    settings["encode"] = encode
                answer = asdict(question.ask(folder, **question.files, **settings, device=steps.device_of(config)))
            told = {"dataset": films.dataset, "notes": list(films.notes), "settings": json.loads(shape)}
            rows = with_truths(predictions(task, answer), films.files["test"])
            (run / "models" / name / file.name.replace(".json", ".csv")).write_bytes(as_csv(rows))
            file.write_json({**told, "found": answer})
        found[task] = file.read_json()["found"]
    return found


def encoder(config: Config, folder: str, keep: Place, films: Films) -> Encode:
    """What sees radiographs as a whole by a model: once for all tasks, by Ray's actors where they are many."""
    count = rows_of([file for files in films.files.values() for file in files], Radiograph).count_rows()
    alone = override(config, {"evaluate.rerank": 0, "evaluate.pool": None})
    on_ray = None
    if not isinstance(machine_for(alone, count), Here):
        from trainers.evaluation.on_ray import encode_films

        on_ray = partial(encode_films, config, folder)
    device, batch_size = steps.device_of(config), config.evaluate.batch_size
    return KeptFilms(folder, keep=keep, batch_size=batch_size, device=device, on_ray=on_ray)


def predictions(task: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """What an answer says of each radiograph; taken out of it where its numbers do not need it.

    score: of zero-shot the nearness to "present", of few-shot the mean logit of the seeds' heads, of segmentation the
    Dice, of pointing and of grounding 1 for a hit.
    """
    if task == "zero-shot":
        return [dict(zip(COLUMNS, row, strict=True)) for row in found.pop("predictions")]
    if task == "few-shot":
        by_share = found.pop("predictions")
        return [{**dict(zip(COLUMNS, row)), "share": share} for share, rows in by_share.items() for row in rows]
    if task == "segmentation":
        rows = [(image, found["target"], dice) for image, dice in zip(found["images"], found["found"]["dice"])]
    else:
        rows = [(each["image_id"], each["finding"], float(each["hit"])) for each in found["asked"]]
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def with_truths(rows: list[dict[str, Any]], files: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of predictions() with `present`, 1 or 0; empty where nobody judged it. files: of the radiographs."""
    films = rows_of(files, Radiograph).to_table(columns=["image_id", "targets"]).to_pylist()
    known = {(film["image_id"], each["name"]): int(each["present"]) for film in films for each in film["targets"]}
    return [{**row, "present": known.get((row["image"], row["target"]), "")} for row in rows]


def _plain(prompts: PromptSet) -> Any:
    return prompts.model_dump(mode="json")


def _zero_shot(films: Films, config: Config) -> Question:
    asked = {"prompts": prompts_of(config), **_of_all(config)}
    return Question(zero_shot, _files(films, "val", "test"), asked, ZeroShotPlan, encodes=True)


def _few_shot(films: Films, config: Config) -> Question:
    settings = config.probe
    heads = {"shares": settings.shares, "fewest": settings.fewest, "seeds": settings.seeds}
    heads["penalty"] = settings.penalty
    return Question(
        few_shot, _files(films, "train", "val", "test"), {**heads, **_of_all(config)}, FewShotPlan, encodes=True
    )


def _segment(films: Films, config: Config) -> Question:
    settings = config.probe
    target = settings.mask_target or (films.masked[0] if films.masked else None)
    if target is None:
        raise UserError(f"{films.dataset}: there is no finding of which train, val and test have masks")
    head = {"target": target, "share": settings.mask_share, "steps": settings.mask_steps}
    head["channels"] = settings.mask_width
    return Question(segment, _files(films, "train", "val", "test"), {**head, **_of_all(config)}, SegmentationPlan)


def _point(films: Films, config: Config) -> Question:
    """By the map of the prompts that a finding is there."""
    prompts = {name: list(each.positive) for name, each in _prompted(films, config).items()}
    return Question(point, {"files": films.files["test"]}, {"prompts": prompts, **_of_all(config)})


def _point_apart(films: Films, config: Config) -> Question:
    """By that map less the map of the prompts that it is not there."""
    question, named = _point(films, config), _prompted(films, config)
    against = {name: list(each.negative) for name, each in named.items()}
    return replace(question, settings={**question.settings, "against": against})


def _point_seen(films: Films, config: Config) -> Question:
    """By how much nearer the image comes to those prompts where a patch is seen."""
    return replace(_point(films, config), ask=point_seen)


def _ground(films: Films, config: Config) -> Question:
    """By the map of each phrase of a list."""
    if config.probe.phrases is None:
        raise UserError("grounding needs a list of phrases with boxes: probe.phrases names it")
    asked = {"phrases": read_phrases(Path(config.probe.phrases)), **_of_all(config)}
    return Question(ground, {"files": films.files["test"]}, asked)


def _prompted(films: Films, config: Config) -> dict[str, Prompts]:
    named = {name: prompts_of(config).of(name) for name in films.placed}
    prompted = {name: each for name, each in named.items() if each}
    if not prompted:
        raise UserError(f"{films.dataset}: no finding has both a place in the test split and a prompt")
    return prompted


QUESTIONS: Mapping[Task, Callable[[Films, Config], Question]] = {
    "zero-shot": _zero_shot,
    "few-shot": _few_shot,
    "segmentation": _segment,
    "pointing": _point,
    "pointing-apart": _point_apart,
    "pointing-seen": _point_seen,
    "grounding": _ground,
}


def prompts_of(config: Config) -> PromptSet:
    """The set of prompts that the settings name."""
    return read_prompts(config.probe.prompt_set, config.probe.prompts)


def _files(films: Films, *splits: str) -> dict[str, list[str]]:
    return {f"{split}_files": films.files[split] for split in splits}


def _of_all(config: Config) -> dict[str, Any]:
    return {"batch_size": config.evaluate.batch_size, "resamples": config.probe.resamples, "seed": config.seed}


def write_untrained(config: Config, run: Place, name: str) -> None:
    """A model of the run as training would begin it, under a name of its own: what training has to beat."""
    pairs, folder = steps.table(run, steps.SCHEMES[config.train.scheme], Pair), run / "models" / name
    shape = {**steps.shaping(config), "pairs": pairs.digest, "trained": False}
    claim(folder, shape, before=steps.shaping(Config()), no_longer=steps.NO_LONGER)
    if (folder / "checkpoint" / WHOLE).exists():
        return
    begun = steps.begun_from(config, run)
    texts = training_set_of(config, pairs.files("split=train"))
    job = make_job(begun, texts, out=folder.uri)
    write_start(begun, texts, job)
    with Place.at(job.start).near() as start, (folder / "checkpoint").written(last=WHOLE) as draft:
        copytree(start, draft, dirs_exist_ok=True)
    Place.at(job.start).delete()


def write_untrained_of(config: Config, run: Place, name: str) -> str:
    """A trained model of the run as its training began, as NAME-untrained, which is returned."""
    steps.checkpoint(run, name)
    stated = (run / "models" / name / "settings.json").read_json()
    settings = {setting: stated[setting] for setting in stated.keys() - {"pairs", "trained"}}
    write_untrained(override(config, settings), run, f"{name}-untrained")
    return f"{name}-untrained"


def probe_runs(config: Config, run: Place, name: str, on: Sequence[Place]) -> Iterator[str]:
    """All that a model can be asked of the radiographs of runs, a line for each task; of none, those of its own run."""
    own = [run] if (run / "radiographs").exists() else []
    for films in (comparable(run, name, read_films(each)) for each in on or own):
        yield from films.notes
        objective = objective_of(run, name)
        tasks = possible(films, objective)
        if config.probe.phrases and objective == "mlip":
            tasks.append(PHRASES)
        elif config.probe.phrases:
            yield f"{name} on {films.dataset}, {PHRASES}: not asked, its patches are not in the space of sentences"
        for task, found in probe(config, run, name, films, tasks).items():
            yield f"{name} on {films.dataset}, {task}: {headline(task, found)}"


def headline(task: str, found: Mapping[str, Any]) -> str:
    """The first numbers of an answer, for the terminal."""
    if task == "zero-shot":
        told = {"AUC": (found["mean"]["metrics"]["auc"], found["mean"]["intervals"].get("auc"))}
    elif task == "few-shot":
        told = {
            f"AUC at {each['share']:.0%}": (each["mean"]["auc"], each["mean"]["interval"]) for each in found["shares"]
        }
    elif task == "segmentation":
        kinds = {"dice": "Dice", "dice_positive": "of positives", "dice_all_empty": "nothing drawn"}
        told = {kinds[name]: (value, found["intervals"].get(name)) for name, value in found["metrics"].items()}
    else:
        hits = found["overall"]
        told = {"hits": (hits["hit_rate"], hits.get("hit_interval")), "by chance": (hits["random_rate"], None)}
        if "mean_iou" in hits:
            told["mean IoU"] = (hits["mean_iou"], hits.get("iou_interval"))
    if task == PHRASES:
        means = {f"{name} of categories": (found["of_categories"][key], None) for name, key in OF_CATEGORIES.items()}
        n, elsewhere = found["overall"]["n"], found["elsewhere"]
        counted = f"{n:,} phrases, {elsewhere:,} others are about images that are not in the test split"
        return f"{_told({'P@1' if name == 'hits' else name: value for name, value in told.items()} | means)}; {counted}"
    return _told(told)


def _told(numbers: Mapping[str, tuple[float | None, Sequence[float] | None]]) -> str:
    return ", ".join(f"{name} {_percent(*value)}" for name, value in numbers.items())


def _percent(value: float | None, interval: Sequence[float] | None) -> str:
    bounds = f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})" if interval else ""
    return "undefined" if value is None else f"{100 * value:.1f} %{bounds}"
