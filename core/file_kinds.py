"""Kinds of files that stand where images are: which are read, and the names of those that are not.

By a file's name, or by its first bytes where the name does not say (Wikipedia, List of file signatures).
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

# Of core.images.FORMATS, as files are named.
READ = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".tif", ".tiff", ".webp", ".bmp", ".dib")
UNREAD: Mapping[str, str] = {
    ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".avif": "AVIF", ".jxl": "JPEG XL", ".jp2": "JPEG 2000",
    ".j2k": "JPEG 2000", ".jpf": "JPEG 2000", ".jpx": "JPEG 2000", ".psd": "Photoshop", ".xcf": "GIMP", ".ico": "ICO",
    ".dng": "a camera's raw image", ".cr2": "a camera's raw image", ".nef": "a camera's raw image",
    ".arw": "a camera's raw image", ".svg": "SVG", ".svgz": "SVG", ".eps": "EPS", ".ps": "PostScript",
    ".ai": "Illustrator", ".emf": "EMF", ".wmf": "WMF", ".cdr": "CorelDRAW", ".pdf": "PDF", ".ppt": "PowerPoint",
    ".pptx": "PowerPoint", ".key": "Keynote", ".odp": "OpenDocument slides", ".dcm": "DICOM", ".dicom": "DICOM",
    ".ima": "DICOM", ".nii": "NIfTI", ".nii.gz": "NIfTI", ".img.gz": "NIfTI", ".nrrd": "NRRD", ".nhdr": "NRRD",
    ".mha": "MetaImage", ".mhd": "MetaImage", ".mgz": "FreeSurfer", ".mgh": "FreeSurfer", ".svs": "a slide scan",
    ".ndpi": "a slide scan", ".czi": "CZI", ".lif": "LIF", ".nd2": "ND2", ".mrxs": "a slide scan",
    ".scn": "a slide scan", ".mp4": "a film", ".avi": "a film", ".mov": "a film", ".wmv": "a film", ".mkv": "a film",
    ".webm": "a film", ".m4v": "a film", ".mpg": "a film", ".mpeg": "a film", ".flv": "a film",
    ".zip": "a ZIP archive", ".rar": "a RAR archive", ".7z": "a 7z archive", ".tar": "a tar archive",
    ".tar.gz": "a tar archive", ".tgz": "a tar archive", ".pgm": "PGM", ".ppm": "PPM", ".pbm": "PBM", ".pnm": "PNM",
    ".tga": "TGA", ".pcx": "PCX", ".exr": "OpenEXR", ".hdr": "Analyze or HDR", ".npy": "NumPy", ".npz": "NumPy",
}  # fmt: skip
# What is beside images and is none, so that it need not be opened to know.
OTHER = frozenset((
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml", ".nxml", ".html", ".htm", ".md", ".yaml", ".yml",
    ".ini", ".db", ".log", ".py", ".ipynb", ".tex", ".bib", ".ris", ".rtf", ".doc", ".docx", ".odt", ".xls", ".xlsx",
    ".ods", ".parquet", ".sh", ".bat", ".m", ".r", ".js", ".css", ".md5", ".part", ".tmp", ".lnk", ".url", ".toml",
    ".pt", ".safetensors", ".pkl", ".mat", ".h5", ".gz", ".exe", ".dll",
))  # fmt: skip
HEAD = 512  # bytes that tell a kind
READ_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
BMP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))
UNREAD_BYTES = (
    (b"%PDF", "PDF"), (b"%!PS", "PostScript"), (b"\xc5\xd0\xd3\xc6", "EPS"), (b"8BPS", "Photoshop"),
    (b"gimp xcf", "GIMP"), (b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"), (b"\xff\x0a", "JPEG XL"), (b"PK\x03\x04", "a ZIP archive or a document"),
    (b"\x1f\x8b", "gzip"), (b"NRRD", "NRRD"), (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xd0\xcf\x11\xe0", "an Office document"), (b"\0\0\x01\0", "ICO"), (b"ObjectType", "MetaImage"),
    (b"\x1aE\xdf\xa3", "a film"), (b"\x93NUMPY", "NumPy"),
)  # fmt: skip
BRANDS = (  # of ISO's base media files, which name them after b"ftyp"
    (re.compile(rb"avi[fs]"), "AVIF"), (re.compile(rb"hei[cxms]|hev[cxms]|mif1|msf1"), "HEIC"),
    (re.compile(rb"."), "a film"),
)  # fmt: skip
ADVICE = "save it as PNG or JPEG"


def unread_by_name(path: str) -> str:
    """What a file is by its name, where that is a kind that is not read; else ""."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(path).suffixes[-2:]]
    return UNREAD.get("".join(suffixes)) or UNREAD.get("".join(suffixes[-1:])) or ""


def is_read(path: str) -> bool:
    """Whether a file is an image that is read, by its name."""
    return path.lower().endswith(READ)


def is_other(path: str) -> bool:
    """Whether a file is no image, by its name."""
    return PurePosixPath(path).suffix.lower() in OTHER


def is_read_by_bytes(head: bytes) -> bool:
    """Whether a file begins as an image that is read; a BMP by more than its two letters."""
    is_bmp = head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" and head[14:18] in BMP_HEADERS
    return head.startswith(READ_BYTES) or is_bmp or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def unread_by_bytes(head: bytes) -> str:
    """What a file is by its first HEAD bytes, where that is a kind that is not read; else ""."""
    if head[4:8] == b"ftyp":
        return next((name for brand, name in BRANDS if brand.match(head[8:12])), "")
    if head[128:132] == b"DICM":
        return "DICOM"
    if head[344:347] in (b"n+1", b"ni1") or head[4:7] in (b"n+2", b"ni2"):
        return "NIfTI"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "a film"
    if re.search(rb"<svg[\s>]", head):
        return "SVG"
    return next((name for mark, name in UNREAD_BYTES if head.startswith(mark)), "")


def not_read(kind: str) -> str:
    """What is said of a file of a kind that is not read."""
    return f"{kind} is not read here; {ADVICE}"
