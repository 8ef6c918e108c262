"""An ONNX model on one thread: Ray counts cores, and each of its actors holds one."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

# Of ImageNet's pixels from 0 to 1: what the models that are run here were trained on has this mean and this spread.
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
SPREAD = np.array((0.229, 0.224, 0.225), np.float32)


def session(file: Path) -> Any:
    """A file as an ONNX session of the CPU; OpenCV beside it keeps to one thread too."""
    import onnxruntime

    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
