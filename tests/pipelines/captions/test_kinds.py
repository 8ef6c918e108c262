"""Kinds of captions that were once read wrongly, each by a caption written for it: which labels name panels."""

import pytest

from pipelines.captions.split import split_caption

KINDS: dict[str, list[tuple[str, str]]] = {
    "a stain, an isomer or an abbreviation is no label after a gap": [
        ("(A) Sheets of cells (H&E). (B) Ki-67. (C) GFAP. Mitoses (E) were counted in ten fields.", "A B C"),
        ("(A) Pathway to (E)-2-hexenal. (B) Yield of (Z)-3-hexenol. (C) Trace of (R)- and (S)-linalool.", "A B C"),
        ("(A) Cytosol. (B) Plastid. E,E-FPP, 2E,6E-farnesyl diphosphate; D,L-alanine, racemic alanine.", "A B"),
        ("(A) Sagittal image with the pons (P), medulla (M) and cerebellum (C). (B) Axial image.", "A B"),
        ("Pathway. DXP: 1-deoxy-D-xylulose; MEP: 2-C-methyl-D-erythritol; CDP: 3-E-kinase.", ""),
    ],
    "words stand in the bracket of a label": [
        ("Tumor (A, H&E), (B, GFAP), (C, Ki67).", "A B C"),
        ("Tumor (A, in red, 200x), stroma (B, in green, 200x) and vessels (C, in blue, 400x).", "A B C"),
        ("T1 (A, before contrast; arrow), T2 (B, same level), and FLAIR (C, two days later, 3 T).", "A B C"),
        ("Tumor (A; H&E, ×100), inflammation (B; H&E, ×200) and necrosis (C; H&E, ×400).", "A B C"),
        ("MRI (A, left; B, right).", "A B"),
    ],
    "one mark is mistyped": [
        ("CT scan (A), T1 MRI (B) and C) T2 MRI.", "A B C"),
        ("(A) CT scan. (B Axial MRI. (C) Coronal MRI.", "A B C"),
        ("A) CT scan. B) Axial MRI. C Coronal MRI.", "A B C"),
        ("A. CT scan. B., axial MRI. C., coronal MRI.", "A B C"),
        ("(a) CT at admission, (b)- CT after a week, (c} CT after a month", "a b c"),
        ("Chest film. A. Pleural line B. Chest tube C. Rib", "A B C"),
    ],
    "a label that is only referred to is none": [
        ("A. CT shows a lesion. B. MRI. C. PET. As in A, the lesion in B is round. See (E) of Figure 2.", "A B C"),
        ("(A) Angiogram at 00:12. (B) Same view as in (A) at 00:45 (C-arm rotated).", "A B"),
    ],
    "bare capitals in their turn": [
        ("Habitus: A dorsal view B ventral view C lateral view. Scale bar 1 mm.", "A B C"),
        ("Initial CT A Axial image B Coronal image C Sagittal image", "A B C"),
        ("Deficiency of vitamin A in rats, of vitamin B in mice and of vitamin C in men.", ""),
        ("A man with hepatitis B infection and with protein C deficiency.", ""),
    ],
    "numbers of the figure before its letters": [
        ("Fig. 1a: CT of the head. Fig. 1b: MRI of the head. Fig. 1c: angiogram.", "a b c"),
        ("(7A) CT shows a mass. (7B) MRI shows a mass. (7C) Angiogram.", "A B C"),
        ("Figure 12A. CT scan. Figure 12B. MRI scan.", "A B"),
        ("In panels A and B, CT scans are shown. In panel C, MRI is shown.", "A B C"),
        ("Reduction of 3a and 3b with hydrogen.", ""),
    ],
    "footnotes and counts are none": [
        ("Values of patients. a P < 0.05, b P < 0.01, c P < 0.001 versus control.", ""),
        ("Results at 3 weeks. a Significant difference from baseline. b Significant difference from controls.", ""),
        ("(A) Survival. (B) Volume. aP < 0.05 vs control; bP < 0.01 vs saline; cP < 0.001.", "A B"),
        ("Three lesions: (1) frontal, (2) parietal and (3) occipital.", ""),
    ],
    "runs that begin late": [
        ("(C) Axial MRI at one month. (D) Axial MRI at two months.", "C D"),
        ("Axial MRI at one month (R). (S) is the sacrum.", ""),
    ],
    "letters beat words of place": [
        (
            "Masses of A, LipH; B, LipN and C, LipY. D, spectra before (top) and after (bottom) incubation.",
            "A B C D",
        ),
    ],
    "words of place in running text": [
        ("CT scans in the top panel show a mass, those in the bottom panel show none.", "bottom top"),
        ("The top two rows are of the patient and the bottom two rows are of a healthy child.", "bottom_two top_two"),
    ],
}


@pytest.mark.parametrize(
    ("caption", "labels"), [case for cases in KINDS.values() for case in cases], ids=lambda value: str(value)[:40]
)
def test_the_labels_are_those_that_name_panels(caption: str, labels: str) -> None:
    split = split_caption(caption, min_confidence=0.5)
    assert " ".join(sorted(label.replace(" ", "_") for part in split.subcaptions for label in part.labels)) == labels


@pytest.mark.parametrize(
    ("caption", "texts"),
    [
        (
            "Coronal (A) and sagittal (B) images of the brain and cord (C) showing enhancement.",
            {"A": "Coronal images of the brain showing enhancement.", "C": "cord showing enhancement."},
        ),
        (
            "Axial FLAIR (A) and T2 (B) images show edema; T1 (C) shows a ring.",
            {"A": "Axial FLAIR images show edema", "B": "T2 images show edema", "C": "T1 shows a ring."},
        ),
        (
            "A: kidney; B: brain; and vessels (C). PAS staining (A, B), HE staining (C).",
            {"A": "kidney PAS staining.", "B": "brain PAS staining."},
        ),
        ("Axial (A) and coronal (B) T1; FLAIR, (C).", {"C": "FLAIR."}),
    ],
)
def test_what_is_said_of_all_reaches_all(caption: str, texts: dict[str, str]) -> None:
    split = split_caption(caption, min_confidence=0.5)
    found = {label: part.text for part in split.subcaptions for label in part.labels}
    assert {label: found.get(label) for label in texts} == texts
