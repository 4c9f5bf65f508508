"""Read a bundle and trust nothing in it.

The bytes are checked before anybody parses them as a graph.
"""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from lesion.bundle.manifest import MANIFEST_NAME, SCHEMA_VERSION, File, Manifest
from lesion.errors import BundleError

#: No file of a bundle is larger: a wrong folder must not fill the memory.
LARGEST_FILE = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose every byte has been checked.

    `digest` is that of the manifest, which holds all the others.
    """

    manifest: Manifest
    digest: str
    classifier: bytes
    generators: dict[str, bytes]
    golden: dict[str, np.ndarray]


def read(folder: Path) -> Bundle:
    """Read and verify a bundle.

    Raise `BundleError` for an unknown schema, a missing file or a wrong digest.
    """
    text = _read_file(folder, MANIFEST_NAME)
    manifest = _parse(text, folder)
    _checked(folder, manifest.model_card)
    return Bundle(
        manifest=manifest,
        digest=sha256(text),
        classifier=_checked(folder, manifest.classifier),
        generators={name: _checked(folder, graph) for name, graph in manifest.generators.items()},
        golden=_arrays(_checked(folder, manifest.golden), folder / manifest.golden.file),
    )


def sha256(data: bytes) -> str:
    """Return the digest of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _parse(text: bytes, folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        if any(fault["loc"] == ("schema_version",) for fault in faults):
            raise BundleError(
                f"{folder / MANIFEST_NAME}: found another schema version, expected "
                f"{SCHEMA_VERSION}: make the bundle again with this release "
                "(make train-export), or serve it with the release that made it"
            ) from error
        first = faults[0]
        where = ".".join(map(str, first["loc"])) or "manifest"
        raise BundleError(
            f"{folder / MANIFEST_NAME}: {where}: {first['msg']} (schema version {SCHEMA_VERSION})"
        ) from error


def _checked(folder: Path, entry: File) -> bytes:
    data = _read_file(folder, entry.file)
    if (found := sha256(data)) != entry.sha256:
        raise BundleError(f"{folder / entry.file}: found sha256 {found}, expected {entry.sha256}")
    return data


def _read_file(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file() or path.is_symlink():
        raise BundleError(f"{path}: found no regular file, expected one")
    if (size := path.stat().st_size) > LARGEST_FILE:
        raise BundleError(f"{path}: found {size} bytes, expected at most {LARGEST_FILE}")
    return path.read_bytes()


def _arrays(data: bytes, path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # what is no archive, or a broken one, raises all sorts
        raise BundleError(
            f"{path}: found no readable NPZ archive, expected the golden vectors"
        ) from error
