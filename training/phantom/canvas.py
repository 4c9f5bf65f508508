"""One slice on its way: painted, lesions put into it, scanned."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from lesion.ct import CTSlice, Plane
from training.phantom import anatomy, scanner
from training.phantom.anatomy import Anatomy
from training.phantom.geometry import Grid, slice_grid
from training.phantom.placing import Placed, Room
from training.phantom.scanner import Scan

#: Heights of the slices: from below the hilum to the confluence of the hepatic veins.
_HEIGHTS_MM = (-30.0, 35.0)

#: Where the spectrum of uneven enhancement falls off: see `scanner.texture`.
_TEXTURE_PER_MM = 0.09


@dataclass(frozen=True, slots=True)
class Canvas:
    """A slice at height `z` before the scanner; `add` changes its `hu` and what is taken."""

    hu: Float32[np.ndarray, "512 512"]
    room: Room
    z: float


def paint(rng: np.random.Generator, body: Anatomy, scan: Scan) -> Canvas:
    """Paint a slice of a patient at a random height, without lesions."""
    grid = slice_grid(scan.pixel_mm)
    z = float(rng.uniform(*_HEIGHTS_MM))
    painted = anatomy.paint(body, grid, z, scanner.slab_mm(scan.thickness_mm))
    uneven = scanner.texture(rng, scan, corner_per_mm=_TEXTURE_PER_MM)
    image = painted.hu + painted.liver * np.float32(body.texture_hu) * uneven
    return Canvas(image, Room(grid, painted, scan, np.zeros(image.shape, dtype=bool)), z)


def add(canvas: Canvas, placed: Placed) -> None:
    """Put a lesion into the slice."""
    near = canvas.hu[placed.window]
    near += placed.cover * (placed.hu - near)
    canvas.room.taken[placed.window] |= placed.cover > 0.01


def expose(rng: np.random.Generator, canvas: Canvas) -> CTSlice:
    """Scan the slice: blur and noise, stored as whole HU."""
    scan = canvas.room.scan
    hu = np.rint(scanner.blur(canvas.hu, scan) + scanner.noise(rng, scan))
    spacing = (scan.pixel_mm, scan.pixel_mm)
    plane = _plane(canvas.room.grid, canvas.z)
    return CTSlice(np.clip(hu, -1024, 3071), spacing, plane=plane)


def _plane(grid: Grid, z: float) -> Plane:
    """Place the slice in the patient: its first pixel's centre, rows to the left, columns back."""
    return Plane((float(grid.x[0, 0]), float(grid.y[0, 0]), round(z, 1)), (1, 0, 0, 0, 1, 0))
