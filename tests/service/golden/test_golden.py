"""Requests and their answers, recorded: a change of structure changes none of them.

`requests.json` names the requests, `answers/` holds what was answered, without what differs from
machine to machine or from bundle to bundle. `GOLDEN=write pytest tests/service/golden` records them
again; read the difference before you commit it.
"""

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from lesion.bundle.read import read
from lesion.image.dicom import read_ct

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
REQUESTS = json.loads((HERE / "requests.json").read_text())
RECORD = os.environ.get("GOLDEN") == "write"

#: What a processor may round otherwise: probabilities and scores, and Hounsfield units.
PROBABILITY, HU = 2e-3, 1

#: Members of JSON that name the bundle, not the answer.
_OF_THE_BUNDLE = {"digest", "bundle_digest", "generator_digest", "created", "sha256"}
#: Attributes of a report that follow from the bundle, the release or the time of day.
_OF_THE_REPORT = {"SoftwareVersions", "DeviceSerialNumber", "ManufacturerModelName", "TextValue"}


@pytest.fixture(scope="module")
def inputs(npy) -> dict[str, bytes]:
    """The files that requests name: the examples, and what is cut out of them."""
    files = {name: (ROOT / "examples" / name).read_bytes() for name in ("slice.dcm", "seg.dcm")}
    hu = read_ct(files["slice.dcm"]).hu
    patch = hu[248:312, 196:260]
    mask = np.zeros(hu.shape, np.uint8)
    mask[268:293, 216:241] = 1
    eight_bit = np.clip((patch + 150) / 400 * 255, 0, 255).astype(np.uint8)
    return files | {
        "truncated.dcm": files["slice.dcm"][:100_000],
        "slice.npy": npy(hu),
        "mask.npy": npy(mask),
        "patch.npy": npy(patch),
        "patch.png": _png(np.clip(patch + 1024, 0, 65535).astype(np.uint16)),
        "patch-8-bit.png": _png(eight_bit),
    }


@pytest.mark.parametrize("name", REQUESTS)
def test_the_answer_is_the_recorded_one(client, bundle_folder, inputs, name):
    if read(bundle_folder).digest != read(ROOT / "models/default").digest:
        pytest.skip("another bundle than models/default gives other answers")
    told, arrays = _told(_ask(client, inputs, REQUESTS[name]))
    path = HERE / "answers" / f"{name}.json"
    if RECORD:
        path.write_text(json.dumps(told, indent=1) + "\n")
        if arrays:
            np.savez_compressed(path.with_suffix(".npz"), **arrays)
    _compare(told, json.loads(path.read_text()), where=name)
    if arrays:
        with np.load(path.with_suffix(".npz")) as recorded:
            assert set(recorded.files) == set(arrays)
            for key, found in arrays.items():
                assert np.abs(found.astype(int) - recorded[key]).max() <= HU, key


def test_no_answer_is_left_behind():
    assert {path.stem for path in (HERE / "answers").iterdir()} == set(REQUESTS)


def _ask(client, inputs, request):
    headers = {"Accept": request["accept"]} if "accept" in request else {}
    if "parts" in request:
        files = [(name, inputs[value]) for name, value in request["parts"] if value in inputs]
        data = {name: value for name, value in request["parts"] if value not in inputs}
        return client.post(request["url"], headers=headers, files=files, data=data)
    if "body" in request:
        headers["Content-Type"] = request["type"]
        return client.post(request["url"], headers=headers, content=inputs[request["body"]])
    return client.get(request["url"], headers=headers)


def _told(answer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return status, type and content, as JSON; and the images, as arrays."""
    media_type = answer.headers.get("Content-Type", "").split(";")[0]
    told: dict[str, Any] = {"status": answer.status_code, "type": media_type}
    arrays: dict[str, np.ndarray] = {}
    data = BytesIO(answer.content)
    if media_type.endswith("json"):
        told["content"] = _without(answer.json(), _OF_THE_BUNDLE)
    elif media_type == "application/dicom":
        told["content"] = _report(pydicom.dcmread(data))
    elif media_type == "image/png":
        arrays["image"] = _stored(data)
    elif media_type == "application/zip":
        with ZipFile(data) as archive:
            told["content"] = _without(json.loads(archive.read("manifest.json")), _OF_THE_BUNDLE)
            for entry in archive.namelist():
                if entry.endswith(".png"):
                    arrays[entry] = _stored(BytesIO(archive.read(entry)))
    else:
        with np.load(data) as archive:
            told["content"] = _without(json.loads(archive["manifest.json"]), _OF_THE_BUNDLE)
            arrays["patch_hu"] = archive["patch_hu"]
    return told, arrays


def _stored(png: BytesIO) -> np.ndarray:
    return np.asarray(Image.open(png)).astype(np.int32)


def _png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _without(content: Any, names: set[str]) -> Any:
    if isinstance(content, dict):
        return {key: _without(value, names) for key, value in content.items() if key not in names}
    return [_without(part, names) for part in content] if isinstance(content, list) else content


def _report(dataset: Dataset) -> dict[str, Any]:
    """Return what a report says, by keyword: without UIDs, times and what names the bundle."""
    told = {}
    for element in dataset:
        if element.keyword in _OF_THE_REPORT and not _is_finding(dataset):
            continue
        if element.VR == "SQ":
            told[element.keyword] = [_report(item) for item in element.value]
        elif element.VR not in ("UI", "DA", "TM", "DT"):
            read = float if element.VR in ("DS", "FL", "FD") else str
            value = element.value
            told[element.keyword] = [*map(read, value)] if element.VM > 1 else read(value)
    return told


def _is_finding(item: Dataset) -> bool:
    """Tell whether an item's text is what was found, and not which bundle found it."""
    names = item.get("ConceptNameCodeSequence", [])
    return bool(names) and names[0].CodeValue in ("121106", "112039")  # comment, tracking


def _compare(found: Any, recorded: Any, *, where: str) -> None:
    if isinstance(recorded, dict):
        assert set(found) == set(recorded), where
        for key, value in recorded.items():
            _compare(found[key], value, where=f"{where}.{key}")
    elif isinstance(recorded, list):
        assert len(found) == len(recorded), where
        for at, (one, other) in enumerate(zip(found, recorded, strict=True)):
            _compare(one, other, where=f"{where}.{at}")
    elif isinstance(recorded, float):
        assert found == pytest.approx(recorded, rel=PROBABILITY, abs=PROBABILITY), where
    else:
        assert found == recorded, where
