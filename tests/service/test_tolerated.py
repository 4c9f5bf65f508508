"""What deviates and has one meaning is answered with its warning, counted, and refused by strict.

Over HTTP, with files made from the examples that the README sends.
"""

from io import BytesIO
from pathlib import Path
from struct import pack

import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

EXAMPLES = Path(__file__).parents[2] / "examples"
SLICE, SEG = ((EXAMPLES / name).read_bytes() for name in ("slice.dcm", "seg.dcm"))
SIGNATURE = pack(">L4s", 12, b"jP  ") + b"\r\n\x87\n"


def changed(data, syntax=None, /, *, recode=None, **attributes):
    """A file of which some attributes say something else than its pixels."""
    image = dcmread(BytesIO(data))
    if recode:
        image.compress(recode, generate_instance_uid=False)
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    file = BytesIO()
    if syntax:
        image.file_meta.TransferSyntaxUID = syntax
    image.save_as(file, enforce_file_format=True)
    return file.getvalue()


def bare(data):
    """The data set of a Part 10 file."""
    return data[144 + int.from_bytes(data[140:144], "little") :]


def as_vr(data, tag, vr, value):
    """A file of which a number of 16 bits is written under another VR."""
    before, found, after = data.partition(tag + b"US\x02\0")
    assert found
    return before + tag + vr + pack("<H", len(value)) + value + after[2:]


def in_jp2(data):
    image = dcmread(BytesIO(changed(data, recode=JPEG2000Lossless)))
    code = get_frame(image.PixelData, 0)
    boxed = SIGNATURE + pack(">L4s", 8 + len(code), b"jp2c") + code
    return changed(changed(data, recode=JPEG2000Lossless), PixelData=encapsulate([boxed]))


def longer(data, excess):
    """A file of more Pixel Data, the last of its elements."""
    at = data.rindex(b"\xe0\x7f\x10\0O") + 8
    size = int.from_bytes(data[at : at + 4], "little")
    return data[:at] + pack("<L", size + excess) + data[at + 4 :] + b"\x55" * excess


BITS_STORED, BITS_ALLOCATED = b"\x28\0\1\1", b"\x28\0\0\1"
BITS_16 = {"BitsStored": 16, "HighBit": 15}
PLAIN_SEG = changed(SEG)
IMAGES = {
    "no-preamble": lambda: SLICE[128:],
    "no-preamble: file meta": lambda: SLICE[132:],
    "no-file-meta": lambda: bare(SLICE),
    "no-file-meta: implicit": lambda: bare(changed(SLICE, ImplicitVRLittleEndian)),
    "value-representation": lambda: as_vr(SLICE, BITS_STORED, b"DS", b"12"),
    "value-representation: FD": lambda: as_vr(SLICE, BITS_STORED, b"FD", pack("<d", 12)),
    "value-representation: FL": lambda: as_vr(SLICE, BITS_STORED, b"FL", pack("<f", 12)),
    **{f"excess-pixel-data: {n}": lambda n=n: longer(SLICE, n) for n in (1, 2, 4, 1000)},
    "codestream-precision": lambda: changed(SLICE, recode=JPEG2000Lossless, **BITS_16),
    "codestream-precision: sign": lambda: changed(
        SLICE, recode=JPEG2000Lossless, PixelRepresentation=1, **BITS_16
    ),
    "codestream-precision: JPEG-LS": lambda: changed(SLICE, recode=JPEGLSLossless, **BITS_16),
    "jp2-header": lambda: in_jp2(SLICE),
    "rescale-type-us": lambda: changed(SLICE, RescaleType="US"),
}
ANNOTATIONS = {
    "no-preamble": lambda: SEG[128:],
    "no-file-meta": lambda: bare(SEG),
    "value-representation": lambda: as_vr(SEG, BITS_ALLOCATED, b"DS", b"1 "),
    "excess-pixel-data": lambda: longer(PLAIN_SEG, 1000),
}


@pytest.fixture(scope="module")
def strict(serve_here):
    with serve_here(strict=True) as client:
        yield client


@pytest.fixture(scope="module")
def expected(client):
    return told(client, SLICE, SEG)


def ask(client, image, annotation):
    return client.post("/classify", files={"image": image, "annotation": annotation})


def told(client, image, annotation):
    answer = ask(client, image, annotation)
    assert answer.status_code == 200, answer.text
    (lesion,) = answer.json()["lesions"]
    return lesion


def refused(answer):
    problem = answer.json()
    return problem["status"], problem["type"].removeprefix("urn:hepatica:problem:")


def counted(client, code):
    lines = client.get("/metrics").text.splitlines()
    start = f'hepatica_warnings_total{{code="{code}"}} '
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


CASES = [
    *[pytest.param(name, make, "image", id=name) for name, make in IMAGES.items()],
    *[
        pytest.param(name, make, "annotation", id=f"SEG {name}")
        for name, make in ANNOTATIONS.items()
    ],
]


@pytest.mark.parametrize(("name", "make", "part"), CASES)
def test_it_is_read_warned_of_counted_and_refused_by_strict(
    client, strict, expected, name, make, part
):
    code = name.partition(":")[0]
    files = (make(), SEG) if part == "image" else (SLICE, make())
    before = counted(client, code)
    lesion = told(client, *files)
    new = {warning["code"] for warning in lesion["warnings"]} - {
        warning["code"] for warning in expected["warnings"]
    }
    assert new == {code}
    assert lesion["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-4)
    assert counted(client, code) == before + 1
    answer = ask(strict, *files)
    assert refused(answer) == (422, "deviation")
    assert code in answer.json()["detail"]


def test_strict_reads_what_follows_the_standard(strict, expected):
    lesion = told(strict, SLICE, SEG)
    assert lesion["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-4)


@pytest.mark.parametrize("media_type", ["application/dicom", "application/octet-stream"])
@pytest.mark.parametrize("cut", [lambda data: data[128:], bare], ids=["no-preamble", "data-set"])
def test_a_body_without_its_beginning(client, media_type, cut):
    """Whether its sender says that it is DICOM, or only that it is bytes."""
    headers = {"Content-Type": media_type}
    answer = client.post("/classify?roi=200,200,260,260", content=cut(SLICE), headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("cut", [lambda data: data[128:], bare], ids=["no-preamble", "data-set"])
def test_a_report_of_a_file_without_its_beginning(client, cut):
    answer = client.post(
        "/classify",
        files={"image": cut(SLICE), "annotation": SEG},
        headers={"Accept": "application/dicom"},
    )
    assert answer.status_code == 200, answer.text
    assert dcmread(BytesIO(answer.content)).Modality == "SR"


@pytest.mark.parametrize(
    ("image", "status", "slug"),
    [
        (lambda: SLICE[:-2], 400, "unreadable-image"),
        (lambda: longer(SLICE, -2)[:-2], 400, "unreadable-image"),
        (lambda: as_vr(SLICE, BITS_STORED, b"DS", b"12.5"), 422, "pixel-format"),
        (lambda: as_vr(SLICE, BITS_STORED, b"SQ", b""), 400, "unreadable-image"),
        (lambda: changed(SLICE, RescaleType="US", RescaleSlope=2), 422, "rescale"),
        (lambda: changed(SLICE, RescaleType="OD"), 422, "rescale"),
        (
            lambda: changed(SLICE, recode=JPEGLSLossless, PixelRepresentation=1, **BITS_16),
            400,
            "unreadable-image",
        ),
        (lambda: b"DICM" + b"x" * 500, 415, "unknown-format"),
    ],
    ids=range(8),
)
def test_what_has_no_single_meaning_stays_refused(client, image, status, slug):
    assert refused(ask(client, image(), SEG)) == (status, slug)


def test_strict_refuses_an_image_of_a_series_on_which_no_lesion_lies(client, strict):
    other = dcmread(BytesIO(SLICE))
    corner = [*other.ImagePositionPatient[:2], other.ImagePositionPatient[2] + 5]
    uid = f"{other.SOPInstanceUID}.1"
    deviates = changed(SLICE, SOPInstanceUID=uid, ImagePositionPatient=corner)[128:]
    files = [("image", SLICE), ("image", deviates), ("annotation", SEG)]
    assert client.post("/classify", files=files).status_code == 200
    assert refused(strict.post("/classify", files=files)) == (422, "deviation")
