"""Names in place of values reach neither the listener's log nor its metrics.

`spawn` looks for them in all that a listener writes, and `metric` in all that it counts.
"""

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword

from ...fuzz.objects import elements, item, part10, rewrite, written
from .conftest import PRIVATE
from .peers import eventually, send

NAME = b"Secret^Geheim "


def plant(dataset, at, vr):
    """Let one element hold a name, or a sequence of an item that holds it."""
    holder, tag = list(elements(dataset))[at]
    body = written(item(PatientName="Secret^Geheim"))
    value = b"\xfe\xff\x00\xe0" + len(body).to_bytes(4, "little") + body if vr == "SQ" else NAME
    rewrite(holder, tag, vr, value)


@pytest.mark.parametrize("kind", ["image", "seg", "rtstruct", "sr"])
def test_a_name_in_every_element(listener, study, encode, kind):
    whole = encode(study.images[0] if kind == "image" else getattr(study, kind))
    meta = dcmread(BytesIO(whole)).file_meta
    announced = str(meta.MediaStorageSOPClassUID), str(meta.MediaStorageSOPInstanceUID)
    count = len(list(dcmread(BytesIO(whole)).iterall()))
    files = []
    for at in range(count):
        for vr in ("LO", "SQ"):
            dataset = dcmread(BytesIO(whole))
            list(dataset.iterall())  # which reads every element
            plant(dataset, at, vr)
            files.append(part10(dataset, *announced))
    assert set(send(listener.port, *files)) <= {0, 0xA900, 0xC000}
    said = b"".join(listener.lines).decode()
    assert not [word for word in PRIVATE if word in said]
    assert listener.metric("objects_total") > 0


@pytest.mark.parametrize("vr", ["LO", "SQ"])
@pytest.mark.parametrize(
    ("kind", "keyword"),
    [
        ("seg", "SegmentationType"),
        ("seg", "BitsAllocated"),
        ("seg", "Rows"),
        ("rtstruct", "ROINumber"),
        ("sr", "GraphicType"),
    ],
)
def test_an_annotation_that_is_refused_once_its_images_are_there(
    listener, study, encode, kind, keyword, vr
):
    annotation = getattr(study, kind)
    dataset = dcmread(BytesIO(encode(annotation)))
    list(dataset.iterall())
    wanted = tag_for_keyword(keyword)
    plant(dataset, [tag for _, tag in elements(dataset)].index(wanted), vr)
    before = len(listener.lines)
    data = part10(dataset, str(annotation.SOPClassUID), str(annotation.SOPInstanceUID))
    assert set(send(listener.port, *map(encode, study.images), data)) == {0}
    eventually(lambda: any("problem" in line for line in listener.said()[before:]))
    said = b"".join(listener.lines).decode()
    assert not [word for word in PRIVATE if word in said]
