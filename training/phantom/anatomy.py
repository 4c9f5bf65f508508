"""The upper abdomen: body wall, lung bases, liver, spleen, stomach, bowel, vessels and spine.

An `Anatomy` is one patient; `paint` draws it at one height. Shapes are painted one over another, as
they lie. Attenuations are the textbook's (fat -100, muscle 60, fluid 0-20, aerated lung -850 HU),
those of liver and vessels measured: see `draw`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantom import vessels, wall
from training.phantom.geometry import FAR, Grid, coverage, ellipse, smooth
from training.phantom.vessels import Root

AIR, LUNG, FAT, FLUID, MUSCLE, MARROW, CORTEX = -1000.0, -850.0, -100.0, 12.0, 60.0, 180.0, 450.0

Image = Float32[np.ndarray, "rows cols"]


@dataclass(frozen=True, slots=True)
class Liver:
    """Where the liver ends on its visceral side, in half-axes of the body: see `_liver`."""

    tip: float
    hilum: float
    back: float
    wave: float


@dataclass(frozen=True, slots=True)
class Hollow:
    """Stomach or bowel: an ellipse with a wall, contents, and air above a level (in radii).

    `at` and `radii` are in half-axes of the body and in mm; `heights_mm` is where it is met.
    """

    at: tuple[float, float]
    radii: tuple[float, float]
    angle: float
    content_hu: float
    level: float
    heights_mm: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient. Lengths in mm, attenuation in HU."""

    body_mm: tuple[float, float]
    fat_mm: float
    wall_mm: float
    liver_hu: float
    vessel_hu: float
    spleen_hu: float
    kidney_hu: float
    aorta_hu: float
    cava_hu: float
    gut_hu: float
    texture_hu: float
    liver: Liver
    lung_mm: float
    wobble: Float32[np.ndarray, "3 361"]
    ribs: Float32[np.ndarray, "ribs 4"]
    hollow: tuple[Hollow, ...]
    gallbladder: bool
    tree: Float32[np.ndarray, "pieces 7"]


@dataclass(frozen=True, slots=True)
class Painted:
    """A slice before the scanner.

    `hu`; `liver`, how much of each pixel is liver (0..1); `liver_distance`, the signed distance in
    mm to the liver's edge; `cavity`, how much of each pixel a lesion may reach.
    """

    hu: Image
    liver: Image
    liver_distance: Image
    cavity: Image


def draw(rng: np.random.Generator) -> Anatomy:
    """Draw a patient.

    Portal-phase liver 108 ± 13 HU (two real series: 103 and 91; docs/phantom.md), one in twelve
    fatty with 55-80; vessels 25-65 HU above it (measured in one real series: 43); uneven
    enhancement of 3-8 HU (measured: 5.8).
    """
    half_width = float(np.clip(rng.normal(165, 15), 138, 205))
    body = (half_width, half_width * float(rng.uniform(0.66, 0.78)))
    fatty = rng.random() < 1 / 12
    liver_hu = float(rng.uniform(55, 80) if fatty else np.clip(rng.normal(108, 13), 82, 140))
    liver = Liver(
        *(float(rng.uniform(*r)) for r in ((0.4, 0.8), (-0.02, 0.10), (-0.30, -0.1), (0.0, 0.05)))
    )
    fat_mm = float(np.clip(rng.lognormal(np.log(13), 0.4), 5, 32)) * half_width / 165
    wall_mm = float(rng.uniform(9, 14))
    vessel_hu = liver_hu + float(rng.uniform(25, 65)) + (20 if fatty else 0)
    return Anatomy(
        body_mm=body,
        fat_mm=fat_mm,
        wall_mm=wall_mm,
        liver_hu=liver_hu,
        vessel_hu=vessel_hu,
        spleen_hu=liver_hu + 10,
        kidney_hu=vessel_hu + 25,
        aorta_hu=vessel_hu + 8,
        cava_hu=vessel_hu - 8,
        gut_hu=85.0,
        texture_hu=float(np.clip(rng.lognormal(np.log(5), 0.3), 3, 8)),
        liver=liver,
        lung_mm=float(rng.uniform(-8, 14)),
        wobble=np.stack([wall.draw_wobble(rng) for _ in range(3)]),
        ribs=wall.draw_ribs(rng),
        hollow=_draw_hollow(rng),
        gallbladder=bool(rng.random() < 0.4),
        tree=_grow_tree(rng, body, liver),
    )


def _draw_hollow(rng: np.random.Generator) -> tuple[Hollow, ...]:
    """Draw bowel on the left, then the stomach, with food, water or contrast medium, over it."""
    loops = [
        Hollow(
            at=(float(rng.uniform(0.22, 0.78)), float(rng.uniform(-0.45, 0.30))),
            radii=(float(rng.uniform(11, 20)), float(rng.uniform(9, 13))),
            angle=float(rng.uniform(0, np.pi)),
            content_hu=float(rng.choice([20.0, 40.0, 60.0, 200.0])),
            level=float(rng.uniform(-1.2, 0.8)),
            heights_mm=(-60.0, float(rng.uniform(-30, 40))),
        )
        for _ in range(rng.integers(3, 9))
    ]
    stomach = Hollow(
        at=(float(rng.uniform(0.26, 0.40)), float(rng.uniform(-0.24, -0.06))),
        radii=(float(rng.uniform(34, 60)), float(rng.uniform(22, 38))),
        angle=float(rng.uniform(0.5, 1.1)),
        content_hu=float(rng.choice([15.0, 40.0, 70.0, 180.0])),
        level=float(rng.uniform(-0.8, 0.3)),
        heights_mm=(-60.0, 60.0),
    )
    return (*loops, stomach)


def _grow_tree(
    rng: np.random.Generator, body: tuple[float, float], liver: Liver
) -> Float32[np.ndarray, "n 7"]:
    """Grow the portal vein from the hilum and three hepatic veins from the cava.

    A normal portal vein is up to 13 mm wide, hepatic veins 7-10 mm.
    """
    a, b = body
    hilum = (a * (liver.hilum - 0.14), 0.04 * b, float(rng.uniform(-20, 5)))
    cava = (-0.13 * a, 0.22 * b, 40.0)
    portal, hepatic = float(rng.uniform(5.0, 6.5)), float(rng.uniform(3.5, 5.0))
    return vessels.grow(
        rng,
        [
            Root(hilum, (-1.0, 0.2, 0.25), portal),
            Root(hilum, (-0.8, -0.5, 0.1), portal * 0.8),
            Root(hilum, (-0.1, -1.0, 0.4), portal * 0.75),
            Root(cava, (-1.0, 0.1, -0.5), hepatic),
            Root(cava, (-0.6, -0.9, -0.6), hepatic),
            Root(cava, (0.1, -1.0, -0.5), hepatic * 0.8),
        ],
    )


def paint(anatomy: Anatomy, grid: Grid, z: float, slab: Float32[np.ndarray, " k"]) -> Painted:
    """Paint the slice at height `z`, averaged over the heights of `slab` where it matters."""
    image, inner = _paint_wall(anatomy, grid, z)
    room = coverage(inner, grid.px)
    _paint_left(image, anatomy, grid, z, room)
    distance = np.maximum(_liver(anatomy, grid, z), inner)
    bladder = _gallbladder(anatomy, grid, z)
    distance = np.maximum(distance, 2.0 - bladder)
    liver = coverage(distance, grid.px + 0.15 * float(slab[-1] - slab[0]))
    _over(image, liver, anatomy.liver_hu)
    _over(image, room * coverage(bladder - 1.2, grid.px), MUSCLE)
    _over(image, coverage(bladder, grid.px), FLUID)
    _over(image, vessels.paint(anatomy.tree, grid, z + slab) * liver, anatomy.vessel_hu)
    _paint_middle(image, anatomy, grid, z)
    b = anatomy.body_mm[1]
    middle = np.minimum(ellipse(grid, (0.0, 0.42 * b), (34, 0.24 * b)), bladder - 1.2)
    return Painted(image, liver, distance, room * coverage(-middle, 2.0))


def _over(image: Image, cover: Image, hu: float | Image) -> None:
    """Paint over what is there, as far as it is covered."""
    image += cover * (hu - image)


def _paint_wall(anatomy: Anatomy, grid: Grid, z: float) -> tuple[Image, Image]:
    """Paint the trunk's wall and the lungs; return also the signed distance to the peritoneum."""
    theta, rho = np.arctan2(grid.y, grid.x), np.hypot(grid.x, grid.y)
    tables = wall.outlines(anatomy.body_mm, anatomy.fat_mm, anatomy.wall_mm, anatomy.wobble)
    depth = float(np.clip(anatomy.lung_mm + 0.35 * z, 0, 26))
    diaphragm = tables[2] - wall.recess(depth, anatomy.wobble[1])
    skin, muscle, cavity, dome = rho - wall.look_up(np.stack([*tables, diaphragm]), theta)
    image = np.full(rho.shape, AIR, dtype=np.float32)
    _over(image, coverage(skin, grid.px), 30.0)
    _over(image, coverage(skin + 1.8, 1.5), FAT)
    layers = np.sin(muscle * np.float32(4 * np.pi / anatomy.wall_mm) + 3 * np.sin(3 * theta))
    _over(image, coverage(muscle, grid.px), MUSCLE - 140 * np.clip(layers - 0.45, 0, 1) ** 2)
    inside = coverage(cavity, grid.px)
    _over(image, inside, FAT)
    _over(image, inside * coverage(-dome, 1.5), LUNG)
    _over(image, inside * coverage(np.abs(dome) - 1.2, 1.5), 45.0)
    for rib in anatomy.ribs:
        _paint_rib(image, rib, 0.45 * tables[1] + 0.55 * tables[2], grid, z)
    return image, np.maximum(dome, cavity) + np.float32(1.5)


def _paint_rib(
    image: Image, rib: Float32[np.ndarray, "4"], track: wall.Table, grid: Grid, z: float
) -> None:
    """Paint a rib in the wall. Ribs slope, so they move along it with height."""
    angle, length, thickness, marrow = (float(value) for value in rib)
    angle += 0.004 * z * float(np.sign(np.cos(angle)))

    def on_track(at: float) -> tuple[float, float]:
        at = (at + np.pi) % (2 * np.pi) - np.pi
        radius = float(np.interp(at, wall.ANGLES, track))
        return radius * float(np.cos(at)), radius * float(np.sin(at))

    (x, y), (ahead_x, ahead_y) = on_track(angle), on_track(angle + 0.06)
    window = grid.window(x, y, length + 4)
    edge = ellipse(
        grid.part(window), (x, y), (length, thickness), float(np.arctan2(ahead_y - y, ahead_x - x))
    )
    _over(image[window], coverage(edge, grid.px), CORTEX)
    _over(image[window], smooth(coverage(edge + 1.6, 1.5)), marrow)


def _liver(anatomy: Anatomy, grid: Grid, z: float) -> Image:
    """Return the signed distance to the liver's visceral surface.

    A curve from the tip of the left lobe in front, past the hilum with the fat of its fissure, to
    the right crus behind, where the kidney indents it further down.
    """
    a, b = anatomy.body_mm
    liver = anatomy.liver
    v = grid.y / np.float32(b)
    front = (
        liver.hilum
        + 0.002 * z
        + (liver.tip - 0.004 * abs(z - 10)) * smooth(np.clip(-v / 0.75, 0, 1))
    )
    behind = (liver.back - liver.hilum) * smooth(np.clip(v / 0.45, 0, 1))
    edge = front + behind + liver.wave * np.sin(9 * v + 30 * liver.wave)
    slope = 1 + (1.3 * liver.tip * a / b) ** 2 * np.exp(-(((v + 0.37) / 0.3) ** 2))
    surface = (grid.x - np.float32(a) * edge) / np.sqrt(slope)
    length = 0.10 + 2.0 * liver.wave
    notch = ellipse(grid, (a * (liver.hilum + 0.02), -0.03 * b), (length * a, 2.2), 3 * liver.wave)
    notch = np.minimum(notch, _kidney(anatomy, grid, z, side=-1) - 7.0)
    return np.maximum(surface, -notch).astype(np.float32)


def _kidney(anatomy: Anatomy, grid: Grid, z: float, *, side: int) -> Image:
    """Return the signed distance to a kidney (side -1: the right, which lies lower)."""
    a, b = anatomy.body_mm
    size = float(np.sqrt(np.clip((4.0 + 8.0 * side - z) / 40.0, 0.0, 1.0)))
    if size < 0.2:
        return np.full((grid.y.shape[0], grid.x.shape[1]), FAR, dtype=np.float32)
    return ellipse(grid, (0.35 * side * a, 0.51 * b), (26 * size, 21 * size), -0.6 * side)


def _gallbladder(anatomy: Anatomy, grid: Grid, z: float) -> Image:
    """Return the signed distance to the gallbladder; far away where the slice does not meet it."""
    a, b = anatomy.body_mm
    size = 1.0 - max(z + 25.0, 0.0) / 30.0
    if not anatomy.gallbladder or size < 0.4:
        return np.full((grid.y.shape[0], grid.x.shape[1]), FAR, dtype=np.float32)
    at = (a * (anatomy.liver.hilum - 0.10), -0.30 * b)
    return ellipse(grid, at, (19 * size, 13 * size), 0.9)


def _paint_left(image: Image, anatomy: Anatomy, grid: Grid, z: float, room: Image) -> None:
    """Paint spleen, kidneys, bowel and stomach, within the peritoneum."""
    a, b = anatomy.body_mm
    for side in (-1, 1):
        kidney = _kidney(anatomy, grid, z, side=side)
        _over(image, room * coverage(kidney, grid.px), anatomy.kidney_hu)
        adrenal = ellipse(grid, (0.19 * side * a, 0.33 * b), (11, 2.2), 0.6 * side)
        _over(image, room * coverage(adrenal, grid.px), 70.0)
    for organ in anatomy.hollow:
        low, high = organ.heights_mm
        if low < z < high:
            _paint_hollow(image, organ, grid, room, anatomy)
    spleen = ellipse(grid, (0.66 * a, 0.26 * b), (0.24 * a, 0.38 * b), -0.35)
    hilum = ellipse(grid, (0.40 * a, 0.18 * b), (0.18 * a, 0.22 * b))
    _over(image, room * coverage(np.maximum(spleen, -hilum), grid.px), anatomy.spleen_hu)


def _paint_hollow(image: Image, organ: Hollow, grid: Grid, room: Image, anatomy: Anatomy) -> None:
    a, b = anatomy.body_mm
    at = (organ.at[0] * a, organ.at[1] * b)
    window = grid.window(*at, 1.4 * max(organ.radii) + 6)
    near, inside = grid.part(window), room[window]
    edge = ellipse(near, at, organ.radii, organ.angle)
    edge = edge + 2 * np.sin(near.x * np.float32(0.16) + near.y * np.float32(0.09) + organ.angle)
    _over(image[window], inside * coverage(edge, grid.px), anatomy.gut_hu)
    lumen = inside * coverage(edge + 3.5, 1.5)
    _over(image[window], lumen, organ.content_hu)
    above = coverage(near.y - np.float32(at[1] + organ.level * organ.radii[1]), 1.0)
    _over(image[window], lumen * above, -950.0)


def _paint_middle(image: Image, anatomy: Anatomy, grid: Grid, z: float) -> None:
    """Paint aorta, cava, the crura of the diaphragm, a vertebra and the muscles of the back."""
    a, b = anatomy.body_mm
    y, scale = 0.50 * b, b / 125  # a slight body has slight bones
    window = grid.window(0.0, y, 80.0)
    image, grid = image[window], grid.part(window)

    def blob(at: tuple[float, float], radii: tuple[float, float], angle: float = 0.0) -> Image:
        x, below = at
        return ellipse(
            grid, (x * scale, y + below * scale), (radii[0] * scale, radii[1] * scale), angle
        )

    for side in (-1, 1):
        _over(image, coverage(blob((6 + side * 15, -17), (3.5, 15), 0.35 * side), grid.px), MUSCLE)
        _over(image, coverage(blob((side * 25, 35), (22, 15), side * 0.15), 3.0), MUSCLE - 8)
        _over(image, coverage(blob((side * 23, 6), (6, 12)), grid.px), MUSCLE)
    aorta = ellipse(grid, (0.05 * a, y - 27 * scale), (11.5, 11.5))
    _over(image, coverage(aorta, grid.px), anatomy.aorta_hu)
    cava = ellipse(grid, (-0.13 * a, 0.23 * b), (13, 9.5), 0.2)
    _over(image, coverage(cava, grid.px), anatomy.cava_hu + 0.1 * z)
    bone = np.minimum(blob((0, 0), (20.5, 16)), blob((0, 26), (17, 12)))
    bone = np.minimum(bone, blob((0, 40), (3.2, 12)))
    for side in (-1, 1):
        bone = np.minimum(bone, blob((side * 21, 27), (13, 4.5), -side * 0.35))
    _over(image, coverage(bone, grid.px), CORTEX)
    _over(image, coverage(bone + 2.0, 2.0), MARROW)
    canal = blob((0, 22), (9.5, 8))
    _over(image, coverage(canal - 1.5, 1.5), CORTEX)
    _over(image, coverage(canal, 1.5), 25.0)
