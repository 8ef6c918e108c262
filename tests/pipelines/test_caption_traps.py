"""Each trap that real captions set, in the order of a list made by reading 1,000 captions of case reports."""

from pipelines.captions.split import split_caption


def texts_of(caption: str) -> dict[str, str]:
    split = split_caption(caption, min_confidence=0.5)
    return {label: part.text for part in split.subcaptions for label in part.labels}


def test_trap_crossed_lists() -> None:
    texts = texts_of(
        "Diffusion images (A and C) and ADC maps (B and D) show infarction in the left middle territory"
        " (A and B, arrow) and in the right posterior territory (C and D, arrow)."
    )
    assert texts == {
        "A": "Diffusion images show infarction in the left middle territory (arrow).",
        "C": "Diffusion images show infarction in the right posterior territory (arrow).",
        "B": "ADC maps show infarction in the left middle territory (arrow).",
        "D": "ADC maps show infarction in the right posterior territory (arrow).",
    }


def test_trap_a_stray_letter_a_marker_in_mid_sentence_and_a_vessel() -> None:
    texts = texts_of(
        "BAngiograms of both sides. (A) Left arteriogram shows stenosis (arrow) with (B) collateral flow."
        " (C, D) Right arteriogram shows stenosis of the A1 portion."
    )
    assert texts["A"] == "Left arteriogram shows stenosis (arrow)"
    assert texts["B"] == "collateral flow."
    assert texts["D"] == "Right arteriogram shows stenosis of the A1 portion."


def test_trap_a_predicate_that_panels_share() -> None:
    texts = texts_of("(A-C) Axial CT images and (D) an axial MR image show a haematoma.")
    assert texts["A"] == "Axial CT images show a haematoma."
    assert texts["D"] == "an axial MR image show a haematoma."


def test_trap_ranges_in_the_preamble_that_name_patients() -> None:
    caption = "MRI of orbits (A-B: III-1; C-D: II-2). A: Optic nerve. B: Cerebellum. C and D: Brain stem."
    split = split_caption(caption, min_confidence=0.5)
    assert split.preamble == "MRI of orbits (A-B: III-1; C-D: II-2)."
    assert texts_of(caption) == {"A": "Optic nerve.", "B": "Cerebellum.", "C": "Brain stem.", "D": "Brain stem."}


def test_trap_words_glued_together_and_panels_that_refer_to_each_other() -> None:
    caption = (
        "A brain.Notes: (A and B) CT on day 1; image A shows a higher level than image B; (C) MRI on day 30."
        "Abbreviations: CT, computed tomography."
    )
    split = split_caption(caption, min_confidence=0.5)
    assert (split.preamble, split.tail) == ("A brain.", "Abbreviations: CT, computed tomography.")
    assert texts_of(caption)["B"] == "CT on day 1; image A shows a higher level than image B"


def test_trap_a_legend_in_the_form_of_a_label() -> None:
    assert list(texts_of("(A) CT of a boy (27 months).R: Right.(B) Results of it.")) == ["A", "B"]


def test_trap_texts_within_brackets_and_a_legend_with_colons() -> None:
    caption = (
        "SPECT shows low flow (A: at rest, B: after stress). MRI shows perfusion [C: volume (CBV), D: flow (CBF)]."
        " SPECT: Single photon emission tomography, CBF: blood flow."
    )
    split = split_caption(caption, min_confidence=0.5)
    assert texts_of(caption) == {
        "A": "SPECT shows low flow at rest",
        "B": "SPECT shows low flow after stress",
        "C": "MRI shows perfusion volume (CBV)",
        "D": "MRI shows perfusion flow (CBF)",
    }
    assert split.tail == "SPECT: Single photon emission tomography, CBF: blood flow."


def test_trap_labels_out_of_order_and_grids() -> None:
    texts = texts_of(
        "Brain. (B) Reveals gliosis and (A) reveals swelling. (A1-B1) Frontal lobe. (A2-B2) Temporal lobe."
    )
    assert (texts["A"], texts["B"]) == (
        "reveals swelling. Frontal lobe. Temporal lobe.",
        "Reveals gliosis Frontal lobe. Temporal lobe.",
    )
    assert list(texts_of("(A1-D1) Frontal lobe. (A2-D2) Temporal lobe.")) == [
        *("A1", "B1", "C1", "D1"),
        *("A2", "B2", "C2", "D2"),
    ]


def test_trap_a_case_that_changes_and_back_references() -> None:
    texts = texts_of(
        "(a-d) Axial images. (E-H) A year later. Images F-H are at the level of D. (I-L) Later (arrows in J and L)."
    )
    assert list(texts) == list("abcdEFGHIJKL")
    assert texts["E"] == "A year later."
    assert texts["F"] == "A year later. Images F-H are at the level of D."
    assert texts["L"] == "Later (arrows in J and L)."


def test_trap_a_heading_of_a_group() -> None:
    texts = texts_of("a–c Case 1. a Axial image. b Diffusion image. c Contrast image. d Biopsy (case 1): tumour cells.")
    assert texts == {
        "a": "Case 1. Axial image.",
        "b": "Case 1. Diffusion image.",
        "c": "Case 1. Contrast image.",
        "d": "Biopsy (case 1): tumour cells.",
    }


def test_trap_lower_labels_that_start_anew() -> None:
    texts = texts_of("(A) Before: sagittal T1 (i); axial T1 (ii). (B) After: axial T1 (i); sagittal T1 (ii).")
    assert texts == {"A": "Before: sagittal T1 (i); axial T1 (ii).", "B": "After: axial T1 (i); sagittal T1 (ii)."}


def test_trap_labels_named_twice_and_a_missing_full_stop() -> None:
    texts = texts_of("Retinas (A, B), fundus (C). A. Right eye. B. Left eye (arrow) C. Left eye in colour (OS).")
    assert list(texts) == ["A", "B", "C"]
    assert texts["A"] == "Retinas. Right eye."
    assert texts["C"] == "fundus. Left eye in colour (OS)."


def test_trap_malformed_markers() -> None:
    texts = texts_of("Lesions. a Gross image. b Cortex, stain 400x. c and e) Healthy dog. d and f): Sick dog.")
    assert texts["b"] == "Cortex, stain 400x."
    assert (texts["c"], texts["e"], texts["f"]) == ("Healthy dog.", "Healthy dog.", "Sick dog.")


def test_trap_structures_named_by_letters_within_a_panel() -> None:
    texts = texts_of(
        "(A) Brain with telencephalon (T), diencephalon (D), pons (P), cerebellum (C). (B) Cord. (C) Nerve. (D) Eye."
    )
    assert texts["A"] == "Brain with telencephalon (T), diencephalon (D), pons (P), cerebellum (C)."
    assert (texts["C"], texts["D"]) == ("Nerve.", "Eye.")


def test_trap_places_and_letters_together() -> None:
    texts = texts_of(
        "T1 images (images on the left, A and C) as well as T2 images (images on the right, B and D)."
        " Images A and B show lesions before therapy. Images C and D were taken after it."
    )
    assert texts["D"] == "T2 images (images on the right). Images C and D were taken after it."


def test_trap_a_truncated_caption() -> None:
    assert texts_of("MRI showed a delta sign (A, arrowed) and venography confirmed thrombosis (B") == {
        "A": "MRI showed a delta sign (arrowed)",
        "B": "venography confirmed thrombosis",
    }


def test_trap_numbers_that_count_patients() -> None:
    texts = texts_of("a Patient 1 initial MRI. b Patient (1) follow up MRI. There is marked reduction.")
    assert texts == {"a": "Patient 1 initial MRI.", "b": "Patient (1) follow up MRI. There is marked reduction."}
