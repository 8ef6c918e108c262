"""Texts that are hard to cut into sentences, with the truth: abbreviations, decimals, lists, blanks, captions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.records import Sentence
from phantom.brain.wording import Facts, panel_sentence, pick
from phantom.pages.case import Case, plan_case

# What ends in a full stop and goes on; most of it may also end its sentence, and some sentences here do.
ABBREVIATIONS = (
    "Dr.", "Drs.", "Mr.", "Mrs.", "Ms.", "Prof.", "St.", "vs.", "i.e.", "e.g.", "cf.", "al.", "etc.", "approx.", "ca.",
    "Fig.", "Figs.", "fig.", "No.", "no.", "Nos.", "a.m.", "p.m.", "A.M.", "P.M.", "Inc.", "Ltd.", "Co.", "Corp.",
    "U.S.", "U.S.A.", "U.K.", "Ph.D.", "M.D.", "b.i.d.", "t.i.d.", "q.d.", "p.o.", "i.v.", "I.V.", "s.c.", "s.p.",
    "min.", "max.", "sec.", "hr.", "wt.", "resp.", "incl.", "temp.", "susp.", "spp.", "sp.", "subsp.", "var.", "Vol.",
    "vol.", "pp.", "Ref.", "refs.", "Suppl.", "Tab.", "Eq.", "Sec.", "Jan.", "Feb.", "Aug.", "Sept.", "Oct.", "Nov.",
    "Dec.", "Rt.", "Lt.", "rt.", "lt.", "lat.", "ant.", "post.", "inf.", "sup.", "abd.", "pt.", "Pt.", "hosp.", "dept.",
    "Dept.", "Univ.", "w.r.t.", "s.d.", "S.D.", "E.", "S.", "C.", "P.", "H.", "J.", "M.", "A.", "B.", "N.", "R.", "T.",
)  # fmt: skip

GRAMMAR: dict[str, tuple[str, ...]] = {
    "digit": tuple("123456789"),
    "number": ("{digit}", "{digit}", "{digit}{digit}", "{digit}{digit}{digit}"),
    "decimal": ("{digit}.{digit}", "{digit}.{digit}", "{digit}.{digit}{digit}", "0.{digit}", ".{digit}", "{digit}.0"),
    "unit": ("cm", "cm", "mm", "mm", "ml", "mg", "mSv", "HU", "kg", "%", "cc", "mL/min", "mg/dL", "μm", "°C", "kVp"),
    "measure": (
        "{decimal} {unit}", "{decimal} {unit}", "{number} {unit}", "{decimal} x {decimal} cm", "{number}-mm",
        "{decimal} × {decimal} × {decimal} cm", "{decimal}×{decimal}×{decimal}cm", "{digit} to {number} mm",
        "{decimal}-{decimal} cm", "{number}mm",
    ),
    "time": (
        "{digit}:{digit}{digit} a.m.", "{digit}:{digit}{digit} p.m.", "{digit}:{digit}{digit} AM", "{digit} p.m.",
        "{digit}{digit}:{digit}{digit}", "09:{digit}{digit}", "{digit}.{digit}{digit} p.m.", "{digit} A.M.",
    ),
    "date": (
        "___", "___", "{digit}/{digit}/20{digit}{digit}", "20{digit}{digit}-{digit}-{digit}", "XXXX",
        "[**20{digit}{digit}-{digit}-{digit}**]", "{month} {digit}, 20{digit}{digit}",
        "{digit} {month} 19{digit}{digit}",
    ),
    "month": ("Jan.", "Feb.", "March", "May", "June", "Aug.", "Sept.", "Oct.", "November", "Dec."),
    "blank": ("___", "___", "___", "XXXX", "[**Hospital {digit}**]", "____", "__"),
    "doctor": (
        "Dr. ___", "Dr. ___", "Dr. {name}", "Drs. {name} and {name}", "Dr ___",
        "Dr. [**Last Name (STitle) {digit}**]", "Prof. {name}", "Dr. {letter}. {name}", "{letter}. {name}, M.D.,",
        "Mr. {name}", "Ms. ___", "Mrs. {name}",
    ),
    "letter": tuple("ABCDEHJKLMNPRST"),
    "name": (
        "{Syllable}{syllable}", "{Syllable}{syllable}{syllable}", "{Syllable}{syllable}", "de {Syllable}{syllable}",
    ),
    "invented": ("{syllable}{syllable}", "{syllable}{syllable}{syllable}"),
    "Syllable": (
        "Ba", "Cor", "Den", "El", "Far", "Gra", "Hol", "Iv", "Kor", "Lam", "Mer", "Nor", "Os", "Pel", "Ros", "Sten",
        "Tor", "Ul", "Ver", "Wil", "Ya", "Zim", "Mc",
    ),
    "syllable": (
        "ba", "cor", "den", "el", "far", "gra", "hol", "ive", "kor", "lam", "mer", "no", "ous", "pel", "ris", "sten",
        "tor", "ul", "ver", "wil", "ya", "zi", "tion", "al", "ment", "ed", "ing", "ity", "chem", "phy",
    ),
    "side": ("left", "right", "bilateral", "left", "right", "Rt.", "Lt."),
    "zone": (
        "upper lobe", "lower lobe", "lung base", "hemithorax", "middle lobe", "apex", "costophrenic angle", "hilum",
        "frontal lobe", "kidney", "femoral neck", "lobe of the liver", "lung", "perihilar region", "retina",
    ),
    "finding": (
        "pleural effusion", "pneumothorax", "consolidation", "atelectasis", "opacity", "nodule", "mass", "cyst",
        "pulmonary edema", "cardiomegaly", "interstitial markings", "calcified granuloma", "rib fracture",
        "ground-glass opacities", "abscess", "haematoma", "lesion", "infiltrate", "{invented}", "stenosis",
    ),
    "grade": (
        "small", "mild", "moderate", "large", "new", "stable", "unchanged", "worsening", "improved", "possible", "no",
        "No", "no definite", "subtle", "trace", "patchy", "increased", "resolving",
    ),
    "structure": (
        "heart", "mediastinum", "trachea", "aorta", "cardiac silhouette", "endotracheal tube", "NG tube",
        "right IJ line", "PICC", "spine", "osseous structures", "hilar contour", "left hemidiaphragm", "{invented}",
    ),
    "verb": ("shows", "demonstrates", "reveals", "is notable for", "suggests", "confirms", "did not show"),
    "study": (
        "chest radiograph", "CT", "MRI", "PA and lateral views of the chest", "portable AP film", "CTA", "biopsy",
        "X-ray", "T1-weighted image", "ultrasound", "FDG-PET/CT", "H.E. staining", "barium swallow",
    ),
    "state": (
        "is normal in size", "is unremarkable", "is within normal limits", "is top-normal", "is clear", "is stable",
        "terminates in the mid SVC", "is tortuous", "is {measure} above the carina", "is enlarged",
    ),
    "species": (
        "E. coli", "S. aureus", "M. tuberculosis", "P. aeruginosa", "C. difficile", "T. gondii", "Candida spp.",
        "H. influenzae", "Salmonella sp.", "B. cereus var. {invented}",
    ),
    "maker": (
        "(Siemens, Erlangen, Germany)", "({name} Inc., St. Louis, MO, U.S.A.)", "({name} Co., Ltd., Tokyo, Japan)",
        "({name} Corp., Madison, WI)", "(GE Healthcare, U.K.)", "({name} & {name}, Inc.)",
    ),
    "cited": (
        "(Fig. {digit})", "(Fig. {digit}{letter})", "(Figs. {digit} and {digit})",
        "({name} et al., 20{digit}{digit})", "[{number}]", "(see Fig. {digit})", "(Table {digit})",
        "(cf. Ref. {number})", "(P < 0.05)", "(p = .0{digit})", "(n = {number})",
        "({measure}; range, {decimal}-{decimal})", "(i.e., {finding})", "(e.g., {finding}, etc.)", "(arrow)",
        "(arrows in {letter})", "({measure} vs. {measure})", "(approx. {measure})", "({study}, no. {number})",
    ),
    "marks": (
        "({letter})", "({letter})", "({letter}, {letter})", "({letter}–{letter})", "({letter} and {letter})",
        "({digit})", "(left)", "(a)", "(b)", "(c, d)", "(i)",
    ),
    "finding_sentence": (
        "There is {grade} {finding} in the {side} {zone}", "The {structure} {state}", "{grade} {side} {finding}",
        "The {structure} and {structure} are unremarkable", "{grade} {finding} or {finding}", "The {zone} is clear",
        "{grade} {finding}, which measures {measure}", "A {measure} {finding} in the {side} {zone} {cited}",
        "Cardiac and mediastinal silhouettes are stable", "The {finding} measures {measure}",
        "{measure} {finding} is seen", "The {structure} tip lies {measure} above the carina", "{structure} {state}",
        "Lungs are clear",
        "{grade} {finding} is seen at the {side} {zone}, most likely {finding}; {finding} cannot be excluded",
        "Heart size is normal and there is {grade} {finding}", "Normal", "{study}", "No acute process", "Unchanged",
    ),
    "report_sentence": (
        "In comparison with the study of {date}, there is {grade} {finding}", "Compared to {date}, {grade} {finding}",
        "As compared to the previous radiograph from {date}, {time}, the {structure} {state}",
        "These findings were discussed with {doctor} by telephone at {time} on {date}, {digit} minutes after discovery",
        "Findings were conveyed by {doctor} to {doctor} at {time}", "{doctor} was paged at {time}",
        "Dr. ___ communicated the above results to Dr. ___ at {time} on {date} by telephone",
        "___-year-old woman with {finding} and h/o CHF s/p CABG", "___F with cough, r/o {finding}",
        "___ year old man", "{number}-year-old male with {finding}, {finding} vs. {finding}",
        "Comparison is made to {blank} {date}", "History: ___M with {finding} // eval for {finding}",
        "The patient was sent from {blank} Hospital on {date}", "{side} lat. decubitus view {verb} {grade} {finding}",
        "Pt. has {finding}, temp. {decimal} °C", "Follow-up in {digit} wk. vs. CT is advised, per {doctor}",
        "There is {blank} {finding} {blank}", "Recommend follow-up {study} in {digit}-{digit} weeks, i.e. by {date}",
        "Seen by {doctor} at {time}", "Given {number} mg p.o. b.i.d. for {digit} days",
        "Wt. was {decimal} kg and temp. {decimal} °C at {time}",
        "The {finding} (series {digit}, image {number}) is {decimal} cm vs. {decimal} cm on {date}",
        "The lesion at L{digit}/{digit} is T2-hyperintense, SUV max. {decimal}", "ET tube {measure} above the carina",
        "No. {number} Foley catheter was placed, cf. {date}", "Is there {finding}, e.g. {finding}",
    ),
    "article_sentence": (
        "{study} {verb} {finding} {cited}", "{Mark} {finding_sentence}", "{Mark} {finding_sentence}",
        "{Mark} {study}", "{Mark} {study} {verb} {finding}", "{study} of the {zone} {cited} {verb} {finding}",
        "Culture grew {species} and {species}", "{species} was isolated from the {zone} {cited}",
        "Scale bar, {measure}", "Images were acquired on a {decimal} T scanner {maker}",
        "{name} et al. {cited} described {finding}",
        "As reported by {name} et al., {finding} was seen in {number} of {number} patients {cited}",
        "Scale bars = {measure}", "The mean was {decimal} ± {decimal} vs. {decimal} ± {decimal}, P = 0.0{digit}",
        "Arrows indicate {finding}", "The difference was significant (*p < .0{digit}, **p < .00{digit})",
        "Magnification ×{number}", "Bar = {measure}",
        "{study} was done with a {measure} slice thickness, i.e., {finding} was missed",
        "Original magnification, {number}×",
        "{study} {verb} {finding} in the {zone} and {finding} in the {zone} {cited}; {finding} was absent {cited}",
        "CT, computed tomography; MRI, magnetic resonance imaging",
        "Abbreviations: {letter}{letter}, {finding}; RV, {zone}",
        "The patient was referred to St. {name} Hospital, {name}, by {doctor} for {finding}",
        "Adapted from Ref. {number}", "The U.S. criteria {cited} differ from those of {name} et al. {cited}",
        "Serum level was {measure} at {time}", "Hepatitis {letter} was excluded", "The defect is of type {letter}",
        "It received grade {digit}", "Note the {finding}",
        "See https://www.{invented}.org/{invented}?id={number} for details", "The code is at www.{invented}.com",
        "Samples were kept at {number} °C for {digit} hr. in {decimal} M NaCl, pH {decimal}",
        "It weighed approx. {measure}", "{study} with {decimal} mL/kg i.v. contrast {verb} {finding}",
        "A {number}-year-old man with {finding} {marks}", "{study} {marks} and {study} {marks} show {finding}",
        "{finding} in the {side} {zone} {marks}", "R, right; L, left",
        "A {number}-year-old woman, who had been discharged {digit} days before, was admitted with fever, cough and "
        "{finding}",
        "On admission, the patient was tachycardic but maintained oxygen saturation on low flow", "H&E, ×{number}",
        "Presentation: {finding} and {finding}", "{digit} days later, {study} {verb} further worsening of {finding}",
        "Fever and shortness of breath for {digit} wk.",
        "SARS-CoV-2 RNA was detected; SpO2 was 8{digit}% on room air",
        "Blood tests revealed {finding} (WBC {decimal}×10^9/L, CRP {number} mg/L)",
        "Gleason {digit} + {digit} = {digit}", "*P < 0.0{digit} vs. the control; ‡p < 0.0{digit} vs. {finding}",
        "CD4+ and CD8+ T cells were detected {marks}", "Data are shown as mean ± s. d. (n={digit})",
        "Data are mean ± s.d., n = {number}; **p = .0{digit} vs. {zone}",
        "Kaplan–Meier plots using the log rank test", "Representative images of {finding} {cited}", "Staged pT3N0",
        "{Mark} {finding} in the {zone} [{number}], [{number}]", "{Mark} The box in {letter} is enlarged in {letter}",
        "The image was taken on day {digit} of the stay {marks}",
        "Despite treatment with {invented}, {finding} persisted",
        "{Mark} {study} {marks} of the {zone} shows {finding}, whereas {finding} is absent {marks}", "Case {digit}",
        "{finding} (A) before and (B) {digit} months after surgery",
        "Images {marks} are of the same {zone} at {decimal} T",
        "Case courtesy of {doctor}, {invented}.org, rID: {number}",
        "The U.K. cohort had {finding}, etc., at {number} yr",
    ),
    "Mark": (
        "({letter})", "({letter})", "{letter}.", "{letter}:", "{letter})", "({letter},{letter})", "[{letter}]", "(a)",
        "a)", "({letter}-{letter})", "(b)", "({digit})", "{letter}1,", "Panel {letter}:", "Left:", "({letter}′)",
    ),
    "ending": (
        "The call was made at {digit} p.m.", "It was seen at {digit}:{digit}{digit} a.m.", "He lives in the U.S.",
        "Cultures grew Candida spp.", "The stent is made by {name} Inc.", "Opacities, nodules, cysts, etc.",
        "The drug was given b.i.d.", "This was reported by {name} et al.", "{structure} and {structure}, etc.",
    ),
    "asked": ("Is there {finding}?", "{finding}?", "Evaluate for {finding}?", "Call {doctor} now!", "? {finding}"),
    "closed": ("({finding_sentence}.)", "“{finding_sentence}.”", "\"{finding_sentence}.\"", "[{finding_sentence}.]"),
    "heading": (
        "FINDINGS:", "IMPRESSION:", "INDICATION:", "HISTORY:", "TECHNIQUE:", "COMPARISON:", "Impression:",
        "Findings:", "EXAMINATION:", "CHEST, PA AND LATERAL:", "Comparison:", "RECOMMENDATION(S):",
    ),
    "title": (
        "FINAL REPORT", "EXAMINATION: CHEST (PA AND LAT)", "COMPARISON: {date}", "INDICATION: ___M with {finding}",
        "TECHNIQUE: Single AP view", "{study} of the {zone}", "WET READ: ___ {date} {digit}:{digit}{digit} PM",
    ),
}  # fmt: skip
KINDS = ("finding_sentence", "report_sentence", "article_sentence", "ending", "asked", "closed")
# How often each kind stands in a report, in a caption or an article, and in a mixture.
MIXTURES = (
    (0.57, 0.36, 0.0, 0.02, 0.03, 0.02),
    (0.1, 0.0, 0.83, 0.04, 0.01, 0.02),
    (0.36, 0.3, 0.26, 0.04, 0.02, 0.02),
)
WIDTH = 79  # characters of a line, as MIMIC-CXR's reports are wrapped


@dataclass(frozen=True)
class Passage:
    """A text and where its sentences stand."""

    text: str
    sentences: list[Sentence]


def draw_passages(seed: int, count: int) -> Iterator[Passage]:
    """That many passages, the same for the same seed: reports, captions and paragraphs of articles."""
    for index in range(count):
        yield draw_passage(np.random.default_rng([seed, index, 7]), plan_case(seed, index))


def draw_passage(rng: np.random.Generator, case: Case) -> Passage:
    """One passage of some paragraphs; perhaps in capitals or without any, perhaps wrapped into lines."""
    paragraphs = [_paragraph(rng, case) for _ in range(int(rng.integers(1, 4)))]
    if rng.random() < 0.25:
        paragraphs.insert(0, [expand("{title}", rng)])
    gap = pick((" ",) * 20 + ("  ",) * 3 + ("",), rng)
    passage = _joined(paragraphs, gap, pick(("\n\n", "\n\n", "\n \n", "\n\n\n"), rng))
    text = _respelt(passage.text, rng)
    return Passage(wrap(text) if rng.random() < 0.4 else text, passage.sentences)


def expand(template: str, rng: np.random.Generator) -> str:
    """A template with every {name} replaced by one of the grammar's wordings for it."""
    while "{" in template:
        template = re.sub(r"\{(\w+)\}", lambda match: pick(GRAMMAR[match[1]], rng), template)
    return template


def wrap(text: str) -> str:
    """The text with new lines in place of blanks, so that lines of several words have 79 characters; none is moved."""
    return "\n".join(_wrapped(line) for line in text.split("\n"))


def _wrapped(line: str) -> str:
    done = ""
    while len(line) > WIDTH:
        cut = line.rfind(" ", 1, WIDTH + 1)
        cut = cut if cut > 0 else line.find(" ", WIDTH)
        if cut < 0:
            break
        done, line = f"{done}{line[:cut]}\n", line[cut + 1 :]
    return done + line


def _paragraph(rng: np.random.Generator, case: Case) -> list[str]:
    """The sentences of one paragraph."""
    if rng.random() < 0.2:
        return _caption(rng, case)
    shares = MIXTURES[int(rng.integers(len(MIXTURES)))]
    kinds = rng.choice(len(KINDS), size=int(rng.integers(1, 7)), p=shares)
    strangeness = float(rng.choice((0.0, 0.15, 0.5)))  # the share of words that no other text has
    sentences = [_estranged(_sentence(KINDS[kind], rng), strangeness, rng) for kind in kinds]
    if rng.random() < 0.2:
        item = pick(("{}. ", "{}. ", "{}. ", "{}) ", "({}) "), rng)
        sentences = [item.format(place) + words for place, words in enumerate(sentences, 1)]
    if rng.random() < 0.2:
        sentences[0] = f"{pick(GRAMMAR['heading'], rng)} {sentences[0]}"
    if rng.random() < 0.12:
        sentences[-1] = sentences[-1].removesuffix(".")
    return sentences


def _sentence(kind: str, rng: np.random.Generator) -> str:
    words = expand(pick(GRAMMAR[kind], rng), rng)
    if rng.random() < 0.97:
        words = words[0].upper() + words[1:]
    words = words if kind == "closed" or words.endswith((".", "?", "!")) else f"{words}."
    return words + pick(("",) * 60 + (".", " ."), rng)


def _caption(rng: np.random.Generator, case: Case) -> list[str]:
    """A caption of the corpus: a sentence for every panel, or one for all of them."""
    views = [view for figure in case.figures for view in figure.views][: int(rng.integers(1, 7))]
    texts = [panel_sentence(Facts(case.lesion, view.modality, view.plane, view.stage), rng) for view in views]
    marks = pick(("ABCDEFG", "abcdefg", "1234567"), rng)
    form = pick(("({0}) {1}", "{0}. {1}", "{0}, {1}", "{0}: {1}", "{0}) {1}", "{1} ({0})", "{0} {1}", "[{0}] {1}"), rng)
    parts = [form.format(mark, text) for mark, text in zip(marks, texts, strict=False)]
    if rng.random() < 0.25:
        parts = ["; ".join(parts[:2])]
    before = [f"{case.patient.words.capitalize()}."] if rng.random() < 0.3 else []
    return [*before, *(f"{part}." for part in parts)]


def _estranged(sentence: str, share: float, rng: np.random.Generator) -> str:
    """The sentence with a share of its words replaced by invented ones, but for what ends in a full stop."""

    def other(match: re.Match[str]) -> str:
        word = match[0]
        if f"{word}." in ABBREVIATIONS or rng.random() >= share:
            return word
        found = expand("{invented}", rng)
        return found.capitalize() if word[0].isupper() else found

    return re.sub(r"\b[A-Za-z][a-z]{3,}\b(?![./])|\b[A-Za-z][a-z]{3,}\b(?=\.$)", other, sentence)


def _respelt(text: str, rng: np.random.Generator) -> str:
    """All in capitals or all without, now and then."""
    draw = rng.random()
    return text.lower() if draw < 0.06 else text.upper() if draw < 0.14 else text


def _joined(paragraphs: list[list[str]], gap: str, blank: str) -> Passage:
    text = ""
    sentences: list[Sentence] = []
    for paragraph in paragraphs:
        text += blank if text else ""
        for place, words in enumerate(paragraph):
            text += _between(text, words, gap) if place else ""
            sentences.append(Sentence(start=len(text), end=len(text) + len(words)))
            text += words
    return Passage(text, sentences)


def _between(before: str, after: str, gap: str) -> str:
    """The gap between two sentences; none only where no number and no abbreviation would come of it."""
    return gap or ("" if re.search(r"[a-z]{3}[.?!)]$", before) and re.match(r"\(?[A-Z][a-z)]", after) else " ")
