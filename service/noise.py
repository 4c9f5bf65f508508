"""Image i of (generator digest, class, seed) is a pure function of those four.

The digest is that of the generator's file, so that a new model card or calibration, which makes
another bundle, changes no image.

Counter-based noise: the key is the first three, the counter is i, so any image can be made alone,
anywhere, in any order. Only raw random words are used, whose stream NumPy promises not to change.
A network's last bits depend on the shape of its batch and on an image's place in it, so images are
always made in aligned tiles of one size: image i always has the same neighbours.
"""

import hashlib

import numpy as np
from jaxtyping import Float

from lesion.bundle import LATENT_SIZE

TILE = 16

#: Philox makes four words at a time: the blocks that one image uses up.
_BLOCKS = -(-LATENT_SIZE // 2 // 4)


def tile_noise(
    generator_digest: str, lesion_class: str, *, seed: int, tile: int
) -> Float[np.ndarray, "16 100"]:
    """Return the noise of images 16 `tile` to 16 `tile` + 15: float32, uniform in [-1, 1]."""
    name = f"{generator_digest}/{lesion_class}/{seed}".encode()
    key = int.from_bytes(hashlib.sha256(name).digest()[:16], "little")
    # The counter's lowest word counts the blocks of one image; the image's index stands above it.
    stream = np.random.Philox(key=key, counter=tile * TILE << 64)
    words = np.empty((TILE, LATENT_SIZE // 2), np.uint64)
    for image in words:
        image[:] = stream.random_raw(LATENT_SIZE // 2)
        stream.advance(2**64 - _BLOCKS)  # to the next image, and to the beginning of a block
    halves = words.astype("<u8").view("<u4")
    return (halves * 2.0**-31 - 1.0).astype(np.float32)
