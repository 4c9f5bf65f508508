"""The three classes as bodies in space, which the slice cuts at a random height.

A body is a function of points in units of its radius: how much of it is there (0..1), and its HU.
What portal-phase CT shows of each class is described in the paper (2.1): cysts are "non-enhancing
water-attenuation circumscribed lesions"; metastases "hypoattenuating, have soft-tissue attenuation
and less well-defined margins than cysts"; hemangiomas "show typical features of discontinuous
nodular peripheral enhancement"; and "metastases can contain areas of higher density, probably
prominent blood vessels or calcifications that can be mistaken for hemangiomas attributes".
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantom.classes import LesionClass
from training.phantom.geometry import (
    Field,
    Points,
    column,
    coverage,
    draw_balls,
    draw_direction,
    draw_waves,
    length,
    smooth,
    to_balls,
)

#: Points in radii, and the width in radii of a pixel -> how much of the body is there, and its HU.
Body = Callable[[Points, float], tuple[Field, Field]]


@dataclass(frozen=True, slots=True)
class Host:
    """What a lesion's attenuation is relative to, in HU, and the radius in mm that it will have."""

    liver_hu: float
    vessel_hu: float
    radius_mm: float


def draw_body(rng: np.random.Generator, lesion_class: LesionClass, host: Host) -> Body:
    """Draw a lesion of a class."""
    match lesion_class:
        case LesionClass.CYST:
            return _cyst(rng)
        case LesionClass.METASTASIS:
            return _metastasis(rng, host)
        case LesionClass.HEMANGIOMA:
            return _hemangioma(rng, host)


def _cyst(rng: np.random.Generator) -> Body:
    """Water: 0-20 HU (paper 2.1, Fig. 1), sharp and homogeneous.

    One in seven has two chambers, one in sixteen is complicated (20-42 HU: blood or protein).
    """
    water = float(np.clip(rng.normal(8, 5), 0, 20))
    if rng.random() < 0.06:
        water = float(rng.uniform(20, 42))
    bumps, amount = draw_waves(rng, count=6, wavelength=(2.0, 4.0)), rng.uniform(0.0, 0.04)
    second = _second_chamber(rng) if rng.random() < 0.15 else None

    def body(points: Points, pixel: float) -> tuple[Field, Field]:
        if second is not None:  # smaller, so that both chambers have the size asked for
            points, pixel = points * np.float32(1.3), pixel * 1.3
        distance = length(points) - 1 + np.float32(amount) * bumps(points)
        if second is not None:
            centre, size = second
            distance = np.minimum(distance, length(points - column(centre, points)) - size)
        return coverage(distance, pixel), np.full(distance.shape, water, dtype=np.float32)

    return body


def _second_chamber(rng: np.random.Generator) -> tuple[np.ndarray, np.float32]:
    direction = draw_direction(rng, flat=0.4)
    return direction * np.float32(rng.uniform(0.7, 1.05)), np.float32(rng.uniform(0.35, 0.75))


def _metastasis(rng: np.random.Generator, host: Host) -> Body:
    """Hypovascular: 22-62 HU below its liver, ill-defined, uneven.

    Measured (docs/phantom.md): 26 HU in one colorectal metastasis, 40 in a tumour of another series
    and 58 in its core, -6 to 62 in twelve tumour slices of several kinds. Of 74
    colorectal metastases in the portal phase 73 % had a discernible rim and 51 % an increased
    central attenuation (Ann Acad Med Singapore 2003;32:191); other primaries show less, so here two
    fifths have a rim and a quarter dense areas. A quarter are necrotic, more of the large ones;
    one in fourteen is cystic (mucinous, or treated).
    """
    drop = float(rng.uniform(22, 62))
    soft = max(host.liver_hu - drop, 15.0)
    edge = float(rng.uniform(0.05, 0.22))
    bumps, amount = draw_waves(rng, count=8, wavelength=(1.0, 3.0)), float(rng.uniform(0.04, 0.13))
    inner, unevenness = draw_waves(rng, count=10, wavelength=(0.45, 1.6)), float(rng.uniform(3, 10))
    core = _draw_core(rng, soft, host.radius_mm)
    rim = float(rng.uniform(0.25, 0.8)) * drop if rng.random() < 0.4 else 0.0
    dense = draw_balls(rng, (1, 5), reach=(0.0, 0.85), size=(0.08, 0.26))
    if rng.random() > 0.25:
        dense = dense[:0]
    dense_hu = float(rng.uniform(0.75, 1.1)) * host.vessel_hu

    def body(points: Points, pixel: float) -> tuple[Field, Field]:
        radius = length(points) + np.float32(amount) * bumps(points)
        hu = soft + np.float32(unevenness) * inner(points)
        if core is not None:
            size, softness, deep = core
            hu += smooth(coverage(radius - size, softness)) * (deep - hu)
        hu += np.float32(rim) * np.exp(-(((radius - 0.86) / 0.13) ** 2))
        hu += smooth(coverage(to_balls(points, dense), 0.12)) * (dense_hu - hu)
        return smooth(coverage(radius - 1, max(2 * edge, pixel))), hu

    return body


def _draw_core(
    rng: np.random.Generator, soft: float, radius_mm: float
) -> tuple[float, float, float] | None:
    """Draw size, edge and HU of what is dead or fluid inside a metastasis."""
    kind = rng.random()
    if kind < 0.07:  # cystic
        return float(rng.uniform(0.78, 0.9)), 0.12, float(rng.uniform(5, 25))
    if kind < 0.07 + min(0.015 * radius_mm, 0.6):  # necrotic: a quarter at the median size
        deep = max(soft - float(rng.uniform(15, 35)), 12.0)
        return float(rng.uniform(0.35, 0.75)), float(rng.uniform(0.2, 0.5)), deep
    return None


def _hemangioma(rng: np.random.Generator, host: Host) -> Body:
    """20-52 HU below its liver, well-defined, with nodules along the rim near the HU of vessels.

    Globular enhancement is seen in 88 % (Leslie et al., AJR 1995;165:1403); in the portal phase
    only 14-26 % of the nodules match the vessels, and 53-74 % are uneven (AJR 2010;195:381, PMID
    20651193): so they lie between liver and vessels, nearer to the vessels, and an eighth have none
    (more, where the slice misses them). A fifth are filling in, and a third of those below 18 mm
    have filled at once; a large one has a scar (Vilgrain et al., RadioGraphics 2000;20:379).
    """
    soft = max(host.liver_hu - float(rng.uniform(20, 52)), 25.0)
    bright = host.liver_hu + float(rng.uniform(0.45, 1.05)) * (host.vessel_hu - host.liver_hu)
    edge = float(rng.uniform(0.03, 0.08))
    bumps, amount = draw_waves(rng, count=8, wavelength=(1.1, 2.8)), float(rng.uniform(0.02, 0.08))
    mottle, unevenness = draw_waves(rng, count=8, wavelength=(0.25, 0.7)), float(rng.uniform(2, 12))
    ragged = draw_waves(rng, count=8, wavelength=(0.3, 0.8))
    filled, nodules = _draw_filling(rng, host.radius_mm)
    scar = draw_balls(rng, (1, 4), reach=(0.0, 0.3), size=(0.10, 0.30))
    if host.radius_mm < 20:
        scar = scar[:0]

    def body(points: Points, pixel: float) -> tuple[Field, Field]:
        outside = length(points) + np.float32(amount) * bumps(points) - 1
        hu = np.full(outside.shape, soft + filled * (bright - soft), dtype=np.float32)
        near = to_balls(points, nodules) + np.float32(0.05) * ragged(points)
        blood = bright + np.float32(unevenness) * mottle(points)
        hu += smooth(coverage(near, max(0.10, pixel))) * (blood - hu)
        hu += smooth(coverage(to_balls(points, scar), 0.15)) * (max(soft - 18, 18.0) - hu)
        return coverage(outside, max(edge, pixel)), hu

    return body


def _draw_filling(
    rng: np.random.Generator, radius_mm: float
) -> tuple[float, Float32[np.ndarray, "n 4"]]:
    """Draw how far a hemangioma has filled in (0..1), and the nodules along its rim."""
    none = np.empty((0, 4), dtype=np.float32)
    if radius_mm < 9 and rng.random() < 1 / 3:
        return 1.0, none
    if rng.random() < 0.12:
        return 0.0, none
    filling = rng.random() < 0.2
    return float(rng.uniform(0.25, 0.6)) if filling else 0.0, _draw_nodules(rng, filling=filling)


def _draw_nodules(rng: np.random.Generator, *, filling: bool) -> Float32[np.ndarray, "n 4"]:
    """Draw balls along the rim in a few groups with gaps between: discontinuous, globular."""
    groups = rng.integers(5, 9) if filling else rng.integers(3, 8)
    balls = []
    for _ in range(groups):
        axis = draw_direction(rng, flat=0.6)
        for _ in range(rng.integers(1, 5)):
            direction = axis + 0.35 * rng.normal(size=3)
            direction /= np.linalg.norm(direction)
            size = rng.uniform(0.12, 0.34) * (1.25 if filling else 1.0)
            depth = 1.0 - size * rng.uniform(0.55, 1.1)
            balls.append([*(direction * depth), size])
    return np.asarray(balls, dtype=np.float32)
