"""Annotations made to break the service, pulled from a PACS: refused as those that are sent are.

In a real server, whose memory is its own.
"""

import httpx
import pytest
from pydicom.uid import CTImageStorage

from ..attacks import OF_ONE_IMAGE
from ..measure import check_cost
from ..raw import (
    ANNOTATION,
    ANNOTATION_SERIES,
    IMAGE,
    SERIES,
    STUDY,
    bomb,
    disc,
    group,
    image,
    seg,
)

#: One for each way in which an annotation breaks what reads it.
ATTACKS = {
    name: OF_ONE_IMAGE[name]
    for name in (
        "65535x65535 pixels",
        "a size that is no whole number",
        "2^31 frames that are not there",
        "900 frames of one segment",
        "frames that lie on thousands of slices each",
        "sources with long lists of frames",
        "contours that lie on thousands of slices each",
        "contours inside each other",
        "a contour of NaN",
        "100,000 groups",
        "a region that refers to thousands of images",
    )
}


@pytest.fixture(scope="module")
def far(start_server, running_fake, tmp_path_factory):
    """A server in a process of its own, that knows the fake PACS and is patient with it."""
    configuration = tmp_path_factory.mktemp("configuration") / "pacs.toml"
    configuration.write_text(f'[archive]\nurl = "{running_fake.url}"\n')
    with start_server(pacs=configuration) as server:
        yield server


@pytest.fixture
def ask(far, fake):
    """Keep an image and an annotation at the PACS, and have them classified by reference."""

    def run(image, annotation):
        fake.kept = {
            path(SERIES, IMAGE): image,
            path(ANNOTATION_SERIES, ANNOTATION): annotation,
        }
        reference = {"pacs": "archive", "study": STUDY, "series": SERIES, "instance": IMAGE}
        annotated = {"series": ANNOTATION_SERIES, "instance": ANNOTATION}
        body = reference | {"annotation": annotated}
        return httpx.post(far.url + "/classify", json=body, timeout=60)

    return run


def path(series, instance):
    return f"/dicom-web/studies/{STUDY}/series/{series}/instances/{instance}"


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_is_refused_within_bounds(far, ask, attack):
    (ct,), annotation, slug = attack()
    answer = check_cost(far.process.pid, lambda: ask(ct, annotation))
    assert "secret" not in answer.text.lower()
    if slug is None:
        assert answer.status_code == 200, answer.text
    else:
        assert answer.json()["type"] == f"urn:hepatica:problem:{slug}"
    assert ask(image(), seg([group()], disc())).status_code == 200


@pytest.mark.parametrize("inflated", ["image", "annotation"])
def test_what_inflates_without_end_is_no_answer(far, ask, inflated):
    files = {"image": image(), "annotation": seg([group()], disc())}
    files[inflated] = bomb(CTImageStorage)
    answer = check_cost(far.process.pid, lambda: ask(**files))
    assert (answer.status_code, answer.json()["type"]) == (502, "urn:hepatica:problem:pacs-answer")
