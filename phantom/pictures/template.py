"""The head that heads are drawn from: the MNI152 template (ICBM 2009a) in nilearn's wheel."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.config import UserError

ORIGIN = np.array([98.0, 134.0, 72.0], dtype=np.float32)  # voxel of (0, 0, 0) mm; x grows to the patient's right
COARSE = 2  # millimetres per voxel of the distance map


@dataclass(frozen=True)
class Head:
    """The template: grey and white matter at 1 mm (0 to 255), and the depth under the brain's hull in mm at 2 mm."""

    gm: NDArray[np.uint8]
    wm: NDArray[np.uint8]
    depth: NDArray[np.float32]


@lru_cache(maxsize=1)
def load_head() -> Head:
    """The template, read once in a process."""
    folder = _template_folder()
    gm, wm = (_read(folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz") for name in ("gm", "wm"))
    coarse = (slice(None, None, COARSE),) * 3
    brain = gm[coarse].astype(np.int16) + wm[coarse] > 70
    # Closing by 12 mm bridges the sulci and the gap over the cerebellum, as the dura does.
    near = ndimage.distance_transform_edt(~brain, sampling=COARSE) <= 12
    hull = ndimage.distance_transform_edt(near, sampling=COARSE) > 12
    inside = ndimage.distance_transform_edt(hull, sampling=COARSE)
    outside = ndimage.distance_transform_edt(~hull, sampling=COARSE)
    return Head(gm, wm, ndimage.gaussian_filter((inside - outside).astype(np.float32), 1.0))


def _template_folder() -> Path:
    """Where the wheel keeps its templates; found without importing nilearn, which takes seconds."""
    spec = find_spec("nilearn")
    if spec is None or spec.origin is None:
        raise UserError("synthetic data is drawn from nilearn's templates: pip install 'figray[demo]', or make setup")
    return Path(spec.origin).parent / "datasets" / "data"


def _read(path: Path) -> NDArray[np.uint8]:
    import nibabel  # here: it comes with nilearn, which only synthetic data needs

    image = nibabel.nifti1.Nifti1Image.from_filename(path)
    return np.asarray(image.dataobj).astype(np.uint8)
