"""The service says of a lesion what its parts say: slice, outline, cut, network, calibration."""

import json
from io import BytesIO

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from pydicom.uid import JPEG2000Lossless

from lesion import outline, roi
from lesion.bundle.manifest import Calibration
from lesion.classes import UNDETERMINED
from service.classify import most_similar, prediction_set, reason_to_abstain, unlike_in_size
from service.rounding import rounded_shares
from training.phantom.classes import CLASSES, LesionClass

CYST, METASTASIS, HEMANGIOMA = CLASSES
ROWS, COLS = 120, 140
Y, X = np.mgrid[:ROWS, :COLS]
NOISE = np.random.default_rng(1).normal(0, 10, (ROWS, COLS))
LESION = (X - 70) ** 2 + (Y - 60) ** 2 < 15**2
HU = np.where(LESION, 10, 105) + NOISE.round()
BOX = {"type": "box", "x0": 55.0, "y0": 45.0, "x1": 86.0, "y1": 76.0}
QUERY = "roi=55,45,86,76"
DICOM, PNG, NPY = "application/dicom", "image/png", "application/x-npy"


@pytest.fixture(scope="module")
def network(bundle):
    return onnxruntime.InferenceSession(bundle.classifier)


@pytest.fixture
def ct(make_ct):
    return make_ct(HU)


def png16(hu):
    file = BytesIO()
    Image.fromarray((hu + 1024).astype(np.uint16)).save(file, "PNG")
    return file.getvalue()


def classify(client, data, media_type, query=QUERY):
    answer = client.post(f"/classify?{query}", content=data, headers={"Content-Type": media_type})
    assert answer.status_code == 200, answer.text
    return answer.json()


def form(client, query="", **files):
    data = files.pop("data", None)
    answer = client.post(f"/classify?{query}", files=files, data=data)
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(lesion):
    return [warning["code"] for warning in lesion["warnings"]]


#: The last of the four decimals that are told.
DECIMALS = 1e-4


def test_a_dicom_slice_with_a_box(client, bundle, network, ct, encode):
    answer = classify(client, encode(ct), DICOM)

    manifest = bundle.manifest
    spacing_mm = (0.8, 0.7)
    where = outline.from_box(55, 45, 86, 76, shape=HU.shape)
    patch = roi.cut(HU.astype(np.float32), spacing_mm, where, margin=manifest.roi_margin)
    probabilities, score = network.run(
        ["probabilities", "out_of_distribution"], {"patch_hu": patch[None]}
    )
    (lesion,) = answer["lesions"]
    np.testing.assert_allclose(
        list(lesion["probabilities"].values()), probabilities[0], atol=DECIMALS
    )
    assert list(lesion["probabilities"]) == list(CLASSES)
    assert lesion["label"] == CLASSES[probabilities[0].argmax()]
    assert lesion["out_of_distribution"] == {
        "score": pytest.approx(score[0], rel=1e-4),
        "threshold": manifest.calibration.out_of_distribution_threshold,
    }
    assert lesion["roi"] == {key: BOX[key] for key in ("x0", "y0", "x1", "y1")}
    assert lesion["diameter_mm"] == pytest.approx(31 * 0.8, abs=DECIMALS)
    side = 31 * 0.8 * (1 + 2 * manifest.roi_margin)
    assert lesion["square"]["x1"] - lesion["square"]["x0"] == pytest.approx(side / 0.7)
    assert lesion["square"]["y1"] - lesion["square"]["y0"] == pytest.approx(side / 0.8)
    told = [*lesion["probabilities"].values(), lesion["diameter_mm"]]
    told.append(lesion["out_of_distribution"]["score"])
    assert told == [round(value, 4) for value in told]
    assert sum(lesion["probabilities"].values()) == pytest.approx(1, abs=1e-12)
    assert lesion["activation_map"] is None
    assert lesion["warnings"] == []
    assert answer["model"] == {
        "name": manifest.name,
        "version": manifest.version,
        "digest": bundle.digest,
        "simulated": manifest.cohort.simulated,
    }
    assert answer["disclaimer"] == manifest.intended_use


def test_all_is_decided_before_anything_is_rounded(serve_here, monkeypatch, ct, encode):
    decided = []

    def recording(probabilities, calibration):
        decided.append(dict(probabilities))
        return prediction_set(probabilities, calibration)

    monkeypatch.setattr("service.classify.prediction_set", recording)
    with serve_here() as client:
        (lesion,) = classify(client, encode(ct), DICOM)["lesions"]
    (exact,) = decided
    assert any(round(value, 4) != value for value in exact.values())
    assert lesion["probabilities"] == rounded_shares(exact, 4)


def test_every_way_in_leads_to_the_same_answer(client, ct, encode, make_seg, npy):
    dicom, pixels = encode(ct), npy(HU)
    ct.compress(JPEG2000Lossless, generate_instance_uid=False)
    compressed = encode(ct, JPEG2000Lossless)
    expected = classify(client, dicom, DICOM)
    spaced = f"{QUERY}&spacing_mm=0.8,0.7"
    polygon = {"type": "polygon", "points": [[55, 45], [86, 45], [86, 76], [55, 76]]}
    box_mask = np.zeros(HU.shape, np.uint8)
    box_mask[45:76, 55:86] = 255
    for answer in (
        classify(client, dicom, "application/octet-stream"),
        classify(client, compressed, DICOM),
        classify(client, png16(HU), PNG, spaced),
        classify(client, pixels, NPY, spaced),
        classify(client, dicom, DICOM, f"roi={json.dumps(BOX)}"),
        form(client, image=dicom, data={"roi": json.dumps(BOX)}),
        form(client, image=dicom, data={"roi": json.dumps([BOX])}),
        form(client, image=pixels, data={"roi": "55,45,86,76", "spacing_mm": "0.8,0.7"}),
        form(client, QUERY, image=("any.dcm", dicom, DICOM)),
    ):
        assert_same(answer, expected)
    for answer in (
        form(client, image=dicom, data={"roi": json.dumps(polygon)}),
        form(client, image=dicom, mask=npy(box_mask)),
        form(client, image=dicom, mask=npy(box_mask > 0)),
        form(client, image=dicom, annotation=encode(make_seg(ct, [(1, box_mask > 0)]))),
    ):  # these know the corners, so their diameter is the diagonal
        assert_same(answer, expected, but_diameter_mm=np.hypot(31 * 0.8, 31 * 0.7))


def assert_same(answer, expected, but_diameter_mm=None):
    """Compare all but the last bits of the network, which depend on who shares its batch."""
    (found,), (wanted,) = answer["lesions"], expected["lesions"]
    if but_diameter_mm is not None:
        wanted = {**wanted, "diameter_mm": pytest.approx(but_diameter_mm, abs=DECIMALS)}
    near = {
        "probabilities": pytest.approx(wanted["probabilities"], abs=2 * DECIMALS),
        "out_of_distribution": pytest.approx(wanted["out_of_distribution"], rel=1e-4),
        "reason": found["reason"],
        "image": found["image"],
        "annotation_number": found["annotation_number"],
        "structure": found["structure"],
    }
    assert found == {**wanted, **near}


def test_several_lesions_in_one_call(client, ct, encode, npy):
    dicom = encode(ct)
    boxes = ["55,45,86,76", "10,10,40,40", "80,80,110,110"]
    alone = [classify(client, dicom, DICOM, f"roi={box}")["lesions"][0] for box in boxes]
    together = classify(client, dicom, DICOM, "&".join(f"roi={box}" for box in boxes))["lesions"]
    for one, other in zip(together, alone, strict=True):
        assert one["roi"] == other["roi"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=2 * DECIMALS)
    mask = np.zeros(HU.shape, bool)
    mask[10:40, 10:40] = mask[45:76, 55:86] = True
    regions = form(client, image=dicom, mask=npy(mask))["lesions"]
    assert [region["roi"]["x0"] for region in regions] == [55, 10]  # the largest first


def test_a_ready_patch_is_what_the_network_sees(client, network, npy):
    patch = HU[:64, :64].astype(np.float32)
    (lesion,) = classify(client, npy(patch), NPY, "")["lesions"]
    (expected,) = network.run(["probabilities"], {"patch_hu": patch[None]})
    np.testing.assert_allclose(list(lesion["probabilities"].values()), expected[0], atol=DECIMALS)
    assert lesion["roi"] is lesion["square"] is lesion["diameter_mm"] is None
    assert codes(lesion) == ["image-taken-as-roi"]
    (again,) = classify(client, png16(patch), PNG, "")["lesions"]
    assert again["probabilities"] == pytest.approx(lesion["probabilities"], abs=2 * DECIMALS)


def test_the_activation_map_is_the_networks(client, network, npy):
    patch = HU[:64, :64].astype(np.float32)
    (lesion,) = classify(client, npy(patch), NPY, "saliency=true")["lesions"]
    (expected,) = network.run(["saliency"], {"patch_hu": patch[None]})
    found = np.array([lesion["activation_map"][name] for name in CLASSES])
    np.testing.assert_allclose(found, expected[0], atol=1e-4 * abs(expected).max())


def test_warnings(client, make_ct, encode, npy):
    def of(data, media_type, query):
        return codes(classify(client, data, media_type, query)["lesions"][0])

    padded = HU.copy()
    padded[:, :30] = -1024
    padding = encode(make_ct(padded, PixelPaddingValue=0))
    eight = BytesIO()
    Image.fromarray(HU.clip(0, 255).astype(np.uint8)).save(eight, "PNG")
    assert of(padding, DICOM, "roi=35,45,60,70") == ["roi-covers-padding"]
    assert of(padding, DICOM, QUERY) == []
    assert of(encode(make_ct(HU)), DICOM, "roi=1,1,31,31") == ["roi-leaves-image"]
    assert of(encode(make_ct(HU)), DICOM, "roi=50,50,60,60") == ["unusual-diameter"]
    assert of(npy(HU), NPY, QUERY) == ["no-spacing"]
    assert of(npy(HU), NPY, "") == ["image-taken-as-roi", "roi-leaves-image"]
    assert of(eight.getvalue(), PNG, f"{QUERY}&window=0,255") == ["eight-bit", "no-spacing"]


CALIBRATION = Calibration(
    temperature=1.0,
    coverage=0.9,
    conformal_quantile={CYST: 0.3, METASTASIS: 0.6, HEMANGIOMA: 0.7},
    out_of_distribution_threshold=5.0,
    out_of_distribution_share=0.05,
)


@pytest.mark.parametrize(
    ("probabilities", "score", "chosen", "reason"),
    [
        ([0.9, 0.05, 0.05], 4.9, [CYST], None),
        ([0.9, 0.05, 0.05], 5.0, [CYST], None),
        ([0.9, 0.05, 0.05], 5.1, [CYST], "out-of-distribution"),
        ([0.9, 0.05, 0.05], float("nan"), [CYST], "out-of-distribution"),
        ([0.1, 0.45, 0.45], 1.0, [METASTASIS, HEMANGIOMA], "several-classes"),
        ([0.5, 0.25, 0.25], 1.0, [], "no-class"),
        ([0.5, 0.1, 0.4], 1.0, [HEMANGIOMA], "another-class"),
    ],
)
def test_abstention(probabilities, score, chosen, reason):
    told = dict(zip(CLASSES, probabilities, strict=True))
    label = max(told, key=told.__getitem__)
    assert prediction_set(told, CALIBRATION) == chosen
    found = reason_to_abstain(label, chosen, score, CALIBRATION)
    assert (found.code if found else None) == reason
    assert found is None or len(found.detail) > 20


@pytest.mark.parametrize(
    ("probabilities", "chosen", "label"),
    [
        ([0.4, 0.4, 0.2], [METASTASIS], METASTASIS),
        ([0.4, 0.2, 0.4], [HEMANGIOMA], HEMANGIOMA),
        ([0.4, 0.4, 0.2], [CYST, METASTASIS], CYST),
        ([0.4, 0.4, 0.2], [], CYST),
        ([0.5, 0.1, 0.4], [HEMANGIOMA], CYST),
    ],
)
def test_of_classes_that_are_equally_probable_one_in_the_set_is_the_label(
    probabilities, chosen, label
):
    told = dict(zip(CLASSES, probabilities, strict=True))
    assert most_similar(told, chosen) == label
    if chosen == [METASTASIS] or probabilities[2] == probabilities[0]:
        assert reason_to_abstain(label, chosen, 1.0, CALIBRATION) is None


@pytest.mark.parametrize(
    ("diameter_mm", "abstains"),
    [(7.9, True), (8.1, False), (20.0, False), (124.9, False), (125.1, True), (None, False)],
)
def test_a_size_far_outside_the_cohorts_abstains(diameter_mm, abstains):
    reference_mm = {"0.01": 10.0, "0.5": 25.0, "0.99": 100.0}
    reason = unlike_in_size(diameter_mm, reference_mm)
    assert (reason.code if reason else None) == ("unlike-in-size" if abstains else None)
    assert unlike_in_size(diameter_mm, {"0.5": 25.0}) is None


def test_the_size_is_that_of_the_bundles_cohort(client, bundle, make_ct, encode, npy):
    reference_mm = bundle.manifest.reference.diameter_mm
    low, high = reference_mm["0.01"] / 1.25, 1.25 * reference_mm["0.99"]
    for sides_mm, abstains in ((0.9 * low, True), (1.1 * low, False), (1.1 * high, True)):
        spacing = [sides_mm / 40, sides_mm / 40]
        data = encode(make_ct(HU, PixelSpacing=spacing))
        (lesion,) = classify(client, data, DICOM, "roi=50,40,90,80")["lesions"]
        found = lesion["reason"] is not None and lesion["reason"]["code"] == "unlike-in-size"
        assert found is abstains
        assert not abstains or (lesion["abstained"] and lesion["code"]["value"] == "300331000")
    (lesion,) = classify(client, npy(HU), NPY, "roi=50,40,54,44")["lesions"]
    assert lesion["reason"] is None or lesion["reason"]["code"] != "unlike-in-size"


def test_what_abstains_has_no_class_code(client, ct, encode, npy):
    strange = npy(np.where(np.indices((64, 64)).sum(axis=0) % 9 < 4, -900.0, 2500.0))
    lesions = [
        classify(client, encode(ct), DICOM)["lesions"][0],
        classify(client, strange, NPY, "")["lesions"][0],
    ]
    for lesion in lesions:
        code = UNDETERMINED if lesion["abstained"] else LesionClass(lesion["label"]).code
        assert lesion["code"] == code._asdict()
        assert lesion["abstained"] == (lesion["reason"] is not None)


def test_a_real_slice_through_a_liver(client, shared_data):
    """It holds no lesion; the image is JPEG 2000, and its UIDs are empty."""
    path = sorted(shared_data("abdomen-ct-dicom").iterdir())[10]
    answer = classify(client, path.read_bytes(), DICOM, "roi=150,200,190,240")
    (lesion,) = answer["lesions"]
    assert lesion["diameter_mm"] == pytest.approx(40 * 0.9765625, abs=DECIMALS)
    assert lesion["warnings"] == []
    assert sum(lesion["probabilities"].values()) == pytest.approx(1)
