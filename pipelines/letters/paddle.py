"""PaddleOCR's two models on ONNX Runtime, one thread each, never from the network: PP-OCRv6 from rapidocr's wheel."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.places import Place
from pipelines.letters.wheel_models import DETECTOR, RECOGNISER, source

LINE = (48, 320)  # px: height and width of a line of text, as PaddleOCR has it
PAGE = 960  # px of the longer side, as PaddleOCR has it


def text_recogniser(weights: str | None = None, *, height: int, width: int) -> Any:
    """PaddleOCR's TextRecognition for crops of a size in px.

    weights: a folder, path or URI, with inference.onnx and inference.yml; None takes those of the wheel.
    """
    engine = _engine()
    from paddleocr import TextRecognition

    if weights is not None:
        with Place.at(weights).near() as folder:
            return TextRecognition(model_name=_model_name(folder), model_dir=str(folder), **engine)
    with TemporaryDirectory(prefix="figray-ocr-") as folder:
        _lay_out_recogniser(Path(folder), height=height, width=width)
        return TextRecognition(model_name=RECOGNISER, model_dir=folder, **engine)


def page_reader() -> Any:
    """PaddleOCR's line as it comes, detection and recognition: what a plain loop would call on every panel.

    Online it would fetch larger weights, and turn and flatten the page too: this is cheaper than its defaults.
    """
    engine = _engine()
    from paddleocr import PaddleOCR

    with TemporaryDirectory(prefix="figray-ocr-") as folder:
        detector, recogniser = Path(folder) / "detector", Path(folder) / "recogniser"
        _lay_out_detector(detector, long_side=PAGE)
        _lay_out_recogniser(recogniser, height=LINE[0], width=LINE[1])
        return PaddleOCR(
            text_detection_model_name=DETECTOR,
            text_detection_model_dir=str(detector),
            text_recognition_model_name=RECOGNISER,
            text_recognition_model_dir=str(recogniser),
            text_rec_input_shape=(3, *LINE),
            use_doc_orientation_classify=False,
            use_doc_unwarping=False,
            use_textline_orientation=False,
            **engine,
        )


def _engine() -> dict[str, Any]:
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"  # paddlex asks its model hosts when imported
    import cv2

    cv2.setNumThreads(1)
    threads = {"intra_op_num_threads": 1, "inter_op_num_threads": 1}
    return {"engine": "onnxruntime", "engine_config": threads, "device": "cpu"}


def _lay_out_recogniser(folder: Path, *, height: int, width: int) -> None:
    operations: list[dict[str, Any]] = [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"RecResizeImg": {"image_shape": [3, height, width]}},
    ]
    after = {"name": "CTCLabelDecode", "character_dict": _characters()}
    _lay_out(RECOGNISER, folder, operations, after)


def _lay_out_detector(folder: Path, *, long_side: int) -> None:
    operations: list[dict[str, Any]] = [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"DetResizeForTest": {"resize_long": long_side}},
        # The mean and deviation of ImageNet, as PP-OCR was trained.
        {"NormalizeImage": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "scale": "1./255."}},
        {"ToCHWImage": None},
        {"KeepKeys": {"keep_keys": ["image", "shape"]}},
    ]
    after = {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": 0.6, "unclip_ratio": 1.5}  # PaddleOCR's own
    _lay_out(DETECTOR, folder, operations, after)


def _lay_out(model: str, folder: Path, operations: list[dict[str, Any]], after: dict[str, Any]) -> None:
    """A model of rapidocr's wheel as a folder that PaddleOCR takes."""
    import yaml

    folder.mkdir(exist_ok=True)
    (folder / "inference.onnx").symlink_to(source(model))
    description = {
        "Global": {"model_name": model},
        "PreProcess": {"transform_ops": operations},
        "PostProcess": after,
    }
    (folder / "inference.yml").write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")


def _characters() -> list[str]:
    """What the recogniser can write, which its file itself says."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(source(RECOGNISER)), providers=["CPUExecutionProvider"])
    return list(session.get_modelmeta().custom_metadata_map["character"].split("\n"))


def _model_name(folder: Path) -> str:
    import yaml

    return str(yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))["Global"]["model_name"])
