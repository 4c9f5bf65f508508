"""Write a bundle whole or not at all, also over a power cut."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

from lesion import durable
from lesion.bundle.manifest import MANIFEST_NAME, Manifest
from lesion.bundle.read import Bundle, read
from lesion.errors import BundleError


def write(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Write the files and their manifest into `folder`; return the bundle as a server reads it.

    It replaces a bundle that stands there; a folder that holds anything else is left alone. Raise
    `BundleError` then, or where files and manifest disagree.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST_NAME).is_file():
        raise BundleError(
            f"{folder}: found a folder that is no bundle, expected a new or empty one"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    old = fresh.with_name(fresh.name + "-old")
    try:
        for name, data in files.items():
            durable.write(fresh / name, data)
        durable.write(fresh / MANIFEST_NAME, (manifest.model_dump_json(indent=2) + "\n").encode())
        fresh.chmod(0o755)
        read(fresh)
        if folder.exists():  # two renames, so that what stands there is never half a bundle
            folder.rename(old)
        fresh.rename(folder)
        durable.sync(folder.parent)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return read(folder)
