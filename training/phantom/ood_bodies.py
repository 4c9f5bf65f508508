"""Lesions of the liver that are none of the three classes, as they look in the portal phase.

Bodies in space like those of `lesions`. Published figures are cited where they stand; how often a
sign is drawn, and its size, are judgement where no source is named.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float32, Int

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
from training.phantom.lesions import Body, Host

Mimic = Literal["hcc", "fnh", "abscess"]

#: Median diameters in mm, and how far from round (see `placing`): judgement. Ten of 15 focal
#: nodular hyperplasias were below 30 mm (J Korean Radiol Soc 2003;49(3)).
MEDIAN_MM = {"hcc": 36.0, "fnh": 30.0, "abscess": 42.0}
STRETCH = {"hcc": 0.09, "fnh": 0.12, "abscess": 0.16}

#: How much of the liver around an abscess its oedema covers: less than any reader's threshold for
#: the outline (see `placing`).
_FAINT = 0.3

Centres = Float32[np.ndarray, "n 3"]


def draw_mimic(rng: np.random.Generator, kind: Mimic, host: Host) -> Body:
    """Draw a lesion of a kind."""
    match kind:
        case "hcc":
            return _hcc(rng, host)
        case "fnh":
            return _fnh(rng, host)
        case "abscess":
            return _abscess(rng, host)


def _hcc(rng: np.random.Generator, host: Host) -> Body:
    """Hepatocellular carcinoma: washed out, in an enhancing capsule, a mosaic inside.

    Washout by measurement in 76 % and a mosaic in 78-86 % in the portal phase (Lee et al., AJR
    2004;182:643, PMID 14975963); liver / tumour is 1.21 at the median in the delayed phase (PMID
    23255745), which at 108 HU is 19 HU below the liver: 12-36 here, and the other quarter about
    isodense. A capsule in about 80 % (Radiol Oncol 2018;52:353), of the delayed phase: three
    quarters here, and all isodense ones, which nobody could outline without; 1.2-2.4 mm wide. Small
    ones are even; compartments of larger ones may be dead, bled into or fatty.
    """
    washed_out = rng.random() < 0.76
    soft = host.liver_hu - float(rng.uniform(12, 36) if washed_out else rng.uniform(-6, 8))
    capsule = not washed_out or rng.random() < 0.75
    blood = host.vessel_hu - host.liver_hu
    rim_hu = host.liver_hu + float(rng.uniform(0.3, 0.9)) * blood
    rim = float(rng.uniform(1.2, 2.4)) / host.radius_mm if capsule else 0.0
    edge = 0.05 if rim else float(rng.uniform(0.08, 0.16))
    bumps, amount = draw_waves(rng, count=8, wavelength=(1.1, 2.8)), float(rng.uniform(0.02, 0.06))
    inner, unevenness = draw_waves(rng, count=8, wavelength=(0.3, 0.9)), float(rng.uniform(2, 6))
    warp = draw_waves(rng, count=6, wavelength=(0.5, 1.2))
    centres = _draw_centres(rng, (1, 4) if host.radius_mm < 10 else (6, 16))
    shade = rng.normal(0, 9, len(centres)) * (len(centres) > 1)
    shade -= rng.uniform(12, 30, len(centres)) * (rng.random(len(centres)) < 0.12)
    septum, septum_hu = float(rng.uniform(0.01, 0.03)), host.liver_hu + float(rng.uniform(-8, 12))

    def body(points: Points, pixel: float) -> tuple[Field, Field]:
        outside = length(points) + np.float32(amount) * bumps(points) - 1
        which, wall = _cells(points + np.float32(0.04) * warp(points), centres)
        hu = soft + shade.astype(np.float32)[which] + np.float32(unevenness) * inner(points)
        hu += coverage(wall - septum, max(0.04, pixel)) * (septum_hu - hu)
        if rim:
            hu += coverage(-outside - rim, max(0.4 * rim, pixel)) * (rim_hu - hu)
        return coverage(outside, max(edge, pixel)), hu

    return body


def _fnh(rng: np.random.Generator, host: Host) -> Body:
    """Focal nodular hyperplasia: even, as dense as the liver or a little denser, round a scar.

    In the portal phase nine of 15 were iso- or hypodense, five weakly and one strongly hyperdense
    (J Korean Radiol Soc 2003;49(3)); their mean is 142 HU against 153 in the cava (Johnson et al.,
    J Comput Assist Tomogr 2010;34:720). A scar is read in CT in four of 15 there and in eight of 25
    (OncoTargets Ther 2016); here in 70 % of the hyperdense ones, and in all isodense ones, which
    nobody could outline without.
    """
    isodense = rng.random() < 0.5
    soft = host.liver_hu + float(rng.uniform(-6, 6) if isodense else rng.uniform(12, 30))
    bumps, amount = draw_waves(rng, count=8, wavelength=(0.9, 2.0)), float(rng.uniform(0.03, 0.09))
    inner, unevenness = draw_waves(rng, count=8, wavelength=(0.3, 0.9)), float(rng.uniform(1, 4))
    ragged = draw_waves(rng, count=8, wavelength=(0.4, 1.0))
    scar_hu = host.liver_hu - float(rng.uniform(35, 60))
    # Sheets that stand up from the slice: it cuts them into spokes.
    sheets = np.stack([draw_direction(rng, flat=0.4) for _ in range(rng.integers(2, 5))])
    core = float(rng.uniform(0.16, 0.28)) if isodense or rng.random() < 0.7 else 0.0

    def body(points: Points, pixel: float) -> tuple[Field, Field]:
        radius = length(points)
        hu = soft + np.float32(unevenness) * inner(points)
        if core:
            crooked = np.float32(0.05) * ragged(points)
            scar = _to_star(points, sheets, core, crooked)
            hu += smooth(coverage(scar, max(0.10, pixel))) * (scar_hu - hu)
        return coverage(radius + np.float32(amount) * bumps(points) - 1, max(0.06, pixel)), hu

    return body


def _to_star(points: Points, sheets: np.ndarray, core: float, crooked: Field) -> Field:
    """Return the signed distance to a core with sheets through it that taper to nothing at 0.9.

    The core stands up too, as a reader takes the slice that shows the scar.
    """
    radius = length(points)
    star = length(points * column(np.array([1, 1, 0.4]), points)) - core + crooked
    half = np.float32(0.55 * core) * np.clip(1 - radius / 0.9, 0, 1)
    for normal in sheets:
        across = (points * column(normal, points)).sum(axis=0)
        beyond = np.where(radius < 0.9, np.abs(across + crooked) - half, radius)
        np.minimum(star, beyond, out=star)
    return star


def _abscess(rng: np.random.Generator, host: Host) -> Body:
    """Pyogenic abscess: pus of 5-45 HU in an enhancing wall, with or without septa and oedema.

    A wall brighter than liver inside a darker halo is the double target sign (Mathieu et al.,
    Radiology 1985;154:749); many small ones that coalesce are the cluster sign (Jeffrey et al., AJR
    1988;151: small ones in five of 36 patients). Here a seventh are clusters, two fifths have
    chambers, half have a halo 10-26 HU below the liver and an eighth hold gas.
    """
    pus = float(np.clip(rng.normal(24, 9), 5, 45))
    wall = min(float(rng.uniform(2.5, 5.0)) / host.radius_mm, 0.28)
    blood = host.vessel_hu - host.liver_hu
    wall_hu = host.liver_hu + float(rng.uniform(0.4, 1.0)) * blood
    pick = rng.random()
    centres = _draw_centres(rng, (1, 2) if pick < 0.45 else (3, 8) if pick < 0.86 else (10, 20))
    septum = float(rng.uniform(0.35, 0.6)) * wall
    bumps, amount = draw_waves(rng, count=8, wavelength=(0.8, 2.2)), float(rng.uniform(0.05, 0.11))
    inner, unevenness = draw_waves(rng, count=8, wavelength=(0.4, 1.0)), float(rng.uniform(2, 6))
    ragged = draw_waves(rng, count=8, wavelength=(0.3, 0.8))
    halo = float(rng.uniform(0.15, 0.30)) if rng.random() < 0.5 else 0.0
    halo_hu = host.liver_hu - float(rng.uniform(10, 26)) / _FAINT
    gas = draw_balls(rng, (1, 4), reach=(0.0, 0.25), size=(0.06, 0.18))
    gas[:, 1] -= 0.5  # it rises to the front of a patient who lies on the back
    if rng.random() > 1 / 8:
        gas = gas[:0]

    def body(points: Points, pixel: float) -> tuple[Field, Field]:
        outside = length(points) + np.float32(amount) * bumps(points) - 1
        crooked = np.float32(0.05) * ragged(points)
        _, apart = _cells(points + crooked, centres)
        hu = pus + np.float32(unevenness) * inner(points)
        hu += coverage(to_balls(points, gas), max(0.05, pixel)) * (-700 - hu)
        hu += smooth(coverage(apart - septum, max(0.08, pixel))) * (wall_hu - 8 - hu)
        hu += smooth(coverage(-outside - wall * (1 + 4 * crooked), max(0.05, pixel))) * (
            wall_hu - hu
        )
        cover = coverage(outside, max(0.06, pixel))
        if not halo:
            return cover, hu
        whole = np.maximum(cover, _FAINT * smooth(np.clip(1.4 * (1 - outside / halo), 0, 1)))
        hu = (cover * hu + (whole - cover) * halo_hu) / np.maximum(whole, np.float32(1e-6))
        return whole, hu

    return body


def _draw_centres(rng: np.random.Generator, count: tuple[int, int]) -> Centres:
    """Draw points that are spread evenly through the unit ball."""
    points = rng.normal(size=(rng.integers(*count), 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return (points * rng.random((len(points), 1)) ** (1 / 3)).astype(np.float32)


def _cells(points: Points, centres: Centres) -> tuple[Int[np.ndarray, "*shape"], Field]:
    """Return which centre is nearest, and about how far the wall to the next cell is."""
    first = np.full(points.shape[1:], np.inf, dtype=np.float32)
    second, which = first.copy(), np.zeros(points.shape[1:], dtype=np.int64)
    for number, centre in enumerate(centres):
        distance = length(points - column(centre, points))
        nearer = distance < first
        second = np.where(nearer, first, np.minimum(second, distance))
        which[nearer] = number
        np.minimum(first, distance, out=first)
    return which, (second - first) / 2
