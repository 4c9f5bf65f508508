"""Synthetic images -> PNG, ZIP and NPZ, each of which says that it is synthetic.

Archives are written as the images come, in bounded memory, and hold no time of day: the same images
are the same bytes.
"""

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass
from io import RawIOBase
from zipfile import ZipFile, ZipInfo

import numpy as np
from jaxtyping import Int16

from lesion.image.raster import PNG_MAGIC
from lesion.roi import PATCH_SIZE

NOTICE = "SYNTHETIC: made by a generative network, shows no patient. Research only."

#: Of a PNG's values: HU = value - 1024.
PNG_OFFSET = 1024


@dataclass(frozen=True, slots=True)
class Series:
    """Images `start` to `start + count - 1` of a bundle's generator, a class and a seed.

    The digests are those of the manifest and of the generator's file; the images depend on the
    latter alone.
    """

    bundle_digest: str
    generator_digest: str
    lesion_class: str
    seed: int
    start: int
    count: int

    @property
    def stop(self) -> int:
        """The index after the last image's."""
        return self.start + self.count

    @property
    def stem(self) -> str:
        """A file name for the series, without its ending."""
        return f"synthetic-{self.lesion_class}-{self.seed}-{self.start}-{self.stop - 1}"

    def labels(self) -> dict[str, str | int]:
        """Return what it takes to make the images again."""
        return {
            "notice": NOTICE,
            "bundle_digest": self.bundle_digest,
            "generator_digest": self.generator_digest,
            "class": str(self.lesion_class),
            "seed": self.seed,
        }


def png(patch_hu: Int16[np.ndarray, "64 64"], series: Series, index: int) -> bytes:
    """Return one image: 16-bit greyscale, value = HU + 1024, its text chunks saying what it is.

    Written here (PNG third edition, 5 and 11.3): Pillow takes three times as long for an image of
    this size, and by itself the larger half of what an archive costs beside its generator.
    """
    rows = np.zeros((PATCH_SIZE, 1 + 2 * PATCH_SIZE), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = (patch_hu + PNG_OFFSET).astype(">u2").view(np.uint8)
    # Noise has no repeats to find: without that search the file is smaller, and made sooner.
    deflate = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    text = series.labels() | {"index": index}
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", PATCH_SIZE, PATCH_SIZE, 16, 0, 0, 0, 0)),
        *((b"tEXt", f"hepatica:{key}\0{value}".encode("latin-1")) for key, value in text.items()),
        (b"IDAT", deflate.compress(rows.tobytes()) + deflate.flush()),
        (b"IEND", b""),
    ]
    return PNG_MAGIC + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


class _Drain(RawIOBase):
    """A file that keeps only what was not taken yet: zipfile writes to it as to a pipe."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


class ZipOfPngs:
    """A ZIP archive with a PNG for each image, then `manifest.json` with an entry for each."""

    media_type = "application/zip"

    def __init__(self, series: Series) -> None:
        self._series = series
        self._index = series.start
        self._drain = _Drain()
        self._archive = ZipFile(self._drain, "w")
        self._entries: list[dict[str, str | int]] = []

    def add(self, images_hu: Int16[np.ndarray, "n 64 64"]) -> bytes:
        """Write the next images; return the archive's next bytes."""
        for patch_hu in images_hu:
            data = png(patch_hu, self._series, self._index)
            name = f"{self._series.lesion_class}-{self._series.seed}-{self._index:09d}.png"
            self._archive.writestr(ZipInfo(name), data)
            digest = hashlib.sha256(data).hexdigest()
            self._entries.append({"file": name, "index": self._index, "sha256": digest})
            self._index += 1
        return self._drain.take()

    def finish(self) -> bytes:
        """Write the manifest; return the archive's last bytes."""
        manifest = {
            **self._series.labels(),
            "values": f"16-bit grey; Hounsfield units = value - {PNG_OFFSET}",
            "images": self._entries,
        }
        self._archive.writestr(ZipInfo("manifest.json"), json.dumps(manifest, indent=1))
        self._archive.close()
        return self._drain.take()

    def close(self) -> None:
        """Give up, wherever it stands."""
        self._archive.close()


class Npz:
    """An NPZ archive: `patch_hu`, int16 [count, 64, 64] in HU, then `manifest.json`."""

    media_type = "application/x-npz"

    def __init__(self, series: Series) -> None:
        self._series = series
        self._drain = _Drain()
        self._archive = ZipFile(self._drain, "w")
        self._array = self._archive.open(ZipInfo("patch_hu.npy"), "w", force_zip64=True)
        header = {
            "descr": "<i2",
            "fortran_order": False,
            "shape": (series.count, PATCH_SIZE, PATCH_SIZE),
        }
        np.lib.format.write_array_header_1_0(self._array, header)

    def add(self, images_hu: Int16[np.ndarray, "n 64 64"]) -> bytes:
        """Write the next images; return the archive's next bytes."""
        self._array.write(images_hu.astype("<i2").tobytes())
        return self._drain.take()

    def finish(self) -> bytes:
        """Write the manifest; return the archive's last bytes."""
        self._array.close()
        manifest = {**self._series.labels(), "start": self._series.start}
        self._archive.writestr(ZipInfo("manifest.json"), json.dumps(manifest, indent=1))
        self._archive.close()
        return self._drain.take()

    def close(self) -> None:
        """Give up, wherever it stands."""
        self._array.close()
        self._archive.close()
