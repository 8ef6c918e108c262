"""An ONNX model on one thread: Ray counts cores, and each of its actors holds one."""

from pathlib import Path
from typing import Any

import cv2


def session(file: Path) -> Any:
    """A file as an ONNX session of the CPU; OpenCV beside it keeps to one thread too."""
    import onnxruntime

    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
