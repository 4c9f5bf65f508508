"""A bundle is read as it was written, or not at all."""

import json
import pickle
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from lesion.bundle import read as reading
from lesion.bundle.manifest import Tensor, fits
from lesion.bundle.read import read, sha256
from lesion.bundle.write import write
from lesion.errors import BundleError
from training.phantom.classes import CLASSES


def _edit(folder, change):
    """Change the manifest on disk, as anybody can who has the folder."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_reads_what_was_written(folder, manifest, files):
    bundle = read(folder)
    assert bundle.manifest == manifest
    assert bundle.digest == sha256((folder / "manifest.json").read_bytes())
    assert bundle.classifier == files["classifier.onnx"]
    assert bundle.generators == {name: f"a generator of {name}".encode() for name in CLASSES}
    np.testing.assert_array_equal(bundle.golden["patch_hu"], np.zeros((1, 64, 64)))


def test_any_change_of_the_manifest_changes_the_digest(folder):
    before = read(folder).digest
    _edit(folder, lambda content: content.update(version="2"))
    assert read(folder).digest != before


@pytest.mark.parametrize(
    "name", ["classifier.onnx", "generator-cyst.onnx", "golden.npz", "MODEL_CARD.md"]
)
def test_refuses_a_file_of_other_bytes_missing_or_linked(folder, name):
    path = folder / name
    whole = path.read_bytes()

    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BundleError, match=f"{name}: found sha256"):
        read(folder)

    path.unlink()
    with pytest.raises(BundleError, match=f"{name}: found no regular file"):
        read(folder)

    elsewhere = folder.parent / "elsewhere"
    elsewhere.write_bytes(whole)
    path.symlink_to(elsewhere)
    with pytest.raises(BundleError, match=f"{name}: found no regular file"):
        read(folder)

    path.unlink()
    path.mkdir()
    with pytest.raises(BundleError, match=f"{name}: found no regular file"):
        read(folder)


def test_refuses_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(BundleError, match=r"manifest\.json: found no regular file"):
        read(tmp_path)
    with pytest.raises(BundleError):
        read(tmp_path / "nowhere")


def test_refuses_a_file_that_would_fill_the_memory(folder, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_FILE", 10)
    with pytest.raises(BundleError, match="expected at most 10"):
        read(folder)


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("schema version", lambda m: m.update(schema_version=1)),
        ("schema version", lambda m: m.update(schema_version=3)),
        ("schema version", lambda m: m.update(schema_version="2.1")),
        ("surprise", lambda m: m.update(surprise=1)),
        ("name", lambda m: m.update(name="../etc")),
        ("intended_use", lambda m: m.pop("intended_use")),
        ("intended_use", lambda m: m.update(intended_use="")),
        ("patch_size", lambda m: m.update(patch_size=32)),
        ("classes", lambda m: m["classes"].append(m["classes"][0])),
        ("generators", lambda m: m["classes"].pop()),
        ("classes.0.name", lambda m: m["classes"][0].update(name="../cyst")),
        ("classes.0.code.value", lambda m: m["classes"][0]["code"].update(value="")),
        ("generators", lambda m: m["generators"].pop("cyst")),
        ("classifier.file", lambda m: m["classifier"].update(file="../classifier.onnx")),
        ("classifier.file", lambda m: m["classifier"].update(file="/etc/passwd")),
        ("classifier.file", lambda m: m["classifier"].update(file="a/b.onnx")),
        ("classifier.file", lambda m: m["classifier"].update(file=".hidden")),
        ("classifier.sha256", lambda m: m["classifier"].update(sha256="beef")),
        ("classifier.inputs", lambda m: m["classifier"]["inputs"][0].update(name="x")),
        ("classifier.inputs", lambda m: m["classifier"]["inputs"][0].update(shape=["n", 32, 32])),
        ("classifier.inputs", lambda m: m["classifier"].update(inputs=[])),
        ("classifier.outputs", lambda m: m["classifier"]["outputs"].pop()),
        ("classifier.outputs", lambda m: m["classifier"]["outputs"][0].update(shape=["n", 4])),
        ("classifier.outputs", lambda m: m["classifier"]["outputs"].reverse()),
        (
            "generators.metastasis.outputs",
            lambda m: m["generators"]["metastasis"]["outputs"][0].update(shape=["n", 1, 64, 64]),
        ),
        ("hu_window", lambda m: m.update(hu_window=[250, -150])),
        ("hu_window", lambda m: m.update(hu_window=[50, 50])),
        ("hu_window", lambda m: m.update(hu_window=[-150])),
        ("hu_window", lambda m: m.update(hu_window=[-150, float("inf")])),
        ("hu_window", lambda m: m.update(hu_window=[float("nan"), 250])),
        (
            "calibration.conformal_quantile",
            lambda m: m["calibration"]["conformal_quantile"].pop("cyst"),
        ),
        ("calibration.temperature", lambda m: m["calibration"].update(temperature=0)),
    ],
)
def test_refuses_a_manifest_that_is_none(folder, where, change):
    _edit(folder, change)
    with pytest.raises(BundleError, match=where) as caught:
        read(folder)
    assert "manifest.json" in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_refuses_a_manifest_that_is_no_json(folder, text):
    (folder / "manifest.json").write_bytes(text)
    with pytest.raises(BundleError):
        read(folder)


def _npy():
    file = BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    "golden",
    [b"", b"not an archive", b"PK\x03\x04 neither", _npy(), pickle.dumps({"patch_hu": 1})],
    ids=["empty", "text", "zip", "npy", "pickle"],
)
def test_refuses_golden_vectors_that_are_no_arrays(folder, golden):
    """A pickle is not loaded, whatever its digest."""
    (folder / "golden.npz").write_bytes(golden)
    _edit(folder, lambda m: m["golden"].update(sha256=sha256(golden)))
    with pytest.raises(BundleError, match=r"golden\.npz"):
        read(folder)


def test_refuses_golden_vectors_that_hold_objects(folder):
    path = folder / "golden.npz"
    np.savez(path, patch_hu=np.array([{}], dtype=object))
    _edit(folder, lambda m: m["golden"].update(sha256=sha256(path.read_bytes())))
    with pytest.raises(BundleError, match=r"golden\.npz"):
        read(folder)


def test_writes_over_a_bundle_whole(folder, manifest, files):
    (folder / "left-over.txt").write_text("from an older bundle")
    newer = manifest.model_copy(update={"version": "2"})
    assert write(folder, newer, files).manifest.version == "2"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*files, "manifest.json"])
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_what_cannot_be_read_back_replaces_nothing(folder, manifest, files):
    with pytest.raises(BundleError, match="sha256"):
        write(folder, manifest, {**files, "classifier.onnx": b"other"})
    assert read(folder).manifest == manifest
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_a_bundle_gives_way_only_to_one_that_is_whole(folder, manifest, files, monkeypatch):
    """The power goes out between the two renames: what stood there is set aside, and whole."""
    rename, calls = Path.rename, []

    def failing(path, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError("power")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="power"):
        write(folder, manifest.model_copy(update={"version": "2"}), files)
    (aside,) = folder.parent.iterdir()
    assert read(aside).manifest == manifest


def test_leaves_a_folder_alone_that_is_no_bundle(tmp_path, manifest, files):
    (tmp_path / "thesis.txt").write_text("the only copy")
    with pytest.raises(BundleError, match="no bundle"):
        write(tmp_path, manifest, files)
    assert (tmp_path / "thesis.txt").read_text() == "the only copy"


def test_writes_into_a_new_folder(tmp_path, manifest, files):
    assert write(tmp_path / "a" / "b", manifest, files).manifest == manifest


@pytest.mark.parametrize(
    ("found", "expected", "answer"),
    [
        (("n", 3), ("n", 3), True),
        (("n", 8), ("n", "k"), True),
        (("n", "k"), ("n", "k"), False),
        (("n", 4), ("n", 3), False),
        ((1, 3), ("n", 3), False),
        (("n",), ("n", 3), False),
    ],
)
def test_what_fits_an_interface(found, expected, answer):
    assert fits(Tensor(name="x", shape=found), Tensor(name="x", shape=expected)) is answer
    assert not fits(Tensor(name="y", shape=found), Tensor(name="x", shape=expected))
