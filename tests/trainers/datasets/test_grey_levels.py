"""Grey levels by PS3.3 C.11, against pydicom's own chain and against values worked by hand."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from core.images import ImageError
from trainers.datasets.pixels import Opened, open_radiograph

MakeDicom = Callable[..., bytes]
Values = NDArray[Any]
STORED = np.arange(4096, dtype=np.uint16).reshape(64, 64)
TWELVE = {"BitsStored": 12, "HighBit": 11}
SIGMOID = {"WindowCenter": 2000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"}


def table(entries: Values, first: int, bits: int) -> list[pydicom.Dataset]:
    """A sequence of one table, its entries as words."""
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries) % 65_536, first % 65_536, bits])
    item.add_new("LUTData", "OW", np.asarray(entries, dtype="<u2").tobytes())
    return [item]


def opened(data: bytes) -> tuple[NDArray[np.int64], list[str]]:
    found: Opened = open_radiograph(data)
    return np.asarray(found.image).astype(np.int64), found.notes


def by_chain(data: bytes) -> Values:
    """What pydicom's two functions make of the stored values."""
    header = pydicom.dcmread(io.BytesIO(data))
    return apply_voi_lut(apply_modality_lut(header.pixel_array, header), header).astype(float)


def same(found: Values, exact: Values) -> bool:
    """Whether grey levels are exact ones, rounded; a half may go either way."""
    return bool(np.abs(found - exact).max() < 0.500001)


def levels(values: Values, low: float, high: float) -> Values:
    return ((values - low) / (high - low)).clip(0, 1) * 255


def curve(count: int, top: int) -> Values:
    """Entries that rise as a root does."""
    return (np.sqrt(np.linspace(0, 1, count)) * top).round()


@pytest.mark.parametrize("slope", [1, 2, 0.684])
@pytest.mark.parametrize(("count", "first", "bits"), [(4096, 0, 12), (3000, 500, 16), (256, 100, 10)])
def test_a_voi_table_is_of_the_rescaled_values(
    dicom: MakeDicom, slope: float, count: int, first: int, bits: int
) -> None:
    told = {
        "RescaleSlope": slope,
        "RescaleIntercept": 3,
        "VOILUTSequence": table(curve(count, 2**bits - 1), first, bits),
    }
    data = dicom(STORED, **TWELVE, **told)
    found, notes = opened(data)
    assert same(found, levels(by_chain(data), 0, 2**bits - 1))
    assert notes == ["table of grey levels"]


def test_a_table_that_leaves_its_bits_unused_is_shown_by_its_own_range(dicom: MakeDicom) -> None:
    data = dicom(STORED, **TWELVE, VOILUTSequence=table(np.arange(4096), 0, 16))
    found, notes = opened(data)
    assert same(found, levels(by_chain(data), 0, 4095))
    assert "16 bits whose largest entry is 4095" in notes[0]


def test_a_table_of_8_bits_for_12_bit_values_has_two_entries_in_a_word(dicom: MakeDicom) -> None:
    """pydicom's own function overflows here: the standard is worked by hand."""
    entries = curve(4096, 255)
    item = table(np.frombuffer(entries.astype(np.uint8).tobytes(), dtype="<u2"), 0, 8)
    item[0].LUTDescriptor = [4096, 0, 8]
    found, _ = opened(dicom(STORED, **TWELVE, VOILUTSequence=item))
    assert (found.ravel() == entries).all()


def test_tables_may_begin_below_zero(dicom: MakeDicom) -> None:
    stored = (STORED.astype(np.int16) - 2048).astype(np.int16)
    data = dicom(stored, **TWELVE, VOILUTSequence=table(curve(4096, 4095), -2048, 12))
    assert same(opened(data)[0].ravel(), levels(curve(4096, 4095), 0, 4095))


def test_a_modality_table_stands_before_the_window(dicom: MakeDicom) -> None:
    told = {"ModalityLUTSequence": table(curve(4096, 65_535), 0, 16), "WindowCenter": 40_000, "WindowWidth": 20_000}
    data = dicom(STORED, **TWELVE, **told)
    assert same(opened(data)[0], levels(by_chain(data), 0, 65_535))


def test_a_modality_table_of_big_endian_words(dicom: MakeDicom) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(STORED, **TWELVE, WindowCenter=2000, WindowWidth=3000)))
    little = io.BytesIO()
    header.ModalityLUTSequence = table(curve(4096, 4095), 0, 12)
    header.save_as(little)
    header.PixelData = STORED.astype(">u2").tobytes()
    header.ModalityLUTSequence[0].LUTData = curve(4096, 4095).astype(">u2").tobytes()
    header.file_meta.TransferSyntaxUID, big = pydicom.uid.ExplicitVRBigEndian, io.BytesIO()
    pydicom.dcmwrite(big, header, implicit_vr=False, little_endian=False, force_encoding=True)
    assert (opened(big.getvalue())[0] == opened(little.getvalue())[0]).all()


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", "sigmoid", None])
@pytest.mark.parametrize(("centre", "width"), [(2000, 1001), (300.5, 64), ([1500, 90], [800, 50])])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_windows_are_those_of_the_standard(
    dicom: MakeDicom, function: str | None, centre: Any, width: Any, photometric: str
) -> None:
    told = {"WindowCenter": centre, "WindowWidth": width, "RescaleSlope": 1.5, "RescaleIntercept": -200}
    told |= {"VOILUTFunction": function} if function else {}
    data = dicom(STORED, **TWELVE, **told, PhotometricInterpretation=photometric)
    expected = levels(by_chain(data), -200, 4095 * 1.5 - 200)
    found = opened(data)[0]
    assert same(found, 255 - expected if photometric == "MONOCHROME1" else expected)


def test_an_exact_window_may_be_narrower_than_one(dicom: MakeDicom) -> None:
    told = {"RescaleSlope": 1 / 4096, "RescaleIntercept": 0, "WindowCenter": 0.5, "WindowWidth": 0.5}
    found, notes = opened(dicom(STORED, **TWELVE, **told, VOILUTFunction="LINEAR_EXACT"))
    assert notes == ["LINEAR_EXACT window 0.5, 0.5"]
    assert same(found, levels(STORED / 4096, 0.25, 0.75))
    assert "is none that can be applied" in opened(dicom(STORED, **TWELVE, **told))[1][0]


def test_a_function_that_nobody_knows_is_refused_by_its_name(dicom: MakeDicom) -> None:
    with pytest.raises(ImageError, match="VOI LUT function CUBIC is not read") as caught:
        opened(dicom(STORED, **TWELVE, **SIGMOID | {"VOILUTFunction": "CUBIC"}))
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ({"VOILUTSequence": [], "ModalityLUTSequence": []}, None),
        ({"WindowCenter": None, "WindowWidth": None, "RescaleSlope": None, "RescaleIntercept": None}, None),
        ({"WindowCenter": 2000}, "a window centre or width without the other, not applied"),
        ({"RescaleSlope": 2}, "a rescale slope or intercept without the other, not applied"),
        ({"RescaleSlope": 0, "RescaleIntercept": 5}, "rescale slope 0 and intercept 5, not applied"),
        ({"VOILUTSequence": [pydicom.Dataset()]}, "VOILUTSequence without its data, not applied"),
    ],
)
def test_empty_elements_are_as_none_and_halves_are_told(
    dicom: MakeDicom, told: dict[str, Any], note: str | None
) -> None:
    found, notes = opened(dicom(STORED, **TWELVE, **told))
    plain, said = opened(dicom(STORED, **TWELVE))
    assert (found == plain).all()
    assert notes == ([note] if note else []) + said


def test_a_table_that_is_cut_short_is_refused(dicom: MakeDicom) -> None:
    item = table(curve(100, 4095), 0, 12)
    item[0].LUTDescriptor = [4096, 0, 12]
    with pytest.raises(ImageError, match="100 entries, 4096 are stated"):
        opened(dicom(STORED, **TWELVE, VOILUTSequence=item))


def test_8_bit_values_without_a_window_go_through_the_modality_step(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    found, _ = opened(dicom(film, RescaleSlope=-1, RescaleIntercept=255))
    assert (found == 255 - film).all()
    assert (opened(dicom(film, RescaleSlope=2, RescaleIntercept=7))[0] == film).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (-2000, {"PixelPaddingValue": -2000}),
        (-1990, {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1980}),
        (-1990, {"PixelPaddingValue": -1980, "PixelPaddingRangeLimit": -2000}),
        (30_000, {"PixelPaddingValue": 30_000}),
    ],
)
def test_padding_is_in_no_percentile_and_is_black(
    dicom: MakeDicom, photometric: str, value: int, told: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.normal(1000, 100, (64, 64)).round().astype(np.int16)
    padded = picture.copy()
    padded[:20] = value
    found, notes = opened(dicom(padded, **told, PhotometricInterpretation=photometric))
    alone, _ = opened(dicom(picture[20:], PhotometricInterpretation=photometric))
    assert (found[20:] == alone).all()
    assert not found[:20].any()
    assert notes[-1] == "1280 pixels of padding, made black"


def test_padding_that_a_header_gives_without_its_sign_is_known(dicom: MakeDicom) -> None:
    stored = np.full((8, 8), 500, dtype=np.int16)
    stored[0], stored[1] = -2000, 700
    header = pydicom.dcmread(io.BytesIO(dicom(stored)))
    header.add_new("PixelPaddingValue", "US", 65_536 - 2000)
    file = io.BytesIO()
    header.save_as(file)
    found, notes = opened(file.getvalue())
    assert "8 pixels of padding, made black" in notes
    assert found[1].min() == 255


def test_a_film_of_padding_alone_is_refused(dicom: MakeDicom) -> None:
    with pytest.raises(ImageError, match="no pixel is anything but padding"):
        opened(dicom(np.full((8, 8), 77, np.uint16), PixelPaddingValue=77))


def test_of_an_enhanced_object_the_groups_of_its_first_frame_count(dicom: MakeDicom) -> None:
    rescale, window, shared, own = (pydicom.Dataset() for _ in range(4))
    rescale.RescaleSlope, rescale.RescaleIntercept = 2, -1000
    window.WindowCenter, window.WindowWidth = 2000, 1001
    shared.PixelValueTransformationSequence, own.FrameVOILUTSequence = [rescale], [window]
    grouped = dicom(
        STORED, **TWELVE, SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=[own, own]
    )
    plain = dicom(STORED, **TWELVE, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=2000, WindowWidth=1001)
    assert (opened(grouped)[0] == opened(plain)[0]).all()


def test_pixels_of_floats_go_by_percentiles_of_those_that_are_numbers(dicom: MakeDicom) -> None:
    values = np.linspace(-1, 1, 4096, dtype=np.float32).reshape(64, 64)
    values[0, :4] = np.nan
    header = pydicom.dcmread(io.BytesIO(dicom(STORED)))
    del header.PixelData, header.BitsStored, header.HighBit, header.PixelRepresentation
    header.BitsAllocated, header.FloatPixelData = 32, values.tobytes()
    file = io.BytesIO()
    header.save_as(file)
    found, notes = opened(file.getvalue())
    assert not found[0, :4].any() and found[-1].max() == 255
    assert "4 pixels of padding, made black" in notes


@pytest.mark.parametrize(("kind", "bits"), [(np.uint8, 8), (np.uint16, 16), (np.uint32, 32)])
def test_colours_of_any_depth_are_made_grey(dicom: MakeDicom, kind: type, bits: int) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(np.zeros((2, 2), dtype=np.uint8))))
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]])
    header.SamplesPerPixel, header.PlanarConfiguration, header.PhotometricInterpretation = 3, 0, "RGB"
    header.BitsAllocated = header.BitsStored = bits
    header.HighBit = bits - 1
    header.PixelData = (colours * ((2**bits - 1) // 255)).astype(kind).tobytes()
    file = io.BytesIO()
    header.save_as(file)
    found, notes = opened(file.getvalue())
    assert found.tolist() == [[76, 150], [29, 255]]
    assert notes == ["RGB, made grey"]


def test_colours_that_nobody_makes_grey_are_refused_by_name(dicom: MakeDicom) -> None:
    with pytest.raises(ImageError, match="photometric interpretation HSV of shape"):
        opened(dicom(np.zeros((2, 2), np.uint8), PhotometricInterpretation="HSV"))


def test_what_is_not_drawn_is_told(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(film)))
    header.add_new(0x60000010, "US", 64)
    file = io.BytesIO()
    header.save_as(file)
    found, notes = opened(file.getvalue())
    assert (found == film).all() and notes == ["overlay 6000 not drawn"]
