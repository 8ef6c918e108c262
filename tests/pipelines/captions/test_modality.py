"""The modality that captions name, on wordings of case reports."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from core.images import encode_png
from core.records import SeparatedFigure, SplitCaption, Subcaption, Subfigure
from pipelines.captions.modality import modality_of
from pipelines.matching.match import make_pairs


@pytest.mark.parametrize(
    ("caption", "modality"),
    [
        ("Axial T2-weighted image with a hyperintense lesion.", "MRI"),
        ("Coronal FLAIR image at follow-up.", "MRI"),
        ("T1 post-gadolinium sagittal view.", "MRI"),
        ("DWI of the pons (arrow).", "MRI"),
        ("Magnetic Resonance scan of the orbit.", "MRI"),
        ("Non-contrast Computed Tomography of the head.", "CT"),
        ("Axial CECT at the level of the ventricles.", "CT"),
        ("CT perfusion of the brain.", "CT"),
        ("A round lesion of 40 HU.", "CT"),
        ("Plain X-ray of the left hand.", "X-ray"),
        ("Lateral radiograph of the skull.", "X-ray"),
        ("DSA, left vertebral injection.", "angiography"),
        ("Late angiographic follow-up.", "angiography"),
        ("MR angiography of the circle of Willis.", "angiography"),
        ("Computed tomographic angiography, axial.", "angiography"),
        ("Computed tomography (CT) angiogram of the neck.", "angiography"),
        ("Coronal time-of-flight MR angiogram.", "angiography"),
        ("Transcranial Doppler of the left middle cerebral artery.", "ultrasound"),
        ("Transthoracic echocardiogram, parasternal view.", "ultrasound"),
        ("18F-FDG PET-CT with avid uptake.", "nuclear"),
        ("99mTc-ECD SPECT before treatment.", "nuclear"),
        ("Spindle cells in fascicles (H&E, ×400).", "microscopy"),
        ("Immunohistochemistry for GFAP.", "microscopy"),
        ("Electron micrograph of the tumor.", "microscopy"),
        ("Intraoperative photograph of the cyst.", "photograph"),
        ("Endoscopic view of the third ventricle.", "photograph"),
        ("Gross specimen after resection.", "photograph"),
        ("Ictal EEG with left temporal onset.", "trace"),
        ("12-lead electrocardiogram on admission.", "trace"),
        ("Pedigree of the family.", "other"),
        ("Ct values of the two genes.", "other"),
        ("Crystals by X-ray diffraction.", "other"),
        ("The lesion spreads to the T1 vertebra of the patient.", "MRI"),  # the price of "T1" alone as a hint
    ],
)
def test_the_words_of_a_caption_tell_its_modality(caption: str, modality: str) -> None:
    assert modality_of(caption) == modality


def test_the_first_named_counts_and_words_of_the_pixels_only_where_none_is_named() -> None:
    assert modality_of("Hyperdense clot on CT; MRI shows the same.") == "CT"
    assert modality_of("A hyperintense lesion, later biopsied: CT.") == "CT"
    assert modality_of("A hypodense lesion.") == "CT"


def test_the_next_text_speaks_where_the_first_is_silent() -> None:
    assert modality_of("After treatment.", "Brain MRI. (A) CT before and (B) after treatment.") == "MRI"
    assert modality_of("CT after treatment.", "Brain MRI.") == "CT"
    assert modality_of() == modality_of("", "The patient.") == "other"


def test_a_pair_has_the_modality_of_its_text_or_else_of_its_caption() -> None:
    words = {"A": "CT before.", "B": "after treatment."}
    figure = SeparatedFigure(
        figure_id="PMC1.1/g1", article_id="PMC1.1", title="", article_type="case-report", doi=None, year=None,
        licence="CC BY", attribution="A", media_url="s3://x", md5="0" * 32,
        image=encode_png(Image.new("RGB", (40, 20))), image_format="PNG", width=40, height=20, n_frames=1, label=None,
        caption="Brain MRI. (A) CT before. (B) after treatment.", emphasis=[], mentions=[], notes=[],
        subfigures=[
            Subfigure(box=(20 * n, 0, 20 * n + 20, 20), score=1.0, label=letter, label_score=0.9)
            for n, letter in enumerate(words)
        ],
        split_caption=SplitCaption(
            preamble="", subcaptions=[Subcaption(labels=[letter], text=text) for letter, text in words.items()],
            tail="", confidence=1.0, reason="letters",
        ),
    )  # fmt: skip
    assert [pair.modality for pair in make_pairs(figure, rule="joint", split="test")] == ["CT", "MRI"]
    assert [pair.modality for pair in make_pairs(figure, rule="whole", split="test")] == ["MRI"]


@pytest.mark.shared
def test_most_captions_of_brain_case_reports_name_one(shared: Path) -> None:
    rows = json.loads((shared / "captions" / "openi_unlabelled.json").read_text())
    found = [modality_of(re.sub("</?b>", "", row["caption"])) for row in rows]
    assert found.count("other") / len(found) < 0.1
    assert found.count("MRI") > found.count("CT") > found.count("angiography") > found.count("X-ray")
