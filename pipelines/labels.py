"""Printed letters of panels, read by PaddleOCR's text recognition and settled by the run they form."""

import os
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.label_boxes import label_boxes
from pipelines.markers import ROMANS
from pipelines.records import Box, Subfigure

Kind = Literal["upper", "lower", "digit", "roman"]
KINDS: tuple[Kind, ...] = ("upper", "lower", "digit", "roman")
Crop = NDArray[np.uint8]
MODEL = "PP-OCRv6_small_rec"
HEIGHT, MARGIN = 48, 20  # px of an enlarged crop and of the background around it
INPUT_WIDTH = 96  # px; the recogniser's own 320 are for lines of text
SURE = 0.9  # a reading that ends the search on a panel
MARKED = re.compile(r"[(\[]?\s*([A-Za-z]'{0,2}|[A-Za-z]\d{1,2}|\d{1,2}|[ivx]{1,5})\s*[)\]lJ|]?[.:,]?")
# Letters of other alphabets that look like Latin ones, and signs that look like a prime.
LOOKALIKES = str.maketrans("АВСЕНКМОРТХасеорхіΑΒΕΗΙΚΜΝΟΡΤΧ’′`‘", "ABCEHKMOPTXaceopxiABEHIKMNOPTX''''")
CONFUSED = ("0Oo", "lI1i|", "5Ss", "6b", "8B", "9g", "Cc", "Kk", "Pp", "Uu", "Vv", "Ww", "Xx", "Zz2", "vV")


@dataclass(frozen=True)
class Reading:
    """The text of a crop and how sure the recogniser is, 0 to 1."""

    text: str
    score: float


@dataclass(frozen=True)
class Printed:
    """A letter found on a panel, before the others of its figure are considered."""

    label: str
    score: float
    box: Box


class LabelReader:
    """Reads crops with PaddleOCR on ONNX Runtime, one thread, never from the network.

    weights: a folder with inference.onnx and inference.yml; None takes PP-OCRv6 from rapidocr's wheel.
    min_score: readings below it count as no text.
    """

    def __init__(self, weights: str | None = None, *, min_score: float) -> None:
        os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"  # paddlex asks its model hosts when imported
        from paddleocr import TextRecognition

        cv2.setNumThreads(1)
        self.min_score = min_score
        threads = {"intra_op_num_threads": 1, "inter_op_num_threads": 1}
        with TemporaryDirectory(prefix="figray-ocr-") as folder:
            self._model: Any = TextRecognition(
                model_name=MODEL if weights is None else _model_name(Path(weights)),
                model_dir=weights or str(_lay_out_weights(Path(folder))),
                engine="onnxruntime",
                engine_config=threads,
                device="cpu",
            )

    def __call__(self, crops: list[Crop]) -> list[Reading]:
        """A reading of each RGB crop (h, w, 3); empty text where nothing is read."""
        if not crops:
            return []
        enlarged = [np.ascontiguousarray(_enlarge(crop)[..., ::-1]) for crop in crops]
        found = [(str(line["rec_text"]), float(line["rec_score"])) for line in self._model.predict(enlarged)]
        return [Reading(text, score) if score >= self.min_score else Reading("", score) for text, score in found]


def _lay_out_weights(folder: Path) -> Path:
    """rapidocr's recogniser laid out as PaddleOCR wants it; the characters are in the ONNX metadata."""
    import onnxruntime
    import rapidocr
    import yaml

    source = Path(rapidocr.__file__).parent / "models" / "PP-OCRv6_rec_small.onnx"
    if not source.is_file():
        raise FileNotFoundError(f"{source.name} is not in rapidocr's wheel; name a folder of weights in labels.weights")
    session = onnxruntime.InferenceSession(str(source), providers=["CPUExecutionProvider"])
    characters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    (folder / "inference.onnx").symlink_to(source)
    description = {
        "Global": {"model_name": MODEL},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"RecResizeImg": {"image_shape": [3, HEIGHT, INPUT_WIDTH]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters},
    }
    (folder / "inference.yml").write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")
    return folder


def _model_name(folder: Path) -> str:
    import yaml

    return str(yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))["Global"]["model_name"])


def _enlarge(crop: Crop) -> Crop:
    """The crop at the recogniser's height, on a margin of its own background."""
    width = max(1, round(crop.shape[1] * HEIGHT / crop.shape[0]))
    large = cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
    rim = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    ground = [float(value) for value in np.median(rim, axis=0)]
    return np.asarray(
        cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=ground), dtype=np.uint8
    )


def as_label(text: str) -> str | None:
    """The bare letter, number or numeral of a printed label: "(A)" gives "A"; None for anything else."""
    plain = unicodedata.normalize("NFKC", text).translate(LOOKALIKES).strip()
    found = MARKED.fullmatch(plain)
    if found is None:
        return None
    label = found[1]
    return label if len(label) == 1 or not set(label) <= set("ivx") or label in ROMANS else None


def read_labels(image: NDArray[np.uint8], subfigures: list[Subfigure], reader: LabelReader) -> list[Subfigure]:
    """The panels of an RGB figure (H, W, 3) with the letters printed on them; None where there is none."""
    if len(subfigures) == 1:  # hardly any has a letter, and what looks like one is a side marker
        return subfigures
    candidates = label_boxes(image, subfigures)
    printed: list[list[Printed]] = [[] for _ in subfigures]
    for turn in range(max(map(len, candidates), default=0)):
        asked = [k for k, boxes in enumerate(candidates) if len(boxes) > turn and not _is_sure(printed[k], k)]
        readings = reader([_crop(image, candidates[k][turn]) for k in asked])
        for k, reading in zip(asked, readings):
            label = as_label(reading.text)
            if label is not None:
                printed[k].append(Printed(label, reading.score, candidates[k][turn]))
    return [_with_label(panel, found) for panel, found in zip(subfigures, settle_run(printed))]


def _is_sure(found: list[Printed], expected: int) -> bool:
    """Whether a letter is well read and the one that a run in reading order has on this panel."""
    return any(one.score >= SURE and _place(one.label, kind, expected) == expected for one in found for kind in KINDS)


def _crop(image: NDArray[np.uint8], box: Box) -> Crop:
    """The box with an eighth of its height around it."""
    pad = max(2, (box[3] - box[1]) // 8)
    return image[max(0, box[1] - pad) : box[3] + pad, max(0, box[0] - pad) : box[2] + pad]


def _with_label(panel: Subfigure, found: Printed | None) -> Subfigure:
    if found is None:
        return panel
    return replace(panel, label=found.label, label_box=found.box, label_score=round(found.score, 4))


def settle_run(printed: list[list[Printed]]) -> list[Printed | None]:
    """What is printed on each panel, in reading order, as one run: of one kind, without repeats and strays."""
    kind = max(KINDS, key=lambda kind: sum(_fit(found, kind, k)[0] for k, found in enumerate(printed)))
    chosen = [_fit(found, kind, k)[1] for k, found in enumerate(printed)]
    if not any(chosen):
        return [None] * len(printed)
    places = [None if found is None else _place(found.label, kind, k) for k, found in enumerate(chosen)]
    kept = _without_strays(places, [0.0 if found is None else found.score for found in chosen])
    if not _is_run(kept, chosen):
        return [None] * len(printed)
    return [
        None if found is None or place is None else replace(found, label=_name(place, kind))
        for found, place in zip(chosen, kept)
    ]


def _is_run(places: list[int | None], chosen: list[Printed | None]) -> bool:
    """Whether at least half of the panels have a letter, and a letter alone is a sure one in its place."""
    known = [k for k, place in enumerate(places) if place is not None]
    if 2 * len(known) < len(places) or not known:
        return False
    only = chosen[known[0]]
    return len(known) > 1 or (places[known[0]] == known[0] and only is not None and only.score >= SURE)


def _fit(found: list[Printed], kind: Kind, expected: int) -> tuple[float, Printed | None]:
    """The reading that fits a run of this kind best: as read before confused, in order before out of it."""
    best: tuple[float, Printed | None] = (0.0, None)
    for one in found:
        place = _place(one.label, kind, expected)
        if place is None:
            continue
        as_read = _name(place, kind) == one.label
        fit = one.score * (1.0 if place == expected else 0.5) * (1.0 if as_read else 0.8)
        best = max(best, (fit, one), key=lambda pair: pair[0])
    return best


def _place(label: str, kind: Kind, expected: int) -> int | None:
    """The label's place in a run of this kind, from 0; a confusion counts if it is what the run expects there."""
    places = [_place_of(form, kind) for form in _forms(label)]
    if expected in places:
        return expected
    return next((place for place in places if place is not None), None)


def _forms(label: str) -> list[str]:
    """The label, and what it may be mistaken for."""
    others = [form for group in CONFUSED if label in group for form in group if form != label]
    return [label, *others]


def _place_of(label: str, kind: Kind) -> int | None:
    if kind == "roman":
        return ROMANS.index(label) if label in ROMANS else None
    if kind == "digit":
        return int(label) - 1 if label.isdecimal() and int(label) > 0 else None
    right = len(label) == 1 and label.isascii() and (label.isupper() if kind == "upper" else label.islower())
    return ord(label.lower()) - ord("a") if right else None


def _name(place: int, kind: Kind) -> str:
    if kind == "roman":
        return ROMANS[place]
    if kind == "digit":
        return str(place + 1)
    return chr(ord("A" if kind == "upper" else "a") + place)


def _without_strays(places: list[int | None], scores: list[float]) -> list[int | None]:
    """Places far from the rest of the run, and repeats but for the best read, become None."""
    known = [place for place in places if place is not None]
    middle, reach = float(np.median(known)), len(places) + 1
    near = [place if place is not None and abs(place - middle) <= reach else None for place in places]
    best: dict[int, int] = {}
    for k, place in enumerate(near):
        if place is not None:
            holder = best.setdefault(place, k)
            in_order, held_in_order = place == k, place == holder
            if (in_order, scores[k]) > (held_in_order, scores[holder]):
                best[place] = k
    return [place if place is not None and best[place] == k else None for k, place in enumerate(near)]
