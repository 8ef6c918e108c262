"""figray train: a model by its own recipe, or one of the two that figray ships."""

import os
import shlex

from app import steps
from app.endings import next_is, of_training
from app.progress import Bars
from app.session import GOES_ON, connected, say
from core.config import load, read
from core.places import Place


def train_recipe(recipe: str, run: str, set_: list[str]) -> None:
    """A model by a recipe's own settings, named as the recipe, on the pairs of a run whose settings stay.

    recipe: a name, a file, or the URI of one that states all, such as a sweep's best.yaml.
    """
    place, found = Place.at(run), Place.at(recipe)
    name = found.name.removesuffix(".yaml")
    config = load(recipe, set_) if found.is_local else read(found.read_bytes().decode(), recipe, set_)
    with connected(config, stopped=GOES_ON) as bars:
        steps.train_models({name: config}, place, bars.step)
    say(of_training(place, name))
    say(f"model: {place / 'models' / name}")
    say(next_is(f"figray evaluate {shlex.quote(name)}", run=run))


def train_separator(run: str, set_: list[str]) -> None:
    """Weights, metrics, scores and card of a separator, in a run folder of its own."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
    from app.weights import separator

    config, place = load(None, set_), Place.at(run)
    with Bars() as bars:
        weights = separator.train_separator(
            config.detector, place, seed=config.seed, on_step=lambda step, steps: bars.step("separator", step, steps)
        )
    say(f"weights: {weights}; card: {separator.write_card(place, config.detector, config.separate, seed=config.seed)}")
    say(f"to read figures by them: --set separate.weights={weights}")


def train_sentences(run: str, set_: list[str]) -> None:
    """Weights, metrics, scores and card of a sentence splitter, in a run folder of its own."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
    from app.weights import sentences as sentence_training

    config, place = load(None, set_), Place.at(run)
    with Bars() as bars:
        weights = sentence_training.train_sentences(
            place, seed=config.seed, on_step=lambda step, steps: bars.step("sentences", step, steps)
        )
    card = sentence_training.write_card(place, seed=config.seed, beside=config.mlip.sentence_weights)
    say(f"weights: {weights}; card: {card}")
    say(f"to cut texts by them: --set mlip.sentence_weights={weights}")
