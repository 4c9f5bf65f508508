"""Further images of a few lesions without a network: what a generator has to beat.

All take patches in HU of lesions that may be trained on, and make new ones from two lesions, or
from one as another scanner might show it. Numbers of the scanner are usual ones for abdominal CT;
none was tried out.
"""

import numpy as np
from jaxtyping import Float, Shaped
from scipy.ndimage import gaussian_filter, map_coordinates

from lesion.errors import RunError
from lesion.roi import MARGIN, PATCH_SIZE

#: Another scanner: offset and noise in HU (sd), and blur in patch pixels (sigma), up to so much.
OFFSET_HU = 10.0
NOISE_HU = 10.0
BLUR_PX = 0.8
#: Noise of CT is grainy: neighbouring pixels go together.
_GRAIN_PX = 0.7
#: A lesion's border is no knife's cut: pixels over which it is blended into its new surroundings.
_SEAM_PX = 3.0
#: A bend of a patch: how far a pixel may move (sd), and over how many its neighbours move alike.
BEND_PX = 2.0
_BEND_SMOOTH_PX = 8.0

Patches = Float[np.ndarray, "n 64 64"]
Mixed = Float[np.ndarray, "made 64 64"]


def mixup(
    hu: Patches, patients: Shaped[np.ndarray, " n"], *, count: int, rng: np.random.Generator
) -> Mixed:
    """Mix two lesions of one class from two patients, pixel by pixel, in random parts.

    Mixup within a class (Zhang et al. 2018; Inoue 2018). Return [count, 64, 64]; raise `RunError`
    where all lesions are one patient's.
    """
    first, second = _pairs(patients, patients, count=count, rng=rng)
    part = rng.uniform(size=(count, 1, 1)).astype(np.float32)
    mixed: np.ndarray = part * hu[first] + (1 - part) * hu[second]
    return mixed


def augment_scanner(hu: Patches, *, rng: np.random.Generator) -> Patches:
    """Show each patch as another scanner or protocol might: shifted, blurred, noisier."""
    shown = np.empty(hu.shape, dtype=np.float32)
    for index, patch in enumerate(hu):
        grain = gaussian_filter(rng.normal(size=patch.shape), _GRAIN_PX, mode="wrap")
        noise = grain / grain.std() * rng.uniform(0, NOISE_HU)
        blurred = gaussian_filter(patch, rng.uniform(0, BLUR_PX), mode="nearest")
        shown[index] = blurred + noise + rng.normal(0, OFFSET_HU)
    return shown


def deform(hu: Patches, *, rng: np.random.Generator) -> Patches:
    """Bend each patch smoothly, so that its lesion has another outline (Simard et al. 2003)."""
    grid = np.mgrid[:PATCH_SIZE, :PATCH_SIZE].astype(np.float64)
    bent = np.empty(hu.shape, dtype=np.float32)
    for index, patch in enumerate(hu):
        rough = rng.normal(size=grid.shape)
        smooth = gaussian_filter(rough, (0, _BEND_SMOOTH_PX, _BEND_SMOOTH_PX), mode="nearest")
        shift = BEND_PX * smooth / smooth.std(axis=(1, 2), keepdims=True)
        bent[index] = map_coordinates(patch.astype(np.float32), grid + shift, mode="nearest")
    return bent


def transfer_background(
    hu: Patches,
    patients: Shaped[np.ndarray, " n"],
    *,
    into: Float[np.ndarray, "m 64 64"],
    hosts: Shaped[np.ndarray, " m"],
    count: int,
    rng: np.random.Generator,
) -> Mixed:
    """Put a lesion into another patient's surroundings, at the level of its new liver.

    A lesion fills the middle of its patch, whoever has it (`lesion.roi.MARGIN`), so what lies
    outside its circle is the host's. Each of the two is turned by quarters and mirrored at random.
    Return [count, 64, 64]; raise `RunError` where nobody else is there.
    """
    lesion, host = _pairs(patients, hosts, count=count, rng=rng)
    inside = circle()
    own, other = _turn(hu[lesion], rng), _turn(into[host], rng)
    around = inside < 0.5
    # The median, for there may be lung, fat or a vessel in the corner.
    shift = np.median(other[:, around], axis=1) - np.median(own[:, around], axis=1)
    put: np.ndarray = inside * (own + shift[:, None, None]) + (1 - inside) * other
    return put.astype(np.float32)


def _pairs(
    patients: np.ndarray, hosts: np.ndarray, *, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` pairs of two patients: indices into either."""
    allowed = [np.flatnonzero(hosts != one) for one in patients]
    if not all(map(len, allowed)):
        raise RunError(f"found {len(set(patients))} patients, expected two or more")
    first = rng.integers(len(patients), size=count)
    return first, np.array([rng.choice(allowed[one]) for one in first])


def circle() -> np.ndarray:
    """Return [64, 64] of 1 inside the circle that a lesion fills, 0 outside, and a soft seam."""
    middle = (PATCH_SIZE - 1) / 2
    y, x = np.mgrid[:PATCH_SIZE, :PATCH_SIZE] - middle
    radius = PATCH_SIZE / 2 / (1 + 2 * MARGIN)
    soft: np.ndarray = np.clip(0.5 + (radius - np.hypot(x, y)) / (2 * _SEAM_PX), 0, 1)
    return soft.astype(np.float32)


def _turn(patches: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn each patch by a random number of quarters, and mirror half of them."""
    turned = [np.rot90(patch, int(rng.integers(4))) for patch in patches]
    mirrored = [patch[::-1] if rng.random() < 0.5 else patch for patch in turned]
    return np.stack(mirrored)
