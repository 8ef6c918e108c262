"""figray evaluate hf:NAME, open_clip:NAME: a model that others have trained, in a run under a name of its own."""

from app import steps
from core.places import Place
from core.runs import claim
from core.settings import Config
from trainers.checkpoint import WHOLE
from trainers.published.brought import bring, folder_of, name_in_run


def brought(config: Config, run: Place, source: str) -> str:
    """The model's name in the run, hf-NAME; what was brought before stays. source: hf: or open_clip:, a name or folder.

    Raises RunConflict where the name stands for another source, UserError where the model cannot be had.
    """
    name, near = name_in_run(source), folder_of(source)
    whole = f"{source.partition(':')[0]}:{near}" if near else source
    folder = run / "models" / name
    if (folder / "settings.json").exists() or (folder / "checkpoint" / WHOLE).exists():
        claim(folder, {"published": whole})
    if not (folder / "checkpoint" / WHOLE).exists():
        with steps.timed(run, f"bring {name}"):
            bring(source, folder / "checkpoint", pickled=config.model.pickled_weights)
        claim(folder, {"published": whole})
    return name
