"""The numbers that MLIP publishes (Tables 1 to 4), in percent, and what has to be known to read them."""

OURS = "MLIP"  # "Ours" in the paper's tables

# Zero-shot, by method: AUC and F1 on RSNA, on SIIM, and the average. MedKLIP had additional information.
TABLE_1_COLUMNS = (("RSNA", "AUC"), ("RSNA", "F1"), ("SIIM", "AUC"), ("SIIM", "F1"))
TABLE_1: dict[str, tuple[float | None, ...]] = {
    "ConVIRT": (80.42, 58.42, 64.31, 43.29),
    "GLoRIA": (71.45, 49.01, 53.42, 38.23),
    "BioViL": (82.80, 58.33, 70.79, 48.55),
    "CheXzero": (85.79, 63.42, 68.79, 47.04),
    "SAT": (None, 62.00, None, None),
    "MedKLIP": (86.94, 63.42, 89.24, 68.33),
    OURS: (90.02, 82.51, 89.49, 79.70),
}
TABLE_1_NOTE = (
    "The paper's other rows are referenced from SAT and MedKLIP; the F1 of MedKLIP is the best that any threshold "
    "reaches on the test set. MLIP's own prompts and threshold are not stated. Beside an AUC of 90.0, where 22.8 % "
    "have the finding, its F1 of 82.5 is none of the finding alone (about 70 is to be expected); it may be a mean over "
    "both classes."
)

# Few-shot, the backbone frozen, by method: AUC of a data set at a share of its training data.
TABLE_2_COLUMNS = (("RSNA", 0.01), ("NIH", 0.01), ("SIIM", 0.1))
TABLE_2: dict[str, tuple[float, ...]] = {
    "Baseline": (71.07, 60.05, 61.20),
    "ConVIRT": (83.98, 66.15, 78.26),
    "GLoRIA": (85.99, 67.10, 85.38),
    "BioViL": (82.33, 69.52, 77.75),
    "MedKLIP": (87.31, 77.21, 90.71),
    OURS: (91.03, 78.26, 90.69),
}
TABLE_2_NOTE = (
    "The paper's other rows are referenced from MedKLIP, which trains all weights; MLIP says that its backbone was "
    "frozen, and so it is here."
)

# Segmentation, by method: Dice on SIIM with 10 % of the training data.
TABLE_3: dict[str, float] = {
    "ConVIRT": 43.2,
    "GLoRIA-CNN": 46.9,
    "GLoRIA-ViT": 71.8,
    "SAT": 68.2,
    "MedKLIP": 72.1,
    "MGCA": 59.3,
    "REFERS": 72.1,
    "MRM": 73.2,
    OURS: 73.5,
}
TABLE_3_NOTE = (
    "The paper follows MRM, which trains all weights and counts an image without the finding as 1 where nothing is "
    "drawn: as 78 % of SIIM have none, drawing nothing at all scores about 78 by that count, above every row. The Dice "
    "of the images that have the finding stands beside it. The other rows are referenced from SAT and MRM."
)

# The ablation, in the order of the paper's rows; see app.papers.mlip_models.ROWS.
TABLE_4: dict[str, float] = {
    "contrast": 83.814,
    "integrity": 85.574,
    "contrast + SPM": 86.081,
    "integrity + SPM": 86.046,
    "integrity + SPM + MIP": 86.557,
}
TABLE_4_NOTE = (
    "The paper's AVG is “the averaged score of zero-shot and few-shot classification”; that of its last row does not "
    "follow from its Tables 1 and 2, whose averages have the mean 86.05. No seeds or intervals are stated."
)

# MLIP's own numbers of Tables 1 to 3 by task, data set, metric and share, each with its table.
PRINTED: dict[tuple[str, str, str, float | None], tuple[float | None, int]] = {
    **{("zero-shot", name, metric.lower(), None): (v, 1) for (name, metric), v in zip(TABLE_1_COLUMNS, TABLE_1[OURS])},
    **{("few-shot", name, "auc", share): (v, 2) for (name, share), v in zip(TABLE_2_COLUMNS, TABLE_2[OURS])},
    ("segmentation", "SIIM", "dice", None): (TABLE_3[OURS], 3),
}
