"""Images from strangers: what opens, what it looks like then, and what is refused (fault matrix, 27 to 35)."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from core.images import ImageError, boxes_within, encode_jpeg, encode_png, encode_small, open_image

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def written(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, with next to nothing behind it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as refused:
        open_image(data)
    return refused.value.code


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "BMP"])
def test_a_lossless_file_opens_with_its_pixels(file_format: str) -> None:
    opened = open_image(
        written(Image.fromarray(NOISE), file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    )
    assert np.array_equal(np.asarray(opened.image), NOISE)
    assert (opened.format, opened.n_frames, opened.notes) == (file_format, 1, [])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><body>banned</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ],
    ids=["empty", "html", "svg", "eps"],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert refusal(data) == "not_image"


def test_a_format_outside_the_list_is_refused() -> None:
    assert refusal(written(Image.fromarray(NOISE), "PPM")) == "not_image"


def test_a_format_that_is_not_read_is_named() -> None:
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    with pytest.raises(ImageError, match="HEIC is not read here; save it as PNG or JPEG"):
        open_image(heic)


def test_a_bitmap_whose_fourth_byte_is_nothing_is_not_invisible() -> None:
    blank = Image.merge("RGBA", [*Image.fromarray(NOISE).split(), Image.new("L", (60, 40))])
    file = bytearray(written(blank, "BMP"))
    shown = np.asarray(open_image(bytes(file)).image)
    assert np.array_equal(shown, NOISE)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"])
def test_half_a_file_is_refused(file_format: str) -> None:
    data = written(Image.fromarray(NOISE), file_format)
    assert refusal(data[: len(data) // 2]) in {"truncated", "broken_image", "not_image"}


def test_a_damaged_checksum_is_refused() -> None:
    data = bytearray(written(Image.fromarray(NOISE), "PNG"))
    data[data.index(b"IDAT") + 30] ^= 0xFF
    assert refusal(bytes(data)) in {"truncated", "broken_image"}


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (12_000, 12_000), (20_001, 10), (8_001, 8_001)])
def test_too_many_pixels_are_refused_by_the_header(width: int, height: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        assert refusal(png_header(width, height)) == "too_large"


def test_pillows_warning_as_an_error_is_a_refusal_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        assert refusal(png_header(12_000, 12_000)) == "too_large"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_becomes_white_not_the_colour_hidden_under_it(mode: str) -> None:
    picture = Image.new("RGBA", (80, 80), (10, 200, 30, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 40, 80))
    file_format = "PNG" if mode != "PA" else "TIFF"
    source = picture.convert(mode) if mode != "PA" else picture.convert("RGBA")
    opened = open_image(written(source, file_format))
    assert opened.image.getpixel((60, 40)) == (255, 255, 255)
    assert opened.image.getpixel((20, 40)) == (0, 0, 0)
    assert opened.notes == ["transparency on white"]


def test_a_palette_with_a_transparent_colour_becomes_white_there() -> None:
    picture = Image.new("P", (70, 70), 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(0, (0, 0, 35, 70))
    opened = open_image(written(picture, "PNG", transparency=1))
    assert [opened.image.getpixel((x, 30)) for x in (10, 50)] == [(255, 0, 0), (255, 255, 255)]


def test_one_bit_palette_and_cmyk_become_rgb() -> None:
    black_left = Image.new("1", (64, 64), 1)
    black_left.paste(0, (0, 0, 32, 64))
    opened = open_image(written(black_left, "PNG"))
    assert [opened.image.getpixel((x, 5)) for x in (5, 50)] == [(0, 0, 0), (255, 255, 255)]
    assert open_image(written(Image.new("P", (64, 64)), "GIF")).image.mode == "RGB"
    cyan = open_image(written(Image.new("CMYK", (64, 64), (255, 0, 0, 0)), "TIFF"))
    assert cyan.image.getpixel((5, 5)) == (0, 255, 255)
    assert cyan.notes == ["CMYK"]


@pytest.mark.parametrize(("dtype", "scale", "note"), [(np.uint16, 4000, "16-bit"), (np.float32, 0.001, "float")])
def test_wide_values_keep_their_order_and_use_the_whole_range(dtype: type, scale: float, note: str) -> None:
    ramp: np.ndarray = (np.tile(np.arange(100), (100, 1)) / 100 * scale).astype(dtype)
    opened = open_image(written(Image.fromarray(ramp), "TIFF"))
    row = np.asarray(opened.image)[0, :, 0].astype(int)
    assert (row[0], row[-1]) == (0, 255)
    assert (np.diff(row) >= 0).all()
    assert len(set(row)) > 90
    assert opened.notes == [f"{note}, windowed to percentiles 0.5 and 99.5"]


def test_values_that_are_no_numbers_are_black_and_harm_no_others() -> None:
    ramp = np.tile(np.linspace(-1, 1, 100, dtype=np.float32), (100, 1))
    ramp[0, 50], ramp[1, 50], ramp[2, 50] = np.nan, np.inf, -np.inf
    picture = np.asarray(open_image(written(Image.fromarray(ramp), "TIFF")).image)[..., 0]
    assert list(picture[:3, 50]) == [0, 255, 0]
    assert 120 < picture[3, 50] < 135
    nothing = np.full((70, 70), np.nan, dtype=np.float32)
    assert not np.asarray(open_image(written(Image.fromarray(nothing), "TIFF")).image).any()


@pytest.mark.parametrize("file_format", ["GIF", "TIFF", "WEBP", "PNG"])
def test_the_first_of_several_frames_is_taken_and_counted(file_format: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "lime")]
    options = {"lossless": True} if file_format == "WEBP" else {}
    opened = open_image(written(frames[0], file_format, save_all=True, append_images=frames[1:], **options))
    assert opened.n_frames == 3
    assert opened.notes == ["frame 1 of 3"]
    assert opened.image.getpixel((5, 5)) == (255, 0, 0)


def test_a_rotated_photograph_is_turned_upright() -> None:
    picture = Image.new("RGB", (90, 64), "white")
    picture.paste("black", (0, 0, 45, 64))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the left of the file is the top of the scene
    opened = open_image(written(picture, "JPEG", exif=exif))
    assert opened.image.size == (64, 90)
    assert np.asarray(opened.image)[10, 32].max() < 20
    assert opened.notes == ["turned by EXIF orientation 6"]


def test_nothing_but_pixels_is_written() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Patient John Doe"
    source = Image.fromarray(NOISE)
    data = written(
        source, "JPEG", exif=exif, comment=b"Patient John Doe", icc_profile=b"Patient John Doe", dpi=(72, 72)
    )
    opened = open_image(data)
    for image in (opened.image, Image.open(io.BytesIO(data))):
        for again in (encode_png(image), encode_jpeg(image)):
            assert b"John" not in again
    assert np.array_equal(np.asarray(open_image(encode_png(opened.image)).image), np.asarray(opened.image))


def test_the_same_image_is_written_as_the_same_bytes() -> None:
    image = Image.fromarray(NOISE)
    assert encode_png(image) == encode_png(image.copy())
    assert encode_jpeg(image) == encode_jpeg(image.copy())


def test_no_damage_gets_past_as_anything_but_a_refusal() -> None:
    draw = np.random.default_rng(1)
    picture = Image.fromarray(NOISE)
    files = [written(picture, file_format) for file_format in ("JPEG", "PNG", "GIF", "TIFF", "WEBP")]
    files.append(written(picture.convert("P"), "TIFF", compression="tiff_lzw"))
    for number in range(1200):
        data = bytearray(files[number % len(files)])
        for place in draw.integers(0, min(len(data), 400 if number % 2 else len(data)), 3):
            data[place] = draw.integers(0, 256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                open_image(bytes(data))
            except ImageError as refused:
                assert refused.code in {"not_image", "too_large", "truncated", "broken_image"}


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_tiff_whose_zero_is_white_is_no_negative(dtype: type[np.generic]) -> None:
    """Pillow turns those of 1 and 8 bits round itself, when it writes as when it reads."""
    image = Image.fromarray(np.tile(np.linspace(0, 65535, 64), (64, 1)).astype(dtype))
    shown = [np.asarray(open_image(written(image, "TIFF", tiffinfo={262: zero})).image) for zero in (1, 0)]
    assert shown[0][:, 4].mean() < shown[0][:, -4].mean()
    assert shown[1][:, 4].mean() > shown[1][:, -4].mean()


def test_an_image_is_kept_small_too_where_it_is_larger() -> None:
    image = Image.new("L", (400, 100), 90)
    small = encode_small(image, 256)
    assert small is not None and Image.open(io.BytesIO(small)).size == (256, 64)
    assert encode_small(image, 400) is None and encode_small(image, None) is None


def test_boxes_are_cut_at_the_edges() -> None:
    boxes = [(-3, 2, 5, 9), (8, 8, 40, 40), (20, 0, 30, 4), (2, 2, 2, 6)]
    assert boxes_within(boxes, (10, 12)) == [(0, 2, 5, 9), (8, 8, 10, 12)]
