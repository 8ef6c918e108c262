"""The words of drawn chest reports: findings in several phrasings, their absence, boilerplate, and prompts."""

from phantom.chest.study import Device, Kind

# Singular and plural; "{}" is where the side and zone may stand.
NOUNS: dict[Kind, tuple[tuple[str, str], ...]] = {
    "Pneumothorax": (("{} pneumothorax", "{} pneumothoraces"), ("{} apical pneumothorax", "{} apical pneumothoraces")),
    "Effusion": (("{} pleural effusion", "{} pleural effusions"), ("{} effusion", "{} effusions"),
                 ("{} basal pleural effusion", "{} basal pleural effusions")),
    "Consolidation": (("{} consolidation", "{} consolidations"), ("{} airspace opacity", "{} airspace opacities"),
                      ("{} airspace consolidation", "{} airspace consolidations")),
    "Nodule": (("{} nodule", "{} nodules"), ("{} pulmonary nodule", "{} pulmonary nodules"),
               ("{} lung nodule", "{} lung nodules"), ("{} rounded nodular density", "{} rounded nodular densities")),
    "Atelectasis": (("band of {} atelectasis", "bands of {} atelectasis"),
                    ("{} atelectatic band", "{} atelectatic bands"), ("{} plate of atelectasis", "{} atelectasis")),
    "Edema": (("degree of {} pulmonary edema", "{} interstitial edema"),),
    "Cardiomegaly": (("degree of {} cardiomegaly", "{} cardiomegaly"),),
    "Hernia": (("{} hiatal hernia", "{} hiatal hernias"), ("{} hiatus hernia", "{} hiatus hernias")),
}  # fmt: skip
# Small, moderate, large.
SIZES: dict[Kind, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "Pneumothorax": (("small", "tiny"), ("moderate", "moderate-sized"), ("large",)),
    "Effusion": (("small", "trace"), ("moderate", "medium-sized"), ("large",)),
    "Consolidation": (("small", "focal"), ("patchy", "moderate"), ("extensive", "large")),
    "Nodule": (("small", "subtle"), ("well-defined", "round"), ("large", "dominant")),
    "Atelectasis": (("minor", "thin"), ("linear", "discoid"), ("plate-like", "prominent")),
    "Edema": (("mild",), ("moderate",), ("severe", "marked")),
    "Cardiomegaly": (("mild",), ("moderate",), ("marked", "severe")),
    "Hernia": (("small",), ("moderate", "moderate-sized"), ("large",)),
}
# {size} {side} {zone} {cm} {mm} {ratio}; "of one side" and "of both".
OWN: dict[Kind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Pneumothorax": ((
        "A pleural line is seen at the {side} apex, consistent with a {size} pneumothorax.",
        "Pleural air over the {side} lung indicates a {size} pneumothorax.",
        "{size} {side} PTX without shift of the mediastinum.",
    ), ()),
    "Effusion": ((
        "The {side} costophrenic angle is blunted by {size} pleural effusion.",
        "{size} pleural fluid layers at the {side} base.",
        "Meniscus at the {side} base, compatible with a {size} effusion.",
    ), (
        "Both costophrenic angles are blunted by {size} pleural effusions.",
        "{size} pleural fluid at both bases.",
    )),
    "Consolidation": ((
        "Airspace opacity with air bronchograms in the {side} {zone}.",
        "{size} consolidation of the {side} {zone}, concerning for pneumonia.",
        "Confluent opacification of the {side} {zone} suggests pneumonia.",
    ), (
        "Bilateral {zone} consolidations with air bronchograms.",
    )),
    "Nodule": ((
        "A {cm} cm nodule projects over the {side} {zone}.",
        "{side} {zone} nodule measuring {mm} mm.",
        "There is a {cm} cm round nodular opacity in the {side} {zone}.",
    ), ()),
    "Atelectasis": ((
        "Linear opacities in the {side} {zone} represent {size} atelectasis.",
        "There is {size} atelectasis in the {side} {zone}.",
        "{size} subsegmental atelectasis of the {side} {zone}.",
    ), (
        "There is {size} bibasilar atelectasis.",
        "Bilateral linear opacities represent {size} atelectasis.",
    )),
    "Edema": ((), (
        "There is {size} pulmonary edema.",
        "{size} interstitial edema with Kerley B lines.",
        "Perihilar haze and reticular lines are consistent with {size} pulmonary edema.",
        "{size} vascular congestion and interstitial edema.",
    )),
    "Cardiomegaly": ((
        "There is {size} cardiomegaly.",
        "The cardiac silhouette shows {size} enlargement.",
        "{size} enlargement of the heart.",
        "Cardiomegaly with a cardiothoracic ratio of {ratio}.",
        "The heart is enlarged.",
    ), ()),
    "Hernia": ((
        "A retrocardiac air-fluid level is consistent with a {size} hiatal hernia.",
        "There is a {size} hiatal hernia.",
        "{size} hiatus hernia behind the heart.",
    ), ()),
}  # fmt: skip
BY_PHRASE: frozenset[Kind] = frozenset({"Edema", "Cardiomegaly"})  # said in OWN's words alone: they cannot be counted
FRAMES = ("There {is} {noun}.", "{noun} {is} seen.", "{noun} {is} present.", "{noun} {is} noted.",
          "Findings are consistent with {noun}.", "{noun}.")  # fmt: skip
ZONES = {
    "upper": ("upper lobe", "upper zone", "upper lung"),
    "mid": ("mid zone", "mid lung", "midlung"),
    "lower": ("lower lobe", "lower zone", "lung base"),
    "apical": ("apex",), "basal": ("base",), "central": ("",),
}  # fmt: skip
ABSENT: dict[Kind, tuple[str, ...]] = {
    "Pneumothorax": ("pneumothorax",),
    "Effusion": ("pleural effusion", "effusion"),
    "Consolidation": ("consolidation", "focal consolidation", "airspace opacity"),
    "Nodule": ("nodule", "pulmonary nodule"),
    "Atelectasis": ("atelectasis",),
    "Edema": ("pulmonary edema", "interstitial edema"),
    "Cardiomegaly": ("cardiomegaly", "enlargement of the heart"),
    "Hernia": ("hiatal hernia", "hiatus hernia"),
}
DENIALS = ("No {}.", "There is no {}.", "No evidence of {}.", "No {} is seen.", "Negative for {}.")
# What says that all of several are absent, in words of its own.
CLEAR: tuple[tuple[frozenset[Kind], tuple[str, ...]], ...] = (
    (frozenset({"Cardiomegaly"}), ("The heart size is normal.", "Cardiac silhouette is within normal limits.",
                                   "The heart is not enlarged.", "Normal heart size.")),
    (frozenset({"Consolidation", "Nodule", "Atelectasis", "Edema"}), ("The lungs are clear.", "Lungs are well expanded "
                                                                      "and clear.", "Both lungs are clear.")),
    (frozenset({"Effusion"}), ("The costophrenic angles are sharp.",)),
)  # fmt: skip
TECHNIQUE = ("Single frontal {view} view of the chest.", "{view} chest radiograph.", "Portable {view} chest film.",
             "Frontal radiograph of the chest was obtained at ___.", "{view} view, 110 kV and 2.5 mAs.")  # fmt: skip
FIRST = ("No prior studies are available for comparison.", "Comparison: None.", "No previous film.")
SECOND = ("Comparison is made with the prior study of ___.", "Compared with the film of ___, the technique is similar.",
          "Comparison: Chest radiograph from ___.")  # fmt: skip
REMARKS = (
    "The osseous structures are intact.", "No acute osseous abnormality.", "Imaged bones are unremarkable.",
    "Mild degenerative changes of the thoracic spine, e.g. small osteophytes.", "The mediastinal contours are normal.",
    "Hilar contours are unremarkable.", "The trachea is midline.", "The upper abdomen is unremarkable.",
    "Patient is slightly rotated.", "Lung volumes are satisfactory.", "Soft tissues are unremarkable.",
    "Dr. ___ was informed by telephone at 9.40 a.m.", "Clinical information: ___ year old with cough.",
)  # fmt: skip
DEVICES: dict[Device, tuple[str, ...]] = {
    "pacemaker": ("A left-sided pacemaker is in place.", "Dual-chamber pacemaker with leads in standard position."),
    "central line": ("The central venous catheter ends in the SVC.", "CVC tip projects over the superior vena cava."),
    "tube": ("The ET tube ends 4.5 cm above the carina.", "Endotracheal tube in standard position."),
    "electrodes": ("Monitoring leads overlie the chest.", "ECG electrodes are noted."),
    "wires": ("Median sternotomy wires are intact.", "Status post sternotomy with intact wires."),
}
NORMAL = ("No acute cardiopulmonary process.", "Normal chest radiograph.", "No acute intrathoracic abnormality.")

# Of every finding: sentences that say it is there, and sentences that say it is not, in the words of these reports.
PROMPTS: dict[Kind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Pneumothorax": (("There is a pneumothorax.", "Left apical pneumothorax is seen.", "Small right pneumothorax.",
                      "Pleural air indicates a large pneumothorax."),
                     ("No pneumothorax.", "There is no pneumothorax.", "No evidence of pneumothorax.")),
    "Effusion": (("There is a pleural effusion.", "Small left pleural effusion is seen.", "Right effusion.",
                  "The costophrenic angle is blunted by pleural effusion."),
                 ("No pleural effusion.", "There is no effusion.", "The costophrenic angles are sharp.")),
    "Consolidation": (("There is a consolidation.", "Left lower lobe consolidation is seen.",
                       "Right upper zone airspace opacity.", "Airspace opacity with air bronchograms."),
                      ("No consolidation.", "There is no focal consolidation.", "The lungs are clear.")),
    "Nodule": (("There is a nodule.", "Small left upper lobe nodule is seen.", "A 1.8 cm nodule in the right lung.",
                "Right lung nodule."),
               ("No nodule.", "There is no pulmonary nodule.", "The lungs are clear.")),
    "Cardiomegaly": (("There is cardiomegaly.", "The heart is enlarged.", "Moderate enlargement of the heart."),
                     ("The heart size is normal.", "The heart is not enlarged.", "No cardiomegaly.")),
    "Atelectasis": (("There is atelectasis.", "Left lower zone atelectatic band is seen.",
                     "Linear opacities represent atelectasis.", "Band of right mid zone atelectasis."),
                    ("No atelectasis.", "There is no atelectasis.", "The lungs are clear.")),
    "Edema": (("There is pulmonary edema.", "Moderate interstitial edema with Kerley B lines.",
               "Vascular congestion and interstitial edema."),
              ("No pulmonary edema.", "There is no interstitial edema.", "The lungs are clear.")),
    "Hernia": (("There is a hiatal hernia.", "Large hiatus hernia behind the heart.",
                "A retrocardiac air-fluid level is consistent with a hiatal hernia."),
               ("No hiatal hernia.", "There is no hiatal hernia.", "No evidence of hiatus hernia.")),
}  # fmt: skip
