"""The records that flow from article to pair, one schema each; the Arrow schema is derived from it."""

import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
from pydantic import TypeAdapter

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom exclusive
Split = Literal["train", "val", "test"]
Kind = Literal[
    "picture", "graphic"
]  # picture: scan, photograph, micrograph, trace; graphic: plot, table, drawing, text
Modality = Literal[
    "MRI", "CT", "X-ray", "angiography", "ultrasound", "nuclear", "microscopy", "photograph", "trace", "other"
]  # photograph: endoscopy and specimens too; trace: of EEG, ECG and the like
MatchedBy = Literal[
    "letter", "order", "position", "single", "whole", "published", "reviewed", "given"
]  # published: by JATS; reviewed: by a person who looked; given: with the image, in a table of a user's own
Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """An emphasised stretch of a caption: caption[start:end]."""

    start: int
    end: int
    kind: Literal["bold", "italic"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """Where a sentence stands: text[start:end]."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Graphic:
    """One image named by a JATS figure; its own label and caption where the figure is already separated."""

    href: str  # a file name without folder, usually without extension
    label: str | None = None
    caption: str | None = None
    others: tuple[str, ...] = ()  # file names of the same image in other formats, in the order of the article


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleFigure:
    """A `fig` element: its caption, and the images it names."""

    xml_id: str
    label: str | None  # as printed, "Figure 1."
    caption: str
    emphasis: list[Span]
    graphics: list[Graphic]
    mentions: list[str]  # sentences or paragraphs of the text that refer to this figure
    permission: str | None = None  # the words of a third party's permission in the caption or rights statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """What figray reads of one JATS article."""

    article_id: str  # with version, "PMC4735894.1"
    article_type: str  # JATS @article-type, "case-report"
    title: str
    doi: str | None
    year: int | None
    journal: str | None
    authors: str  # "Surname AB, Surname C", for attribution
    licence_url: str | None  # the evidence in the XML; the licence itself comes from the bucket's metadata
    figures: list[ArticleFigure]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure with its image, one row of `figures/`. One row per graphic."""

    figure_id: str  # "PMC4735894.1/CRIM.2016-001", article version and graphic
    article_id: str  # PMC id with version, "PMC4735894.1"
    title: str  # of the article
    article_type: str  # JATS @article-type, "case-report"
    doi: str | None  # of the article
    year: int | None  # of publication
    licence: str  # "CC BY"
    attribution: str  # who is to be named, as the licence asks
    media_url: str  # where the image came from, without the checksum
    md5: str  # of `image`, as the source states it; of the bytes received where it states none
    image: bytes  # as published, byte for byte
    image_format: str  # "JPEG"
    width: int  # pixels
    height: int  # pixels
    n_frames: int  # of the image file; the first is read
    label: str | None  # as printed, "Figure 1."
    caption: str  # as plain text
    emphasis: list[Span]  # bold and italic stretches of the caption
    mentions: list[str]  # sentences or paragraphs of the text that refer to this figure
    part_label: str | None = None  # of a figure that JATS already separates: this graphic's label
    part_caption: str | None = None  # and its own caption
    permission: str | None = None  # the words of a third party's permission
    notes: list[str]  # what was done to open it, "16-bit, windowed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subfigure:
    """A panel of a figure, and the letter printed on it."""

    box: Box
    score: float  # of the box, 0 to 1
    label: str | None = None  # the printed letter; None: none was read
    label_box: Box | None = None  # of the letter
    label_score: float | None = None  # of the reading, 0 to 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Subcaption:
    """What a caption says of one or more labels. Positions count as labels where there are no letters."""

    labels: list[str]  # letters or positions
    text: str  # what is said of them


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitCaption:
    """A caption taken apart. No subcaptions: it stays whole, for the stated reason."""

    preamble: str  # what is said of all panels, at the beginning
    subcaptions: list[Subcaption]  # in the order of the caption
    tail: str  # what is said of all panels, at the end
    confidence: float  # 0 to 1
    reason: str  # how it was split, or why not


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What the pixels of a figure or of one of its panels show."""

    subfigure: int  # index into the figure's subfigures; -1 for the whole figure
    kind: Kind  # see kind of a pair
    kind_score: float  # 0.5 to 1
    pixels_md5: str  # of size and pixels, as opened
    thumbnail: bytes  # 32 x 32 grey values, by which copies are recognised


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What a picture's copies are recognised by, one row of `signatures/` beside a table."""

    item_id: str  # of the figure, panel or image
    owner: str  # the article's PMC id, or the patient: what one owner has twice is its own affair
    pixels_md5: str  # of size and pixels, as opened
    thumbnail: bytes  # 32 x 32 grey values
    hashes: bytes  # of the thumbnail as it is and trimmed, 81 times two of 64 bits, little-endian; "" of a flat one


@dataclass(frozen=True, kw_only=True, slots=True)
class SeparatedFigure(Figure):
    """A figure with its panels, letters and subcaptions, one row of `separated/`."""

    subfigures: list[Subfigure]  # the panels, in reading order
    split_caption: SplitCaption  # the caption, taken apart
    pictures: list[Picture] = field(default_factory=list)  # the whole figure, then its panels


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The text that one panel gets, and how it was found."""

    subfigure: int  # index into the figure's subfigures; -1 for the whole figure
    label: str | None
    text: str
    matched_by: MatchedBy
    score: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """An image and its text, one row of `pairs/`."""

    pair_id: str  # "PMC4735894.1/CRIM.2016-001#0"
    figure_id: str
    article_id: str
    split: Split  # all pairs of an article, or of a patient, are in one
    image: bytes  # the panel as PNG or JPEG, without the file's metadata
    small: bytes | None = None  # the same for training, JPEG; None: `image` is no larger than tables.train_side
    width: int
    height: int
    box: Box  # of the panel in its figure
    label: str | None  # the printed letter of the panel
    text: str  # what the caption says of this panel
    matched_by: MatchedBy  # how the text was found
    score: float  # about the share of such pairs whose text is right, 0 to 1
    reason: str  # how the text was found, in words
    licence: str
    attribution: str
    media_url: str
    md5: str  # of the figure that the panel was cut from
    kind: Kind = "picture"  # graphic: a plot, table, drawing or text
    modality: Modality = "other"  # that the text names, or else the whole caption
    sentences: list[Sentence] = field(default_factory=list)  # of the text; none: it was not cut yet
    duplicate_group: str | None = None  # the first pair_id of those that show the same in several articles
    permission: str | None = None  # of its figure: the words by which a third party's rights are told


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A finding that someone looked for; one that nobody judged, or was unsure of, has no Target."""

    name: str  # "Pneumothorax"
    present: bool  # whether it is there


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """Where a finding is."""

    target: str  # the finding, by its name
    box: Box  # in pixels of the stored image
    mask: bytes | None = None  # PNG of one bit, as large as the stored image


@dataclass(frozen=True, kw_only=True, slots=True)
class Radiograph:
    """A radiograph with what is known of it, one row of `radiographs/split=.../`: what models are probed with."""

    image_id: str  # as the data set names it
    patient_id: str  # what splits keep together; of several images of one id, the id itself where no patient is known
    study_id: str  # of the examination
    dataset: str  # "RSNA"
    split: Split  # all images of a patient are in one
    image: bytes  # PNG or JPEG, 8 bits, bright bones, resized once; proportions as they were
    small: bytes | None = None  # the same for training and probes, as a pair has it
    width: int  # pixels of `image`
    height: int  # pixels of `image`
    view: str | None  # "PA", "AP", "LATERAL"
    text: str  # the report; "" where there is none
    targets: list[Target]  # the findings that someone looked for
    regions: list[Region]  # where the findings are
    md5: str  # of the file as published
    notes: list[str]  # what was done to open it, "MONOCHROME1, inverted"


TABLES: dict[str, type] = {  # of a run, by the name of its folder
    "figures": Figure, "separated": SeparatedFigure, "pairs": Pair, "whole": Pair, "radiographs": Radiograph,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """Something left out or failed and why, one row of `rejects-*.parquet` beside the rows it is missing from."""

    item_id: str  # an article, a figure, a panel or an image
    article_id: str
    stage: str  # the station that left it out
    code: str  # short and countable, "not_case_report"
    message: str  # for a person, at most 500 characters
    kind: Literal["left_out", "failed"] = "left_out"  # failed: for a cause that may pass (core/failures.py)
    attempts: int = 1  # over all commands that tried it
    time: str = ""  # of the last attempt that failed, UTC
    cure: str = ""  # what mends a failure


SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.large_binary(),
}


def arrow_schema(record: type) -> pa.Schema:
    """The Arrow schema of a record class; a field is nullable exactly if its annotation admits None."""
    hints = get_type_hints(record)
    return pa.schema([_arrow_field(each.name, hints[each.name]) for each in fields(record)])


def _arrow_field(name: str, annotation: Any) -> pa.Field:
    nullable = False
    if get_origin(annotation) in (Union, types.UnionType):
        nullable = True
        (annotation,) = (kind for kind in get_args(annotation) if kind is not type(None))
    return pa.field(name, _arrow_type(annotation), nullable=nullable)


def _arrow_type(annotation: Any) -> pa.DataType:
    origin = get_origin(annotation)
    if annotation == Box:
        return pa.list_(pa.field("item", pa.int32(), nullable=False), 4)
    if origin is list:
        return pa.list_(_arrow_field("item", get_args(annotation)[0]))
    if origin is Literal:
        return pa.string()
    if is_dataclass(annotation):
        return pa.struct(list(arrow_schema(annotation)))  # type: ignore[arg-type]
    return SCALARS[annotation]


def to_table(records: Iterable[Any], record: type) -> pa.Table:
    """Records of one class as an Arrow table with the declared schema."""
    return pa.Table.from_pylist([asdict(row) for row in records], schema=arrow_schema(record))


def from_table(table: pa.Table, record: type[Record]) -> list[Record]:
    """The rows of a table as records; raises if a row does not fit the record."""
    return [from_row(row, record) for row in table.to_pylist()]


def in_pieces(table: pa.Table, record: type[Record], rows: int = 16) -> Iterator[list[Record]]:
    """The rows of a table as records, so many at a time: images are held once more only as long as they are in hand."""
    for start in range(0, table.num_rows, rows):
        yield from_table(table.slice(start, rows), record)


def joined(pieces: Sequence[pa.Table], record: type) -> pa.Table:
    """Tables of one record as one, without a copy; an empty one where there are none."""
    return pa.concat_tables(pieces) if pieces else arrow_schema(record).empty_table()


def from_row(row: dict[str, Any], record: type[Record]) -> Record:
    """One row as a record, its nested records too; what a file of an earlier version lacks takes its default."""
    adapter: TypeAdapter[Record] = _adapter(record)  # type: ignore[arg-type]  # classes are hashable
    optional = _with_default(record)  # type: ignore[arg-type]
    return adapter.validate_python(
        {name: each for name, each in row.items() if each is not None or name not in optional}
    )


@lru_cache
def _with_default(record: Any) -> frozenset[str]:
    return frozenset(
        each.name for each in fields(record) if each.default is not MISSING or each.default_factory is not MISSING
    )


@lru_cache
def _adapter(record: Any) -> TypeAdapter[Any]:
    return TypeAdapter(record)
