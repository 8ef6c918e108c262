"""Cases of files: settings, tables, captions, folders of figures, films, reports."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from core.rejection import RejectionError
from tests.cases.runner import (
    Row,
    failed,
    figray,
    labels_in,
    radiographs_left_out,
    radiographs_of,
    rows_in,
    texts_of,
)
from trainers.datasets.report_sections import report_text

ALIKE = 0.995  # correlation with the truth, after JPEG
SCAN = b"\xff\xda"  # the marker that begins the coded pixels of a JPEG (ISO 10918-1, B.2.3)


def settings(folder: Path, work: Path) -> Iterator[Row]:
    """Recipes that are none are one line; what is typed is taken as typed."""
    for file in sorted(folder.iterdir()):
        said = figray("config", file)
        right = said.in_a_line or (said.code == 0 and "seed: 3" in said.output and file.stem == "utf16")
        yield Row(f"settings/{file.name}", said.last if said.code else "read", right)
    typed = {"source.query": '"brain tumor"[Title] AND case reports[pt]', "select.keyword": "no"}
    for name, text in {**typed, "seed": "010"}.items():
        said = figray("config", "--set", f"{name}={text}")
        key = f"{name.rpartition('.')[2]}: "
        line = next((line.strip() for line in said.output.splitlines() if line.strip().startswith(key)), said.last)
        stated = line.removeprefix(key).strip("'\"")
        yield Row(f"--set {name}={text}", line, stated == ("10" if name == "seed" else text.strip('"')))
    said = figray("config", "--set", "source.query=brain #1")
    yield Row(
        "--set source.query=brain #1", "kept" if "brain #1" in said.output else said.last, "brain #1" in said.output
    )


def table(folder: Path, work: Path) -> Iterator[Row]:
    """Tables as people leave them: read whole, or refused by the line."""
    refused = {"cp1252": "UTF-8", "unquoted-comma": "line 2"}
    for file in sorted(folder.glob("*.csv")):
        run, name = work / file.stem, file.stem
        said = figray("dataset", "csv", file, "--run", run)
        if name in refused:
            yield Row(f"csv/{name}", said.last, said.in_a_line and refused[name] in said.last)
        elif name == "labels-na":  # nothing is known of either image
            yield Row(
                f"csv/{name}",
                said.last,
                said.code == 2 and "2 nothing_known" in said.last and "Traceback" not in said.output,
            )
        elif said.code:
            yield failed(f"csv/{name}", said)
        else:
            films = radiographs_of(run)
            told = f"{len(films)} images of {len({film.patient_id for film in films})} patients; {texts_of(run)}"
            yield Row(f"csv/{name}", told, right_table(name, file, told))


def right_table(name: str, file: Path, told: str) -> bool:
    """Whether a table was read as it is meant."""
    images = {"mask-nan": 1, "one-empty-row": 1, "optional-header-capital": 2, "patient-float": 2, "semicolon": 1}
    whole = "Mass, in the right lung seen." in told if name == "semicolon" else True
    return told.startswith(f"{images.get(name, -1)} images of 1 patients") and whole


def captions(folder: Path, work: Path) -> Iterator[Row]:
    """JSON with bad rows: each costs itself."""
    expected = {"dup-ids": ["", "duplicate_id"], "int-id": [""], "nan-caption": ["", "no_caption"]}
    for file in sorted(folder.glob("*.json")):
        out = work / file.name
        said = figray("split-captions", file, out)
        if said.code:
            yield failed(f"json/{file.stem}", said)
            continue
        rows = rows_in(out)
        codes = [row.get("error", {}).get("code", "") for row in rows]
        right = codes == expected.get(file.stem, ["", "no_caption"]) and all(isinstance(row["id"], str) for row in rows)
        yield Row(f"json/{file.stem}", f"rows: {', '.join(code or 'read' for code in codes)}", right)


def mac(folder: Path, work: Path) -> Iterator[Row]:
    """A folder from a Mac: accents in two forms, kinds that are not read, hidden files; captions in four forms."""
    figures = next(path for path in folder.iterdir() if path.name.startswith("my figures"))
    for form in ("captions.json", "captions-list.json", "captions.jsonl", "captions.csv"):
        out = work / form
        said = figray("pair-figures", figures, folder / form, out, "--json")
        if said.code:
            yield failed(f"folder-from-a-mac/{form}", said)
            continue
        rows = {row["image"]: row for row in rows_in(out)}
        told = {name: row.get("error", {}).get("code", "paired") for name, row in rows.items()}
        accented = [code for name, code in told.items() if "ller" in name]
        if form == "captions.csv":  # of one figure
            right = told["fig1.jpg"] == "paired" and accented == ["no_caption"]
        else:
            named = all(told.get(name) == "paired" for name in ("fig1.jpg", "fig3.bmp", "fig4.jfif", "fig9.tif"))
            right = named and accented == ["paired"]
        kinds = {"fig2.heic": "HEIC", "fig7.svg": "SVG", "fig8.pdf": "PDF"}
        right &= all(kind in rows[name].get("error", {}).get("message", "") for name, kind in kinds.items())
        right &= not any(name.startswith((".", "__MACOSX")) for name in told)
        yield Row(f"folder-from-a-mac/{form}", "; ".join(f"{name} {code}" for name, code in told.items()), right)


def unusual(folder: Path, work: Path) -> Iterator[Row]:
    """Labels of many kinds: split, or whole, and never wrongly."""
    names_none = {"vitamin", "figure-of-dates"}
    said = figray("split-captions", folder / "captions.json", work / "out.json")
    if said.code:
        yield failed("unusual-labels", said)
        return
    stated = {row["id"]: row["caption"] for row in json.loads((folder / "captions.json").read_text(encoding="utf-8"))}
    for row in rows_in(work / "out.json"):
        found = labels_in(row)
        words = set(re.findall(r"\w+", stated[row["id"]]))
        inside = all(word in words for text in found.values() for word in re.findall(r"\w+", text))
        right = not found if row["id"] in names_none else bool(found) and inside
        yield Row(f"unusual-labels/{row['id']}", ", ".join(found) or "whole", right)


def films(folder: Path, work: Path) -> Iterator[Row]:
    """DICOM files that all show one picture."""
    said = figray("dataset", "csv", folder / "table.csv", "--run", work / "run")
    if said.code:
        yield failed("dicom", said)
        return
    truth = np.load(folder / "truth.npy").astype(float)
    listed = (folder / "table.csv").read_text().splitlines()[1:]
    found = {film.image_id: film for film in radiographs_of(work / "run")}
    why = radiographs_left_out(work / "run")
    for line in listed:
        name = line.partition(",")[0]
        if name not in found:
            yield film_left_out(folder / name, why.get(name, "left out without a reason"))
            continue
        shown = np.asarray(Image.open(io.BytesIO(found[name].image)).convert("L")).astype(float)
        inside = slice(shown.shape[0] // 8, -shown.shape[0] // 8)  # padding stands at the edges
        alike = float(np.corrcoef(shown[inside].ravel(), truth[inside].ravel())[0, 1])
        told = f"correlation {alike:.3f}, grey {shown.min():.0f} to {shown.max():.0f}"
        yield Row(f"dicom/{Path(name).name}", told, alike > ALIKE and float(np.ptp(shown)) > 128)


def film_left_out(file: Path, why: str) -> Row:
    """The row of a film that was not read: right only where nobody could, and the reason names its transfer syntax.

    jpeg-lossless.dcm is such a stub: 18 bytes of pixels, a JPEG's header without a scan. That films of its syntax are
    read is shown by those in pydicom's wheels (tests/test_dicom_table.py).
    """
    header = pydicom.dcmread(file, force=True)
    syntax = header.file_meta.get("TransferSyntaxUID")
    empty = syntax is not None and syntax.is_encapsulated and SCAN not in header.get("PixelData", SCAN)
    told = f"holds no scan, nothing to decode; refused: {why}" if empty else f"left out: {why}"
    return Row(f"dicom/{file.name}", told, right=bool(empty) and syntax.name in why)


def reports(folder: Path, work: Path) -> Iterator[Row]:
    """Reports with sections missing: an indication is no text to train on."""
    expected = {
        "addendum-above": "Lungs are clear. No effusion. No acute process.",
        "only-head": "",
        "only-indication": "",
        "wet-read": "The lungs are well expanded and clear. Normal chest.",
        "windows-ends": "Heart size is normal. Lungs are clear. Normal.",
    }
    for file in sorted(folder.glob("*.txt")):
        try:
            text = " ".join(report_text(file.read_bytes().decode()).split())
        except RejectionError:
            text = ""
        yield Row(f"reports/{file.stem}", text or "no text", text == expected.get(file.stem, text))


def mapping(folder: Path, work: Path) -> Iterator[Row]:
    """RSNA's images by NIH's patients: the runner makes images and labels."""
    file = next(folder.glob("*.json"))
    images = [row["subset_img_id"] for row in json.loads(file.read_text())]
    write_challenge(work / "set", images)
    said = figray("dataset", "rsna", work / "set", "--mapping", file, "--run", work / "run")
    if said.code:
        yield failed("rsna-mapping", said)
    else:
        made = radiographs_of(work / "run")
        sides = {film.split for film in made}
        told = (
            f"{len(made)} images, patients {sorted({film.patient_id for film in made})}, in {', '.join(sorted(sides))}"
        )
        yield Row(
            "rsna-mapping", told, len(made) == 2 and {film.patient_id for film in made} == {"NIH 1"} and len(sides) == 1
        )
    said = figray("dataset", "rsna", work / "set", "--run", work / "without")
    told = next((line for line in said.output.splitlines() if "unknown" in line), said.last)
    yield Row("rsna-mapping/without the file", told, said.code == 0 and "patients are unknown" in told)


def write_challenge(root: Path, images: list[str]) -> None:
    """Images and labels in the shape of the challenge."""
    (root / "stage_2_train_images").mkdir(parents=True)
    for number, name in enumerate(images):
        header = pydicom.Dataset()
        header.file_meta = pydicom.dataset.FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID, header.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", generate_uid()
        header.Rows = header.Columns = 64
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated = header.BitsStored = 8
        header.HighBit, header.PixelRepresentation = 7, 0
        ramp = np.add.outer(np.arange(64), np.arange(64) * (number + 1)) % 256
        header.PixelData = ramp.astype(np.uint8).tobytes()
        header.save_as(root / "stage_2_train_images" / f"{name}.dcm", enforce_file_format=True)
    labels = "".join(f"{name},,,,,0\n" for name in images)
    classes = "".join(f"{name},Normal\n" for name in images)
    (root / "stage_2_train_labels.csv").write_text(f"patientId,x,y,width,height,Target\n{labels}")
    (root / "stage_2_detailed_class_info.csv").write_text(f"patientId,class\n{classes}")
