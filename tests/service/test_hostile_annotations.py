"""Annotations made to break the service, over HTTP: refused soon, in bounded memory, and it lives.

In a real server, whose memory is its own.
"""

import pytest

from .attacks import OF_A_SERIES, OF_ONE_IMAGE
from .measure import check_cost
from .raw import disc, group, image, seg

ATTACKS = OF_ONE_IMAGE | OF_A_SERIES


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_is_refused_within_bounds(server, http, attack):
    images, annotation, slug = attack()
    answer = check_cost(server.process.pid, lambda: post(http, images, annotation))
    assert "secret" not in answer.text.lower()
    if slug is None:
        assert answer.status_code == 200, answer.text
    else:
        assert answer.json()["type"] == f"urn:hepatica:problem:{slug}"
        assert "found" in answer.json()["detail"]
    assert post(http, [image()], seg([group()], disc())).status_code == 200


@pytest.mark.parametrize("part", [0.2, 0.6, 0.999])
@pytest.mark.parametrize("name", ["512 images and a SEG of all", "a contour that crosses itself"])
def test_one_that_is_cut_is_refused(server, http, name, part):
    images, annotation, _ = ATTACKS[name]()
    cut = annotation[: int(len(annotation) * part)]
    answer = check_cost(server.process.pid, lambda: post(http, images[:3], cut))
    assert answer.status_code in {400, 415, 422}


def post(http, images, annotation):
    files = [*(("image", data) for data in images), ("annotation", annotation)]
    return http.post("/classify", files=files, timeout=60)
