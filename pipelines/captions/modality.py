"""The imaging modality that a caption names, by the words of those who write captions (classes after ImageCLEF's)."""

import re

from core.records import Modality

# Words in any case, and abbreviations as they are written: "CT" is a scan, "Ct" a cycle of PCR.
NAMED: dict[Modality, tuple[str, str]] = {
    "angiography": (
        r"""
        (?: \b(?:mri?|ct|magnetic[ -]resonance|comput\w{1,6}\ tomogra\w{1,4}|digital[ -]subtraction
                |time[ -]of[ -]flight)\b (?:\ \([^)]{1,20}\))? [\s-]{0,3} (?:cerebral\ )? ){0,3}
        (?: angiogra | arteriogra | venogra | angio\b | angio-?ct )
        | time[ -]of[ -]flight
        """,
        r"DSA | CTA | MRA | CTV | MRV | TOF",
    ),
    "nuclear": (
        r"""
        positron[ -]emi | single[ -]photon | fluorodeoxyglucose | scintigra | radionuclide | technetium | \b99m
        | \bbone\ scans?\b | \bdats?can\b
        """,
        r"(?:CT[-/ ])?(?:\d*F-?)?(?:FDG[-\s]*)?(?:PET|SPECT) | FDG | MIBG",
    ),
    "MRI": (
        r"""
        magnetic[ -]reson?ance | fluid[ -]attenuat | \bflair\b | (?:spin|gradient)[ -]echo | gadolinium | tractogra
        | (?:diffusion|susceptibility)[ -](?:weighted|tensor)
        | \bt[12]\*?-?(?:w|wi|weighted|flair|fse|tse|se)\b
        | \bt[12]\*?\ (?:weighted|wi?\b|flair|stir|fs\b|tse|fse|se\b|mr|ima|scan|sequence|slice|axial|sagittal|coronal
            |post|pre|with|contrast|gad|hyper|hypo|iso|signal|bright|dark)
        """,
        r"[fq]?MRIs? | N?MR | MRS | MRCP | DWI | ADC | SWI | STIR | DTI | GRE | FIESTA | CISS | MPRAGE | SPGR",
    ),
    "CT": (
        r"comput(?:ed|er|eri[sz]ed)(?:\ axial)?\ (?:tomogra|scan) | hounsfield | \bcat\ scans?\b",
        r"(?:HR|CE|NC|NE|MD|MS|CB)?CTs?",
    ),
    "X-ray": (
        r"""
        \bx[- ]?rays?\b(?!\ (?:diffract|crystal|photo|fluoresc|struct|microa)) | radiographs?\b | radiography\b
        | radiogram | roentgen | orthopantomogra | mammogra | fluoroscop | myelogra | \bbarium
        """,
        r"CXR | OPG",
    ),
    "ultrasound": (
        r"ultraso(?:und|nogra) | sonogra | \bechocardiogra | echoendoscop | doppler | trans(?:thoracic|o?esophageal)\ ",
        r"TTE | TEE | TCD | EUS | IVUS | US(?=\ (?:imag|scan|show|reveal|exam))",
    ),
    "microscopy": (
        r"""
        histo(?:log|patholog) | cytolog | micro-?photo | \bmicrographs? | immuno(?:histo|stain|fluor|cyto)
        | photo-?micro | (?<!operative\ )(?<!surgical\ )\bmicroscop | \belectron\ micro | ha?ematoxylin
        | \bstain(?:s|ed|ing)?\b | magnification | ×\ ?\d{2,4}\b | \b\d{2,4}\ ?×
        | (?<!\w)[x*]\ ?(?:20|40|50|100|200|250|400|600|630|1000)\b
        """,
        r"H\s?(?:&|&amp;|and|/)\s?E | HE",
    ),
    "photograph": (
        r"""
        \bphoto(?:graph|s?\b) | (?<!echo)endoscop | fundus | macroscop | \bgross\ | surgical\ (?:view|specimen|field)
        | intra-?operative\ (?:\w+\ )?(?:view|imag|find|photo|pictur|appear|field|microscop)
        | (?:broncho|colono|gastro|cysto|laparo|arthro|hystero|laryngo|oto|thoraco|derm(?:at)?o)scop
        | clinical\ (?:photo|pictur|appear|imag|feature|presentation)
        """,
        r"OR\ view",
    ),
    "trace": (
        r"electroencephalogra | electrocardiogra | electromyogra | polysomnogra | electrophysiolog",
        r"v?[ai]?EEGs? | ECGs? | EKGs? | EMGs? | MEG | PSG",
    ),
}
# Looked for only where nothing is named: what is said of the pixels of one modality alone.
HINTED: dict[Modality, tuple[str, str]] = {
    "MRI": (
        r"(?:hyper|hypo|iso)-?intens | signal\ intensit | (?:high|low|bright)[ -]signal | restricted\ diffusion",
        "T[12]",
    ),
    "CT": (
        r"(?:hyper|hypo|iso)-?(?:dens|attenuat) | (?:high|low)[ -](?:attenuation|density) | (?:bone|lung)\ window",
        "HU",
    ),
    "ultrasound": (r"(?:hyper|hypo|an|iso)-?echo(?:ic|gen) | (?:apical|parasternal|subcostal)\ ", "LVOT"),
    "nuclear": (r"(?:tracer|isotope|metabolic)\ (?:uptake|activity) | (?:hyper|hypo)metaboli", "SUV"),
    "microscopy": (
        r"tumou?r\ cells | \bnuclei\b | cytoplasm | mitos[ei]s | mitotic | spindle\ cells? | biopsy",
        "GFAP",
    ),
}


def modality_of(*texts: str) -> Modality:
    """The modality that the first of the texts to tell one begins with; "other" where none does.

    An angiogram is one by catheter, CT or MRI alike; PET-CT is nuclear; endoscopy and gross specimens are photographs.
    """
    for text in texts:
        for patterns in (_NAMED, _HINTED):
            places = [(at.start(), name) for name, pattern in patterns.items() if (at := pattern.search(text))]
            if places:
                return min(places, key=lambda place: place[0])[1]
    return "other"


def _compiled(words: str, abbreviations: str) -> re.Pattern[str]:
    return re.compile(rf"(?i:{words}) | \b(?:{abbreviations})\b", re.VERBOSE)


_NAMED = {name: _compiled(*both) for name, both in NAMED.items()}
_HINTED = {name: _compiled(*both) for name, both in HINTED.items()}
