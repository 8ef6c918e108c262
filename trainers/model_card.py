"""The model card of an exported model: what it is, what it has seen, how to use it (Mitchell et al., 2019)."""

import json
from pathlib import Path

from core.settings import ModelSettings, ObjectiveSettings, OnlySettings
from core.wanted import in_words
from trainers.checkpoint import training_articles, training_images
from trainers.wheels import begun_with

CARD = """---
library_name: transformers
tags: [blip, image-text-retrieval, medical, figures]
---

# An image-text model of figures in medical articles

Trained by figray on {seen}: pictures of their figures, and what the captions say of each. `seen.parquet` tells
which; test it on others only.

{begun}
Losses and their weights: image-text contrast {itc}, image-text matching {itm}, {text_objective} {text}.{untrained}

| images | texts | shared space | temperature |
|---|---|---|---|
| {image_size} x {image_size}, from -1 to 1 | up to {max_tokens} word pieces | {embedding} wide | {temperature:.4f} |

```python
from PIL import ImageOps
from transformers import AutoProcessor, BlipForImageTextRetrieval

model = BlipForImageTextRetrieval.from_pretrained(FOLDER).eval()
processor = AutoProcessor.from_pretrained(FOLDER)
square = ImageOps.pad(image.convert("RGB"), ({image_size}, {image_size}), method=3)
inputs = processor(images=square, text="axial MRI of the brain", truncation=True, return_tensors="pt")
similarity = model(**inputs, use_itm_head=False).itm_score  # cosine; divided by the temperature in training
no, yes = model(**inputs).itm_score[0]
```

Images are letterboxed in training, as by `ImageOps.pad` above; the processor alone would stretch them. The momentum
encoders and the {text_objective} head are not part of this folder, as BlipForImageTextRetrieval has no place for them.

**Not for patients.** It finds figures by words and words by figures. It was not tested for diagnosis, and is not meant
for it. Do not use it to diagnose or treat anyone, nor to find out who a patient is.

**Rights.** Each figure that it was trained on keeps the licence of its article. Where `ATTRIBUTION.csv` stands beside
this card, it names authors, title, DOI, licence and version for each pair.
"""


def model_card(folder: str | Path, *, temperature: float) -> str:
    """The text of README.md for the checkpoint in a folder."""
    config = json.loads((Path(folder) / "config.json").read_text())
    model, objective = ModelSettings(**config["model"]), ObjectiveSettings(**config["objective"])
    return CARD.format(
        seen=seen_in_words(folder),
        begun=f"The weights began {_beginning(model.init)}. {begun_with(model)}".strip(),
        untrained=heads_untrained(objective),
        temperature=temperature,
        **model.model_dump(include={"image_size", "max_tokens", "embedding"}),
        **objective.model_dump(include={"itc", "itm", "text", "text_objective"}),
    )


def seen_in_words(folder: str | Path) -> str:
    """How many articles, images where they are known, and what of their pairs was taken."""
    only = OnlySettings(**json.loads((Path(folder) / "config.json").read_text()).get("only", {}))
    images = sum("#" not in mark for mark in training_images(folder))  # the other marks are groups of duplicates
    told = f"{len(training_articles(folder))} articles" + (f" ({images} images as published)" if images else "")
    return told + (f", of their pairs only {asked}" if (asked := in_words(only)) else "")


def heads_untrained(objective: ObjectiveSettings) -> str:
    """What of a model has no loss that teaches it, in sentences."""
    if objective.name == "mlip":
        return ""
    parts = (("match head", objective.itm), ("shared space", objective.itc))
    return "".join(f" The {part} was not trained." for part, weight in parts if not weight)


def _beginning(init: str | None) -> str:
    if init is None:
        return "at random"
    return f"as those of `{init}`" if init.startswith("hf:") else "as those of another model"
