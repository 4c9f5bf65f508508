"""The scanner: two makes' protocols, blur, slice thickness and coloured noise.

The two makes stand for the two of the paper (2.1: "a General Electric (GE) Healthcare scanner and a
Siemens Medical System scanner, ... 120 kVp, 140-400 mAs and 1.25-5.0 mm slice thickness"). They
differ in the slice thicknesses on offer and in how sharp the usual abdominal kernel is.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import gaussian_filter

from training.phantom.geometry import MATRIX

KVP = 120  # paper 2.1
MAS_RANGE = (140.0, 400.0)  # paper 2.1

#: Linear attenuation of water at the mean energy of a 120 kVp beam (about 70 keV): NIST XCOM.
_WATER_PER_MM = 0.0193
_REFERENCE_DIAMETER_MM = 300.0

#: The noise spectrum does not vanish at zero frequency, because the pixels sample the
#: ramp-filtered noise too coarsely (Kijewski and Judy, Phys Med Biol 1987;32:565). Read off the
#: spectrum of a real portal-phase series (docs/phantom.md), as is how much stronger it is where the
#: wave runs up and down: 4-5 times there, with the arms beside the body.
_FLOOR_PER_MM = 0.6
_STREAK_RANGE = (0.5, 8.0)

#: Blur of focal spot, detector and motion, which the noise does not see, FWHM in mm: with the
#: kernels below the whole blur is 1.1 to 1.7 mm, as of abdominal kernels.
_OPTICS_FWHM_MM = 0.9


@dataclass(frozen=True, slots=True)
class Make:
    """A make's abdominal protocol. `cutoff_per_mm` is the range of its kernels' noise cut-off."""

    name: str
    kernel: str
    thickness_mm: tuple[float, ...]
    cutoff_per_mm: tuple[float, float]


# The paper's two scanners are unnamed; thicknesses are those that each make offers within its
# range. Cut-offs: a real Siemens B38 series measures 0.335 /mm (docs/phantom.md); GE's STANDARD is
# sharper.
GE_LIKE = Make("GE-like", "standard-like", (1.25, 2.5, 5.0), (0.36, 0.60))
SIEMENS_LIKE = Make("Siemens-like", "medium-smooth-like", (1.5, 3.0, 5.0), (0.28, 0.42))
MAKES = (GE_LIKE, SIEMENS_LIKE)


@dataclass(frozen=True, slots=True)
class Scan:
    """One patient's scan.

    `noise_hu` is the standard deviation of the noise; `streak` is by how much the spectrum of waves
    that run up and down exceeds that of waves that run sideways.
    """

    make: Make
    mas: float
    thickness_mm: float
    pixel_mm: float
    cutoff_per_mm: float
    streak: float
    noise_hu: float

    @property
    def blur_fwhm_mm(self) -> float:
        """Full width at half maximum of the in-plane point spread.

        A Gaussian kernel whose square cuts the noise at f_c is 0.375 / f_c wide.
        """
        return float(np.hypot(0.375 / self.cutoff_per_mm, _OPTICS_FWHM_MM))


def draw_scan(rng: np.random.Generator, *, body_mm: tuple[float, float]) -> Scan:
    """Draw the scan of a patient whose body has these half-axes in mm."""
    make = MAKES[rng.integers(len(MAKES))]
    cutoff = rng.uniform(*make.cutoff_per_mm)
    thickness = float(rng.choice(make.thickness_mm))
    diameter = 2 * float(np.sqrt(body_mm[0] * body_mm[1]))
    # Tube current follows the patient (automatic exposure control): it makes up for half.
    excess = _WATER_PER_MM * (diameter - _REFERENCE_DIAMETER_MM)
    mas = float(np.clip(250 * np.exp(0.5 * excess + rng.normal(0, 0.2)), *MAS_RANGE))
    # The field of view is set to the body, with room at the sides: .6 to .98 mm pixels.
    pixel = float(np.clip((2 * body_mm[0] + rng.uniform(12, 50)) / MATRIX, 0.60, 0.98))
    return Scan(
        make=make,
        mas=round(mas),
        thickness_mm=thickness,
        pixel_mm=round(pixel, 3),
        cutoff_per_mm=float(cutoff),
        streak=float(np.clip(rng.lognormal(np.log(2.5), 0.6), *_STREAK_RANGE)),
        noise_hu=_noise_hu(mas, thickness, cutoff, excess) * float(np.exp(rng.normal(0, 0.1))),
    )


def _noise_hu(mas: float, thickness_mm: float, cutoff_per_mm: float, excess: float) -> float:
    """Quantum noise, with the exponents of counting statistics.

    Half of the log attenuation of what is beyond the reference patient, and a little less than
    square root in thickness, since neighbouring slices overlap. Gives 10.3 HU for the protocol of
    the real 3 mm, 253 mAs series (measured: 12.1 with parenchyma texture) and 24 HU for the sharp
    1.6 mm one (measured: 21.6).
    """
    return float(
        9.5
        * np.sqrt(250 / mas)
        * (5 / thickness_mm) ** 0.4
        * (cutoff_per_mm / 0.38)
        * np.exp(0.5 * excess)
    )


def slab_mm(thickness_mm: float) -> Float32[np.ndarray, "5"]:
    """Return five heights through the slice, of equal weight: its partial volume."""
    return ((np.arange(5, dtype=np.float32) - 2) / 5) * np.float32(thickness_mm)


def blur(image: Float32[np.ndarray, "rows cols"], scan: Scan) -> Float32[np.ndarray, "rows cols"]:
    """Blur an image by the in-plane point spread."""
    sigma = scan.blur_fwhm_mm / 2.355 / scan.pixel_mm
    return np.asarray(gaussian_filter(image, sigma, truncate=3.0))


def noise(rng: np.random.Generator, scan: Scan) -> Float32[np.ndarray, "512 512"]:
    """Draw a slice of noise in HU: power spectrum (f_0 + f) exp(-(f / f_c)^2).

    The ramp filter of backprojection times the kernel squared (Riederer et al., Phys Med Biol
    1978;23:446), with a floor. A body wider than deep starves the lateral rays, which draws the
    noise out sideways.
    """
    fy, f = _frequencies(scan.pixel_mm)
    upright = (fy / np.maximum(f, np.float32(1e-6))) ** 8
    spectrum = (_FLOOR_PER_MM + f) * np.exp(-((f / scan.cutoff_per_mm) ** 2))
    field = coloured(rng, (spectrum * (1 + scan.streak * upright)).astype(np.float32))
    return field * np.float32(scan.noise_hu)


def texture(
    rng: np.random.Generator, scan: Scan, *, corner_per_mm: float
) -> Float32[np.ndarray, "512 512"]:
    """Draw the uneven enhancement of parenchyma, standard deviation one.

    Power spectrum (1 + (f / corner)^2)^-1.5: what the spectrum of the real series holds below 0.1
    /mm beyond the noise (docs/phantom.md).
    """
    _, f = _frequencies(scan.pixel_mm)
    return coloured(rng, (1 + (f / np.float32(corner_per_mm)) ** 2) ** np.float32(-1.5))


def coloured(
    rng: np.random.Generator, spectrum: Float32[np.ndarray, "512 257"]
) -> Float32[np.ndarray, "512 512"]:
    """Draw a Gaussian field of that power spectrum, standard deviation one."""
    white = rng.standard_normal((MATRIX, MATRIX), dtype=np.float32)
    field = np.fft.irfft2(np.fft.rfft2(white) * np.sqrt(spectrum), s=white.shape)
    return np.asarray(field / field.std(), dtype=np.float32)


def _frequencies(
    pixel_mm: float,
) -> tuple[Float32[np.ndarray, "512 1"], Float32[np.ndarray, "512 257"]]:
    """Return the vertical frequency and its absolute value, in /mm, as rfft2 lays them out."""
    fx = np.fft.rfftfreq(MATRIX, pixel_mm).astype(np.float32)[None]
    fy = np.fft.fftfreq(MATRIX, pixel_mm).astype(np.float32)[:, None]
    return fy, np.hypot(fx, fy)
