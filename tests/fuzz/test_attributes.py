"""Any attribute under any VR, with a name in it: no answer, log or metric holds the name.

Nothing is answered with 500 either: every value is checked for its type where it is read.
"""

import logging
from copy import deepcopy
from struct import pack

import httpx
import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.valuerep import STR_VR

from ..service.conftest import bundle_folder, serve_here, start_server  # noqa: F401
from .objects import elements, item, make_study, part10, rewrite, written

NAME = "Zyxomma^Quillon"
#: However it is spelled, these are what anybody would know it by.
PRIVATE = ("zyxomma", "quillon")

#: Text that an answer carries on purpose: what a structure is called.
CARRIED = frozenset(
    map(tag_for_keyword, ("SegmentLabel", "ROIName", "TextValue", "UID", "CodeMeaning"))
)

NAMES = [NAME.encode(), f"{NAME}\\{NAME}".encode(), NAME.encode("utf-16"), NAME.upper().encode()]
NUMBERS = [b"16", b"12", b"1.5 ", b"-1", b"1e3 ", b"1e99", b"nan ", b"inf ", b"", b"1\\2 ", b"0x10"]
TEXT_VRS = sorted(map(str, STR_VR))
PACKED = {"US": "<H", "SS": "<h", "UL": "<L", "SL": "<l", "FL": "<f", "FD": "<d", "UV": "<Q"}
BYTES_VRS = ("OB", "OW", "UN")

#: What an object may lack, and is read.
MORE = [
    tag_for_keyword(keyword)
    for keyword in (
        "SpecificCharacterSet",
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "NumberOfFrames",
        "MaximumFractionalValue",
        "SegmentLabel",
        "ReferencedFrameNumber",
        "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths",
        "DeidentificationMethodCodeSequence",
        "TimezoneOffsetFromUTC",
        "AccessionNumber",
    )
]
PRIVATE_TAGS = [0x00090010, 0x00091001, 0x00291010]


def value_of(rng, vr):
    """Draw a value, most of them with a name in it."""
    if vr == "SQ":
        inner = item(PatientName=NAME, CodeMeaning=NAME, SegmentLabel=NAME)
        inner.OtherPatientIDsSequence = [item(PatientID=NAME)]
        body = written(inner)
        return pack("<HHL", 0xFFFE, 0xE000, len(body)) + body
    if vr in PACKED:
        number = [0, 1, 2, 12, 16, 512, 4095][rng.integers(7)]
        return pack(PACKED[vr], number) * int(rng.integers(0, 4))
    if vr == "AT":
        return pack("<HH", 0x10, 0x10)
    if rng.random() < 0.3:
        return NUMBERS[rng.integers(len(NUMBERS))]
    return NAMES[rng.integers(len(NAMES))]


VRS = [*TEXT_VRS, *PACKED, *BYTES_VRS, "SQ", "AT"]


def planted(rng, dataset):
    """Return a copy with one to three elements rewritten, and their tags."""
    made = deepcopy(dataset)
    tags = set()
    for _ in range(rng.integers(1, 4)):
        places = list(elements(made))
        holder, tag = places[rng.integers(len(places))]
        if rng.random() < 0.3:
            more = [*MORE, *PRIVATE_TAGS]
            tag = more[rng.integers(len(more))]
        vr = VRS[rng.integers(len(VRS))]
        value = value_of(rng, vr)
        rewrite(holder, tag, vr, value + b"\0" * (len(value) % 2))
        tags.add(int(tag))
    return made, tags


@pytest.fixture
def study(make_ct, make_seg, encode):
    made = make_study(make_ct, make_seg, encode)
    for dataset in made:  # in whoever sent it
        dataset.PatientName = dataset.OperatorsName = NAME
        dataset.PatientID = dataset.StudyDescription = NAME
        dataset.add_new(0x00090010, "LO", NAME)
        dataset.add_new(0x00091001, "LO", NAME)
    return made


def requests(rng, study, count):
    """Yield how to send a study of which one object has strange elements, and which."""
    for at in range(count):
        kind = study._fields[at % len(study)]
        sop_class = str(getattr(study, kind).SOPClassUID)
        strange, tags = planted(rng, getattr(study, kind))
        data = part10(strange, sop_class)
        if kind in ("ct", "enhanced"):
            yield {"files": {"image": data}, "params": {"roi": "20,20,50,50"}}, tags
        else:
            image = part10(study.ct, str(study.ct.SOPClassUID))
            yield {"files": {"image": image, "annotation": data}}, tags


def check(answer, tags):
    assert answer.status_code != 500, answer.text
    if answer.status_code != 200 or not tags & CARRIED:
        check_private(answer.text)


def check_private(text):
    found = [word for word in PRIVATE if word in text.lower()]
    assert not found, text[:2000]


def test_the_objects_are_read_as_they_are(serve_here, study):  # noqa: F811
    with serve_here() as client:
        for kind, dataset in study._asdict().items():
            image = study.enhanced if kind == "enhanced" else study.ct
            files = {"image": part10(image, str(image.SOPClassUID))}
            query = {"roi": "20,20,50,50"}
            if kind not in ("ct", "enhanced"):
                files["annotation"], query = part10(dataset, str(dataset.SOPClassUID)), {}
            answer = client.post("/classify", files=files, params=query)
            assert answer.status_code == 200, (kind, answer.text)


def test_no_name_reaches_an_answer_a_log_or_a_metric(
    serve_here,  # noqa: F811
    study,
    rounds,
    rng,
    caplog,
    capfd,
):
    statuses = set()
    with serve_here() as client, caplog.at_level(logging.DEBUG, logger="service"):
        for request, tags in requests(rng, study, 10 * rounds):
            answer = client.post("/classify", **request)
            check(answer, tags)
            statuses.add(answer.status_code)
        check_private(client.get("/metrics").text)
    check_private(caplog.text)
    check_private("".join(capfd.readouterr()))
    assert {200, 400} <= statuses


def test_no_name_reaches_what_a_process_writes(start_server, study, rounds, rng):  # noqa: F811
    """The command that operators start: its standard output and its standard error."""
    with start_server() as server, httpx.Client(base_url=server.url, timeout=60) as client:
        for request, tags in requests(rng, study, rounds):
            check(client.post("/classify", **request), tags)
            report = {"Accept": "application/dicom"}
            assert client.post("/classify", headers=report, **request).status_code != 500
    check_private(server.output.read_text())


def test_a_name_in_every_attribute_that_is_read_of_an_image(serve_here, study):  # noqa: F811
    """Not by chance: each element of an image, as the name and as a sequence that holds it."""
    rng = np.random.default_rng(0)
    with serve_here() as client:
        for kind in ("ct", "enhanced"):
            for at in range(len(list(elements(getattr(study, kind))))):
                for vr in ("PN", "LO", "CS", "UI", "SQ"):
                    made = deepcopy(getattr(study, kind))
                    holder, tag = list(elements(made))[at]
                    value = value_of(rng, "SQ") if vr == "SQ" else NAMES[0] + b"\0"
                    rewrite(holder, tag, vr, value + b"\0" * (len(value) % 2))
                    answer = client.post(
                        "/classify",
                        files={"image": part10(made, str(getattr(study, kind).SOPClassUID))},
                        params={"roi": "20,20,50,50"},
                    )
                    check(answer, set())
