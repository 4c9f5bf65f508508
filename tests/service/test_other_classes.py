"""The class list is data: a cohort of two classes of its own goes all the way to reports."""

import csv
import json
import os
import re
import subprocess
import sys
from io import BytesIO

import httpx
import numpy as np
import pytest
from highdicom.sr import srread
from pydicom import dcmread
from pydicom.uid import Comprehensive3DSRStorage

from lesion.classes import Code, own_code
from service.report.measurements import probability_of
from training.data.card import COLUMNS

ADENOMA = Code("254602002", "SCT", "Hepatocellular adenoma")
NAMES = ("focal_nodular_hyperplasia", "adenoma")
CODES = {"focal_nodular_hyperplasia": own_code("focal_nodular_hyperplasia"), "adenoma": ADENOMA}
EACH = 10  # lesions of a class: with fewer than nine no prediction set has less than all classes

Y, X = np.mgrid[:96, :96] - 48.0


@pytest.fixture
def draw(make_ct, make_seg):
    """Draw a slice with a disc of one of the classes, and its SEG."""

    def draw(label: int, index: int):
        rng, inside = np.random.default_rng([label, index]), np.hypot(Y, X) < 12
        hu = np.where(inside, (-60, 200)[label], 90) + rng.normal(0, 8, inside.shape)
        ct = make_ct(np.rint(hu), PixelSpacing=[0.8, 0.8])
        return ct, make_seg(ct, [(1, inside)])

    return draw


@pytest.fixture
def cohort(draw, encode, tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    rows = []
    for label, name in enumerate(NAMES):
        for index in range(EACH):
            lesion, patient = f"{name}-{index}", f"{name}-patient-{index // 2}"
            files = [f"{lesion}-{kind}.dcm" for kind in ("ct", "seg")]
            for file, dataset in zip(files, draw(label, index), strict=True):
                (folder / file).write_bytes(encode(dataset))
            rows.append([lesion, patient, name, *files, "1", "18.4", "biopsy", "arterial"])
    with (folder / "cohort.csv").open("w", newline="") as table:
        csv.writer(table).writerows([(*COLUMNS, "phase"), *rows])
    card = {
        "name": "two-classes",
        "simulated": True,
        "classes": [{"name": NAMES[0]}, {"name": NAMES[1], "code": ADENOMA._asdict()}],
        "columns": ["phase"],
    }
    (folder / "cohort.json").write_text(json.dumps(card))
    return folder


def test_a_cohort_of_two_other_classes_is_trained_served_and_reported(
    cohort, draw, encode, start_server, dciodvfy, tmp_path
):
    bundle = tmp_path / "two"
    command = [sys.executable, "-m", "training", "train-export", "--preset", "smoke"]
    command += ["--set", "cnn.learning_rate=0.01", "--set", "cnn.epochs=5"]  # until it is sure
    folders = ["--cohort", cohort, "--run", tmp_path / "run", "--out", bundle]
    # Threads that wait for each other on a busy machine take four times as long as one.
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*command, *folders], check=True, capture_output=True, env=one_thread)
    assert (tmp_path / "run" / "final" / "generator-adenoma.pt").is_file()
    card = (bundle / "MODEL_CARD.md").read_text()
    assert "the classes focal_nodular_hyperplasia, adenoma; it knows no other lesion" in card
    assert "cyst" not in card

    with (
        start_server(bundle=bundle) as server,
        httpx.Client(base_url=server.url, timeout=20) as http,
    ):
        (model,) = http.get("/models").json()["models"]
        assert model["classes"] == [
            {"name": name, "code": code._asdict()} for name, code in CODES.items()
        ]
        for label, name in enumerate(NAMES):
            files = [tuple(map(encode, draw(label, index))) for index in range(EACH)]
            _are_classified_and_one_reported(http, files, name, dciodvfy)
            image = http.get("/synthesize", params={"class": name, "seed": 7, "format": "npz"})
            with np.load(BytesIO(image.raise_for_status().content)) as archive:
                assert archive["patch_hu"].shape == (1, 64, 64)
        assert http.get("/synthesize", params={"class": "cyst"}).status_code == 422
        described, metrics = http.get("/openapi.json").json(), http.get("/metrics").text
    asked = described["paths"]["/synthesize"]["get"]["parameters"]
    (classes,) = [one["schema"]["enum"] for one in asked if one["name"] == "class"]
    assert classes == list(NAMES)
    assert set(re.findall(r'predictions_total{label="(\w+)"', metrics)) == set(NAMES)
    for text in (json.dumps(without_examples(described)), metrics):
        assert "cyst" not in text
        assert "metastasis" not in text


def without_examples(described: object) -> object:
    """Leave the examples out: they are the default bundle's, whose name they show."""
    if isinstance(described, dict):
        kept = {key: value for key, value in described.items() if key != "example"}
        return {key: without_examples(value) for key, value in kept.items()}
    return [*map(without_examples, described)] if isinstance(described, list) else described


def _are_classified_and_one_reported(http, lesions, name: str, dciodvfy) -> None:
    """Classify the class's lesions, and report the first of which the service is sure."""
    files = [{"image": image, "annotation": seg} for image, seg in lesions]
    answers = [http.post("/classify", files=one).raise_for_status().json() for one in files]
    found = [answer["lesions"][0] for answer in answers]
    assert all(tuple(lesion["probabilities"]) == NAMES for lesion in found)
    sure = next(index for index, lesion in enumerate(found) if not lesion["abstained"])
    assert found[sure]["label"] == name
    assert found[sure]["code"] == CODES[name]._asdict()

    answer = http.post("/classify", files=files[sure], headers={"accept": "application/dicom"})
    data = answer.raise_for_status().content
    assert dcmread(BytesIO(data)).SOPClassUID == Comprehensive3DSRStorage
    assert dciodvfy(data) == ""
    (group,) = srread(BytesIO(data)).content.get_planar_roi_measurement_groups()
    finding = group.finding_type
    assert (finding.value, finding.scheme_designator, finding.meaning) == CODES[name]
    measured = [group.get_measurements(name=probability_of(one)) for one in NAMES]
    assert [len(one) for one in measured] == [1, 1]
