"""The upper abdomen: body wall with ribs, lung bases, liver, spleen, stomach, vessels and spine.

An `Anatomy` is one patient; `paint` draws it at one height. Shapes are painted one over another, as
they lie. Attenuations in the portal phase, in HU: fat -100, muscle 60, unopacified fluid 0-20, aerated lung
-850 (Hounsfield's scale and any CT primer); liver and its vessels as in `draw`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantom import vessels
from training.phantom.geometry import Grid, coverage, ellipse, smooth
from training.phantom.vessels import Root

AIR, LUNG, FAT, FLUID, MUSCLE = -1000.0, -850.0, -100.0, 12.0, 60.0
MARROW, CORTEX = 170.0, 450.0
_ANGLES = np.linspace(-np.pi, np.pi, 361, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient. Lengths in mm, attenuation in HU."""

    body_mm: tuple[float, float]
    fat_mm: float
    wall_mm: float
    liver_hu: float
    vessel_hu: float
    texture_hu: float
    medial: tuple[float, float, float]  # where the liver ends: see _liver
    lung_mm: float
    wobble: Float32[np.ndarray, "3 361"]
    ribs: Float32[np.ndarray, "n 4"]  # angle, half length, half thickness, marrow HU
    stomach: tuple[float, float, float, float]  # radii, air-fluid level, content HU
    gallbladder: bool
    tree: Float32[np.ndarray, "n 7"]


@dataclass(frozen=True, slots=True)
class Painted:
    """A slice before the scanner: HU; how much of each pixel is liver (0..1).

    And the signed distance in mm to the liver's edge, and how much of each pixel the abdominal
    cavity, which a lesion cannot leave, covers.
    """

    hu: Float32[np.ndarray, "rows cols"]
    liver: Float32[np.ndarray, "rows cols"]
    liver_distance: Float32[np.ndarray, "rows cols"]
    cavity: Float32[np.ndarray, "rows cols"]


def draw(rng: np.random.Generator) -> Anatomy:
    """Draw a patient.

    Portal-phase liver 108 ± 13 HU: two real series have 103 and 91 (docs/phantom.md), and a good
    portal phase is at least 100; vessels 25-65 HU above it; one in twelve is fatty, 55-80 HU.
    Uneven enhancement 3-8 HU (5.8 in the real 3 mm series).
    """
    half_width = float(np.clip(rng.normal(168, 15), 138, 205))
    body = (half_width, half_width * float(rng.uniform(0.64, 0.76)))
    fatty = rng.random() < 1 / 12
    liver = float(rng.uniform(55, 80) if fatty else np.clip(rng.normal(108, 13), 82, 140))
    fat = float(np.clip(rng.lognormal(np.log(14), 0.45), 5, 40)) * half_width / 168
    wall = float(rng.uniform(9, 14))
    medial = (
        float(rng.uniform(0.0, 0.12)),
        float(rng.uniform(0.45, 0.75)),
        float(rng.uniform(0.0, 0.06)),
    )
    return Anatomy(
        body_mm=body,
        fat_mm=fat,
        wall_mm=wall,
        liver_hu=liver,
        vessel_hu=liver + float(rng.uniform(25, 65)) + (20 if fatty else 0),
        texture_hu=float(np.clip(rng.lognormal(np.log(5), 0.3), 3, 8)),
        medial=medial,
        lung_mm=float(rng.uniform(-8, 14)),
        wobble=np.stack([_wobble(rng) for _ in range(3)]),
        ribs=_draw_ribs(rng),
        stomach=(
            float(rng.uniform(28, 48)),
            float(rng.uniform(20, 34)),
            float(rng.uniform(-0.6, 0.3)),
            float(rng.choice([15.0, 40.0, 70.0, 180.0])),
        ),
        gallbladder=bool(rng.random() < 0.3),
        tree=_grow_tree(rng, body, medial),
    )


def _draw_ribs(rng: np.random.Generator) -> Float32[np.ndarray, "n 4"]:
    """Five or six obliquely cut ribs a side, from beside the spine to the costal arch."""
    ribs = []
    for side in (-1, 1):
        count = rng.integers(5, 7)
        for at in np.linspace(0.30, 0.86, count) + rng.normal(0, 0.015, count):
            angle = np.pi / 2 - side * np.pi * at  # from the back, over the side, to the front
            ribs.append([angle, rng.uniform(6, 11), rng.uniform(3, 4.2), rng.normal(MARROW, 30)])
    return np.asarray(ribs, dtype=np.float32)


def _wobble(rng: np.random.Generator) -> Float32[np.ndarray, "361"]:
    """Draw a smooth periodic deviation of an outline, standard deviation about one."""
    total = np.zeros_like(_ANGLES)
    for order in range(2, 7):
        total += np.float32(rng.normal() / order) * np.cos(
            order * _ANGLES + np.float32(rng.uniform(0, 6.3))
        )
    return np.asarray(total, dtype=np.float32)


def _grow_tree(
    rng: np.random.Generator, body: tuple[float, float], medial: tuple[float, float, float]
) -> Float32[np.ndarray, "n 7"]:
    """Portal vein from the hilum, three hepatic veins from the cava (normal radii 5-7 and 4-5 mm)."""
    a, b = body
    hilum = (a * (medial[0] - 0.12), 0.06 * b, float(rng.uniform(-20, 5)))
    cava = (-0.13 * a, 0.25 * b, 40.0)
    portal = float(rng.uniform(5.0, 6.5))
    hepatic = float(rng.uniform(3.5, 5.0))
    return vessels.grow(
        rng,
        [
            Root(hilum, (-1.0, 0.1, 0.25), portal),
            Root(hilum, (-0.8, -0.5, 0.1), portal * 0.8),
            Root(hilum, (-0.1, -1.0, 0.4), portal * 0.75),
            Root(cava, (-1.0, -0.1, -0.5), hepatic),
            Root(cava, (-0.6, -0.9, -0.6), hepatic),
            Root(cava, (0.1, -1.0, -0.5), hepatic * 0.8),
        ],
    )


def paint(anatomy: Anatomy, grid: Grid, z: float, slab: Float32[np.ndarray, "k"]) -> Painted:
    """Paint the slice at height `z`, averaged over the heights of `slab` where it matters."""
    theta = np.arctan2(grid.y, grid.x)
    rho = np.hypot(grid.x, grid.y)
    skin, muscle, cavity = (_outline(radius, theta) - rho for radius in _wall(anatomy))
    image = np.full(rho.shape, AIR, dtype=np.float32)
    _over(image, coverage(-skin, grid.px), 40.0)
    _over(image, coverage(2.0 - skin, 1.5), FAT)
    _over(image, coverage(-muscle, grid.px), _stripes(anatomy, rho, theta))
    inside = coverage(-cavity, grid.px)
    _over(image, inside, FAT)
    dome = cavity - _outline(_recess(anatomy, z), theta)
    _over(image, inside * coverage(dome, 1.5), LUNG)
    _over(image, inside * coverage(np.abs(dome) - 1.2, 1.5) * coverage(-cavity + 2, 1.0), 50.0)
    peritoneum = np.minimum(dome - 1.5, cavity - 1.5)
    _left_side(image, anatomy, grid, peritoneum)
    distance = np.maximum(_liver(anatomy, grid, z), -peritoneum)
    liver = coverage(distance, grid.px + 0.15 * float(slab[-1] - slab[0]))
    _over(image, liver, anatomy.liver_hu)
    _fissure(image, liver, anatomy, grid, z)
    tubes = vessels.paint(anatomy.tree, grid, z + slab)
    _over(image, tubes * liver, anatomy.vessel_hu)
    _great_vessels(image, anatomy, grid, z)
    _spine(image, anatomy, grid)
    _paint_ribs(image, anatomy, grid, z)
    behind = ellipse(grid, (-0.01 * anatomy.body_mm[0], 0.42 * anatomy.body_mm[1]), (38, 40))
    room = coverage(-peritoneum, grid.px) * coverage(-behind, 2.0)
    return Painted(image, liver, distance, room)


def _over(
    image: Float32[np.ndarray, "rows cols"],
    cover: Float32[np.ndarray, "rows cols"],
    hu: float | Float32[np.ndarray, "rows cols"],
) -> None:
    image += cover * (hu - image)


def _outline(
    radius: Float32[np.ndarray, "361"], theta: Float32[np.ndarray, "rows cols"]
) -> Float32[np.ndarray, "rows cols"]:
    """Look an outline's radius up in every direction; the table is fine enough to be continuous."""
    at = (theta + np.float32(np.pi)) * np.float32(180 / np.pi)
    low = at.astype(np.int32)
    low = np.minimum(low, 359)
    part = at - low
    return radius[low] * (1 - part) + radius[low + 1] * part


def _wall(
    anatomy: Anatomy,
) -> tuple[Float32[np.ndarray, "361"], Float32[np.ndarray, "361"], Float32[np.ndarray, "361"]]:
    """Return the radii of skin, muscle and cavity in every direction."""
    a, b = anatomy.body_mm
    c, s = np.abs(np.cos(_ANGLES)), np.abs(np.sin(_ANGLES))
    # A little squarer than an ellipse, as the back lies flat.
    skin = ((c / a) ** 2.35 + (s / b) ** 2.35) ** (-1 / 2.35) + anatomy.wobble[0] * 1.5
    fat = anatomy.fat_mm * (1 + 0.25 * c) + anatomy.wobble[1] * 0.12 * anatomy.fat_mm
    behind = np.maximum(np.sin(_ANGLES), 0) ** 4  # the back's own muscles
    muscle = skin - fat
    return skin, muscle, muscle - anatomy.wall_mm * (1 + 0.5 * behind) - anatomy.wobble[2] * 0.7


def _stripes(
    anatomy: Anatomy, rho: Float32[np.ndarray, "rows cols"], theta: Float32[np.ndarray, "rows cols"]
) -> Float32[np.ndarray, "rows cols"]:
    """Muscle of the wall with the fat planes between its layers."""
    wave = np.sin(rho * np.float32(2 * np.pi / (0.5 * anatomy.wall_mm)) + 3 * np.sin(3 * theta))
    return MUSCLE - 70 * np.clip(wave - 0.45, 0, 1) ** 2 * 2


def _recess(anatomy: Anatomy, z: float) -> Float32[np.ndarray, "361"]:
    """How deep the lung reaches between wall and diaphragm: most behind, and more towards the head."""
    depth = np.clip(anatomy.lung_mm + 0.35 * z, 0, 26)
    behind = np.exp(-(((np.abs(_ANGLES - np.pi / 2) - 0.75) / 0.55) ** 2))
    return np.asarray(depth * behind * (1 + 0.15 * anatomy.wobble[1]) - 0.8, dtype=np.float32)


def _liver(anatomy: Anatomy, grid: Grid, z: float) -> Float32[np.ndarray, "rows cols"]:
    """Return the distance to the liver's visceral surface.

    A curve from the tip of the left lobe in front, past the hilum, to the right kidney behind.
    """
    a, b = anatomy.body_mm
    start, slope, wave = anatomy.medial
    v = grid.y / np.float32(b)
    edge = start + 0.0015 * z - slope * v - 0.25 * slope * np.abs(v) * v
    edge = edge + wave * np.sin(9 * v + 4 * start) - 0.12 * np.exp(-(((v - 0.1) / 0.12) ** 2))
    bulge = grid.x / np.float32(a) - edge
    return (bulge * np.float32(a) / np.sqrt(1 + (slope * a / b) ** 2)).astype(np.float32)


def _fissure(
    image: Float32[np.ndarray, "rows cols"],
    liver: Float32[np.ndarray, "rows cols"],
    anatomy: Anatomy,
    grid: Grid,
    z: float,
) -> None:
    """The fissure beside the left lobe, with its fat, and the gallbladder below it."""
    a, b = anatomy.body_mm
    x = a * (anatomy.medial[0] - 0.02)
    cover = coverage(ellipse(grid, (x, -0.02 * b), (0.17 * a, 2.2), 0.15), grid.px)
    _over(image, cover * liver * 0.9, FAT * 0.8)
    if anatomy.gallbladder and z < 0:
        bladder = ellipse(grid, (x - 0.16 * a, -0.18 * b), (17, 12), 0.9)
        _over(image, coverage(bladder - 1.5, grid.px), 55.0)
        _over(image, coverage(bladder, grid.px), FLUID)


def _left_side(
    image: Float32[np.ndarray, "rows cols"],
    anatomy: Anatomy,
    grid: Grid,
    peritoneum: Float32[np.ndarray, "rows cols"],
) -> None:
    """Stomach with its contents and air, spleen, bowel."""
    a, b = anatomy.body_mm
    room = coverage(-peritoneum, grid.px)
    length, width, level, content = anatomy.stomach
    centre = (0.36 * a, -0.20 * b)
    wall = ellipse(grid, centre, (length, width), 0.7)
    wall = wall + 2 * np.sin(grid.x * 0.16 + grid.y * 0.09)
    _over(image, room * coverage(wall, grid.px), 85.0)
    lumen = coverage(wall + 4.0, 1.5) * room
    _over(image, lumen, content)
    air = coverage(grid.y - np.float32(centre[1] + level * width), 1.0)
    _over(image, lumen * air, -950.0)
    spleen = ellipse(grid, (0.66 * a, 0.26 * b), (0.24 * a, 0.36 * b), -0.35)
    hilum = ellipse(grid, (0.42 * a, 0.20 * b), (0.18 * a, 0.2 * b), 0.0)
    spleen = np.maximum(spleen, -hilum)
    _over(image, room * coverage(spleen, grid.px), anatomy.liver_hu + 12)
    for k, (u, v) in enumerate(((0.62, -0.42), (0.5, 0.04), (0.70, -0.15))):
        loop = ellipse(grid, (u * a, v * b), (13 + 3 * k, 10), 0.8 * k)
        _over(image, room * coverage(loop, grid.px) * 0.9, 75.0)
        _over(image, room * coverage(loop + 3, 2.0), (-700.0, 30.0, -300.0)[k])


def _great_vessels(
    image: Float32[np.ndarray, "rows cols"], anatomy: Anatomy, grid: Grid, z: float
) -> None:
    a, b = anatomy.body_mm
    aorta = ellipse(grid, (0.07 * a, 0.30 * b), (11.5, 11.5))
    for side in (-1, 1):  # the crura of the diaphragm
        crus = ellipse(grid, (0.07 * a + side * 15, 0.34 * b), (3.5, 13), 0.35 * side)
        _over(image, coverage(crus, grid.px), MUSCLE)
    _over(image, coverage(aorta, grid.px), anatomy.vessel_hu + 8)
    cava = ellipse(grid, (-0.13 * a, 0.25 * b), (13, 9.5), 0.2)
    _over(image, coverage(cava, grid.px), anatomy.vessel_hu - 8 + 0.1 * z)


def _spine(image: Float32[np.ndarray, "rows cols"], anatomy: Anatomy, grid: Grid) -> None:
    """A vertebra with its canal, arch and spinous process, and the muscles of the back."""
    b = anatomy.body_mm[1]
    y = 0.50 * b
    for side in (-1, 1):
        muscle = ellipse(grid, (side * 25, y + 35), (22, 15), side * 0.15)
        _over(image, coverage(muscle, 3.0), MUSCLE - 8)
        psoas = ellipse(grid, (side * 24, y + 6), (7, 12), 0.0)
        _over(image, coverage(psoas, grid.px), MUSCLE)
    body = ellipse(grid, (0.0, y), (20.5, 16.0))
    arch = ellipse(grid, (0.0, y + 26), (17, 12))
    spine = np.minimum(ellipse(grid, (0.0, y + 42), (3.2, 14)), arch)
    for side in (-1, 1):
        process = ellipse(grid, (side * 21, y + 27), (13, 4.5), -side * 0.35)
        spine = np.minimum(spine, process)
    bone = np.minimum(body, spine)
    _over(image, coverage(bone, grid.px), CORTEX)
    _over(image, coverage(bone + 2.0, 2.0), MARROW + 15)
    canal = ellipse(grid, (0.0, y + 22), (9.5, 8))
    _over(image, coverage(canal - 1.5, 1.5), CORTEX)
    _over(image, coverage(canal, 1.5), 25.0)


def _paint_ribs(
    image: Float32[np.ndarray, "rows cols"], anatomy: Anatomy, grid: Grid, z: float
) -> None:
    """Ribs lie in the wall along its outline; they slope, so they move along it with height."""
    _, muscle, cavity = _wall(anatomy)
    for angle, length, thickness, marrow in anatomy.ribs:
        turned = angle + 0.004 * z * np.sign(np.cos(angle))
        turned = (turned + np.pi) % (2 * np.pi) - np.pi
        radius = np.interp(turned, _ANGLES, 0.45 * muscle + 0.55 * cavity)
        ahead = np.interp(turned + 0.06, _ANGLES, 0.45 * muscle + 0.55 * cavity)
        x, y = radius * np.cos(turned), radius * np.sin(turned)
        along = (ahead * np.cos(turned + 0.06) - x, ahead * np.sin(turned + 0.06) - y)
        window = grid.window(x, y, length + 4)
        near = grid.part(window)
        rib = ellipse(near, (x, y), (length, thickness), np.arctan2(along[1], along[0]))
        _over(image[window], coverage(rib, grid.px), CORTEX)
        _over(image[window], smooth(coverage(rib + 1.6, 1.5)), float(marrow))
