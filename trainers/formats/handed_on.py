"""What every export of a model has: the model alone, its tokenizer, how its images are made, and a card."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.places import Place, refuse_taken
from core.settings import ModelSettings, ObjectiveSettings
from trainers.checkpoint import WHOLE, load_model
from trainers.model_card import heads_untrained, seen_in_words
from trainers.seen import is_told, pieces_of, write_seen_in
from trainers.towers import Towers
from trainers.wheels import begun_with

CARD = """---
library_name: {library}
tags: [image-text-retrieval, medical, figures]
---

# An image-text model of medical images

Trained by figray on {seen}. `seen.parquet` tells which; test it on others only.
{begun}{untrained}
Images are letterboxed to {size} x {size} pixels (`PIL.ImageOps.pad`, bicubic) and scaled from -1 to 1. Texts have up
to {tokens} word pieces. Both end as {width} numbers of unit length; their product is the cosine.

```python
{use}
```

**Not for patients.** It finds images by words and words by images. It was not tested for diagnosis. Do not use it to
diagnose or treat anyone, nor to find out who a patient is.

**Rights.** Each image that it was trained on keeps the licence of its source; `ATTRIBUTION.csv`, where it stands beside
this card, names them.
"""


@contextmanager
def handed_on(
    folder: str, out: str, *, library: str, use: str
) -> Iterator[tuple[Towers, PreTrainedTokenizerFast, Path]]:
    """The model of a checkpoint, its tokenizer, and a draft of `out`, which appears whole when the block ends.

    use: Python that loads the export, for the card. Raises UserError if `out` is taken.
    """
    place = Place.at(out)
    refuse_taken(place)
    with Place.at(folder).near() as here:
        model, tokenizer = load_model(here)
        model.kept = {}  # states that are kept by digest have no place in another library
        config = json.loads((here / WHOLE).read_text())
        settings, objective = ModelSettings(**config["model"]), ObjectiveSettings(**config["objective"])
        with place.written(last="README.md") as draft:
            yield model, tokenizer, draft
            begun = begun_with(settings)
            card = CARD.format(
                library=library,
                seen=seen_in_words(here),
                begun=f"\n{begun}\n" if begun else "",
                untrained=heads_untrained(objective),
                size=settings.image_size,
                tokens=settings.max_tokens,
                width=width_of(model),
                use=use.strip(),
            )
            (draft / "README.md").write_text(card, encoding="utf-8")
            if is_told(here):
                write_seen_in(draft, pieces_of(here))


def width_of(model: Towers) -> int:
    """Of the shared space."""
    return model.settings.embedding or model.settings.image_width


def with_bias_before(weight: Tensor, bias: Tensor) -> Tensor:
    """c, (W,), by which weight @ (x + c) = weight @ x + bias, for libraries whose projection has no bias.

    weight: (E, W) of full rank, E at most W; UserError where there is no such c.
    """
    found = torch.linalg.lstsq(weight.double(), bias.double()[:, None], driver="gelsd").solution[:, 0]
    if not torch.allclose(weight.double() @ found, bias.double(), atol=1e-6):
        raise UserError("the head's bias cannot be told without one: its width is larger than the encoder's")
    return found.float()
