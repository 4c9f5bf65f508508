"""Every bad input has a problem of its own, soon, and the next good input works. Nothing is 500."""

import json
import struct
import time
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    MRImageStorage,
    RLELossless,
)

HU = np.full((96, 128), 60.0)
BOX = "roi=20,20,60,60"
DICOM, PNG, NPY = "application/dicom", "image/png", "application/x-npy"
MB = 1 << 20


@pytest.fixture
def ask(client, npy):
    """Send a request; return its problem, having seen that it came soon and broke nothing."""

    def send(content=None, media_type=DICOM, query=BOX, **request):
        if content is not None:
            request |= {"content": content, "headers": {"Content-Type": media_type}}
        began = time.process_time()  # of the server too: it lives in this process
        answer = client.post(f"/classify?{query}", **request)
        assert time.process_time() - began < 0.5
        good = client.post("/classify", content=npy(HU), headers={"Content-Type": NPY})
        assert good.status_code == 200
        return problem(answer)

    return send


def problem(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["status"] == answer.status_code
    assert "secret" not in answer.text.lower()  # the patient's name and number
    return answer.status_code, told["type"].removeprefix("urn:hepatica:problem:")


def png(array):
    file = BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_what_is_no_image(ask):
    assert ask(b"") == (400, "empty-input")
    assert ask(b"not an image" * 50) == (415, "unknown-format")
    assert ask(b"not an image" * 50, "application/octet-stream") == (415, "unknown-format")
    assert ask(b"not an image" * 50, PNG) == (415, "unknown-format")
    assert ask(b"not an image" * 50, NPY) == (415, "unknown-format")
    assert ask(b"not an image" * 50, "text/plain") == (415, "unknown-format")
    assert ask(b'{"pacs": "main"}', "application/json") == (400, "unreadable-parameter")


def test_truncated_files(ask, make_ct, encode, npy):
    for media_type, data in (
        (DICOM, encode(make_ct(HU))),
        (PNG, png((HU + 1024).astype(np.uint16))),
        (NPY, npy(HU)),
    ):
        assert ask(data[:-50], media_type) == (400, "unreadable-image")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"SOPClassUID": MRImageStorage, "Modality": "MR"}, (422, "not-ct")),
        ({"Modality": "MR"}, (422, "not-ct")),
        ({"SOPClassUID": EnhancedCTImageStorage}, (422, "multi-frame")),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, (422, "localizer")),
        ({"RescaleSlope": None}, (422, "rescale")),
        ({"RescaleIntercept": None}, (422, "rescale")),
        ({"PixelSpacing": None}, (422, "spacing")),
        ({"PhotometricInterpretation": "RGB"}, (422, "pixel-format")),
        ({"Rows": 30000, "Columns": 30000}, (413, "too-large")),
        ({"PixelData": b"\0\0"}, (400, "unreadable-image")),
    ],
)
def test_dicom_that_is_no_slice_in_hounsfield_units(ask, make_ct, encode, attributes, expected):
    assert ask(encode(make_ct(HU, **attributes))) == expected


def test_a_transfer_syntax_that_is_not_read(ask, make_ct, encode):
    image = make_ct(HU, PixelData=encapsulate([b"\xff\xd8" + bytes(100)]))
    image["PixelData"].is_undefined_length = True
    assert ask(encode(image, JPEGExtended12Bit)) == (415, "transfer-syntax")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (422, "outline-missing")),
        ("roi=100,10,140,50", (422, "outline-outside")),
        ("roi=-5,10,40,50", (422, "outline-outside")),
        ("roi=20,20,20,60", (422, "outline-too-small")),
        ("roi=20,20,21,21", (422, "outline-too-small")),
        ("roi=60,60,20,20", (422, "outline-too-small")),
        ("roi=nan,20,60,60", (422, "outline-not-finite")),
        ("roi=20,20,60,inf", (422, "outline-not-finite")),
        ("roi=20,20,60,1e999", (422, "outline-not-finite")),
        ("roi=20,20,60", (400, "unreadable-outline")),
        ("roi=20,20,60,60,", (400, "unreadable-outline")),
        ("roi=2_0,20,60,60", (400, "unreadable-outline")),
        ("roi=20,20,60,٦0", (400, "unreadable-outline")),
        ("roi=20,20,60,%C2%A060", (400, "unreadable-outline")),
        ("roi=0x14,20,60,60", (400, "unreadable-outline")),
        ("roi=twenty,20,60,60", (400, "unreadable-outline")),
        (BOX + "&saliency=maybe", (400, "unreadable-parameter")),
        (BOX + "&spacing_mm=0.8", (400, "unreadable-parameter")),
        (BOX + "&window=-100,200", (400, "unreadable-parameter")),
        (BOX + "&salency=true", (400, "unreadable-parameter")),
        (BOX + "&saliency=true&saliency=false", (400, "unreadable-parameter")),
        (BOX + "&salency=", (400, "unreadable-parameter")),
        ("&".join([BOX] * 33), (413, "too-large")),
    ],
)
def test_boxes_and_parameters(ask, make_ct, encode, query, expected):
    assert ask(encode(make_ct(HU)), query=query) == expected


@pytest.mark.parametrize(
    "query",
    [
        *("spacing_mm=" + text for text in ("0.7_5", "٣", "nan", "inf", "0x1", "0.7,0.7,0.7")),
        *(
            "window=" + text
            for text in ("-1_50,250", "-150,٢50", "-150,1e999", "-150", "0,1,2", "a,b")
        ),
    ],
)
def test_numbers_that_only_a_programmer_would_read(ask, query):
    """Each stands for one of the two that an 8-bit PNG needs; the other is sound."""
    sound = {"spacing_mm": "spacing_mm=0.7", "window": "window=-150,250"}
    asked = sound | {query.split("=")[0]: query}
    found = ask(png(HU.astype(np.uint8)), PNG, "&".join([BOX, *asked.values()]))
    assert found == (400, "unreadable-parameter")


@pytest.mark.parametrize(
    ("roi", "expected"),
    [
        ("[]", (400, "unreadable-outline")),
        ("{", (400, "unreadable-outline")),
        ('{"type": "circle", "r": 5}', (400, "unreadable-outline")),
        ('{"type": "box", "x0": 1}', (400, "unreadable-outline")),
        ('{"type": "box", "x0": "1", "y0": 1, "x1": 9, "y1": 9}', (400, "unreadable-outline")),
        ('{"type": "box", "x0": true, "y0": 1, "x1": 9, "y1": 9}', (400, "unreadable-outline")),
        ('{"type": "polygon", "points": []}', (400, "unreadable-outline")),
        ('{"type": "polygon", "points": [[1, 1], [9, 1]]}', (422, "outline-too-small")),
        ('{"type": "polygon", "points": [[1, 1], [9, 9], [5, 5]]}', (422, "outline-too-small")),
        ('{"type": "polygon", "points": [[1, 1], [9, 1], [5, NaN]]}', (422, "outline-not-finite")),
        (
            '{"type": "polygon", "points": [[9, 9], [40, 40], [40, 9], [9, 40]]}',
            (422, "outline-crossing"),
        ),
        (json.dumps({"type": "polygon", "points": [[9, 9]] * 1001}), (413, "too-large")),
    ],
)
def test_outlines_as_json(ask, make_ct, encode, roi, expected):
    form = {"data": {"roi": roi}, "files": {"image": encode(make_ct(HU))}}
    assert ask(query="", **form) == expected


def test_masks(ask, make_ct, encode, npy):
    image = encode(make_ct(HU))
    one = np.zeros(HU.shape, np.uint8)
    one[40, 40] = 1
    for mask, expected in (
        (npy(np.ones((40, 40), np.uint8)), (422, "mask-size")),
        (png(np.ones((40, 40), np.uint8)), (422, "mask-size")),
        (npy(np.zeros(HU.shape, np.uint8)), (422, "outline-too-small")),
        (npy(one), (422, "outline-too-small")),
        (npy(np.indices(HU.shape).sum(axis=0) % 4 // 3), None),
        (b"", (400, "empty-input")),
        (b"no mask", (415, "unknown-format")),
    ):
        found = ask(query="", files={"image": image, "mask": mask})
        assert found == expected or (expected is None and found[0] in {413, 422})


def test_more_lesions_than_allowed(ask, make_ct, make_seg, encode, npy):
    ct = make_ct(np.zeros((512, 512)))
    rows, columns = np.indices((512, 512)) % 16 < 12
    mask = rows & columns
    assert ask(query="", files={"image": encode(ct), "mask": npy(mask)}) == (413, "too-large")
    segments = encode(make_seg(ct, [(number, mask) for number in range(1, 9)]))
    files = {"image": encode(ct), "annotation": segments}
    assert ask(query="", files=files) == (413, "too-large")


def test_annotations(ask, make_ct, make_seg, encode):
    ct = make_ct(HU)
    other = make_seg(make_ct(HU), [(1, HU > 0)])
    for annotation, expected in (
        (encode(other), (422, "annotation")),
        (encode(ct), None),
        (b"", (400, "empty-input")),
    ):
        found = ask(query="", files={"image": encode(ct), "annotation": annotation})
        assert found == expected or (expected is None and found[0] in {415, 422})


def test_forms(ask, make_ct, encode):
    image = encode(make_ct(HU))
    assert ask(query="", files={"picture": image}) == (400, "unreadable-parameter")
    assert ask(query="", files=[("image", image)] * 2) == (422, "outline-missing")
    assert ask(query=BOX, files=[("image", image)] * 2) == (422, "series")
    assert ask(query=BOX, files={"mask": image}) == (400, "unreadable-parameter")
    assert ask(query=BOX, files={"image": image, "mask": image}) == (400, "unreadable-outline")
    assert ask(query=BOX, files={"image": ("x", image, "text/html")}) == (415, "unknown-format")
    assert ask(b"--x--", "multipart/form-data") == (400, "unreadable-parameter")
    assert ask(b"junk", "multipart/form-data; boundary=x") == (400, "unreadable-parameter")
    many = [(f"f{i}", b"x") for i in range(2000)]
    assert ask(query=BOX, files=many) == (400, "unreadable-parameter")


def test_a_volume_among_the_images_of_a_series(client, make_ct, encode):
    volume = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + bytes(500)
    files = [("image", encode(make_ct(HU))), ("image", volume)]
    detail = client.post(f"/classify?{BOX}", files=files).json()["detail"]
    assert detail.startswith("image: found NIfTI, a volume, expected one slice")


@pytest.mark.parametrize("charset", ["undefined", "punycode", "idna", "raw_unicode_escape"])
def test_forms_in_a_codec_that_no_client_uses(ask, charset):
    """Some of Python's codecs raise, and some take the square of what they read."""
    body = b'--x\r\nContent-Disposition: form-data; name="roi"\r\n\r\n%s\r\n--x--\r\n'
    media_type = f"multipart/form-data; boundary=x; charset={charset}"
    assert ask(body % (b"\\ud800-" + b"a" * 900_000), media_type) == (400, "unreadable-parameter")


def test_pixels_that_are_no_hounsfield_units(ask, npy):
    holes = HU.copy()
    holes[3, 3] = np.nan
    assert ask(npy(holes), NPY) == (422, "pixel-format")
    assert ask(npy(HU.astype(complex)), NPY) == (422, "pixel-format")
    assert ask(npy(HU[0]), NPY) == (422, "pixel-format")
    assert ask(png(HU.astype(np.uint8)), PNG)[0] in {400, 422}  # 8 bits without a window
    assert ask(png(np.zeros((9, 9, 3), np.uint8)), PNG) == (422, "pixel-format")
    pickled = BytesIO()
    np.save(pickled, np.array([[{}]], dtype=object), allow_pickle=True)
    assert ask(pickled.getvalue(), NPY)[0] in {400, 422}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "unknown-class"),
        ("class=hcc", "unknown-class"),
        ("class=cyst&format=zip&count=0", "count"),
        ("class=cyst&format=zip&count=-1", "count"),
        ("class=cyst&format=zip&count=1000000000", "count"),
        ("class=cyst&format=npz&count=ten", "count"),
        ("class=cyst&format=png&count=2", "count"),
        ("class=cyst&seed=text", "seed"),
        ("class=cyst&seed=-1", "seed"),
        ("class=cyst&seed=1e3", "seed"),
        ("class=cyst&seed=1_0", "seed"),
        ("class=cyst&seed=0x10", "seed"),
        ("class=cyst&seed=%201", "seed"),
        ("class=cyst&seed=٣", "seed"),
        ("class=cyst&seed=9223372036854775808", "seed"),
        ("class=cyst&start=-1", "start"),
        ("class=cyst&start=1_0", "start"),
        ("class=cyst&count=%2B1", "count"),
        ("class=cyst&start=9223372036854775808", "start"),
        ("class=cyst&format=dicom", "output-format"),
    ],
)
def test_synthesis_that_is_not_allowed(client, query, expected):
    answer = client.get(f"/synthesize?{query}")
    assert problem(answer) == (422, expected)
    assert "expected" in answer.json()["detail"]
    assert client.get("/synthesize?class=cyst&seed=1").status_code == 200


def test_synthesis_that_cannot_be_read(client):
    for query in ("class=cyst&sed=1", "class=cyst&class=metastasis"):
        assert problem(client.get(f"/synthesize?{query}")) == (400, "unreadable-parameter")


@pytest.mark.parametrize(
    "accept", ["text/html", "application/pdf", "application/json;q=0", "*/*;q=nan", ";"]
)
def test_an_accept_that_cannot_be_met(client, npy, accept):
    headers = {"Accept": accept, "Content-Type": NPY}
    for answer in (
        client.post("/classify", content=npy(HU), headers=headers),
        client.get("/synthesize?class=cyst", headers=headers),
        client.get("/models", headers=headers),
    ):
        assert problem(answer) == (406, "not-acceptable")


def test_an_accept_in_several_headers_is_one_list(client):
    headers = [("Accept", "text/html;q=0.9"), ("Accept", "application/*;q=0.1")]
    assert client.get("/models", headers=headers).status_code == 200


def test_no_such_route_or_method(client):
    assert problem(client.get("/nowhere")) == (404, "not-found")
    assert problem(client.post("/classify/")) == (404, "not-found")
    assert problem(client.get("/classify")) == (405, "method-not-allowed")
    answer = client.put("/synthesize")
    assert problem(answer) == (405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def deflate_bomb(make_ct, encode):
    start = encode(make_ct(HU), DeflatedExplicitVRLittleEndian)
    begin = 132 + 12 + int.from_bytes(start[140:144], "little")
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    zeros = b"".join(stream.compress(bytes(MB)) for _ in range(256))
    return start[:begin] + zeros + stream.flush(), DICOM


def jpeg_2000_bomb(make_ct, encode):
    image = make_ct(HU)
    encode(image)
    image.compress(JPEG2000Lossless)
    data = encode(image, JPEG2000Lossless)
    at = data.index(b"\xff\x4f\xff\x51") + 8
    size = struct.pack(">II", 30000, 30000)
    return data[:at] + size + data[at + 8 : at + 16] + size + data[at + 24 :], DICOM


def rle_bomb(make_ct, encode):
    image = make_ct(Rows=2048, Columns=2048, PixelData=encapsulate([bytes(64) + b"\x81\0" * MB]))
    image["PixelData"].is_undefined_length = True
    return encode(image, RLELossless), DICOM


def png_bomb(make_ct, encode):
    chunk = struct.pack(">IIBBBBB", 60000, 60000, 16, 0, 0, 0, 0)
    body = b"IHDR" + chunk
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + zlib.compress(bytes(10 * MB)), PNG


@pytest.mark.parametrize("bomb", [deflate_bomb, jpeg_2000_bomb, rle_bomb, png_bomb])
def test_bombs(server, http, make_ct, encode, bomb):
    """In a real server, whose memory is its own."""
    data, media_type = bomb(make_ct, encode)
    peak = peak_bytes(server)
    began = spent_seconds(server)
    answer = http.post(f"/classify?{BOX}", content=data, headers={"Content-Type": media_type})
    assert spent_seconds(server) - began < 1
    assert problem(answer) in {(413, "too-large"), (400, "unreadable-image")}
    assert peak_bytes(server) - peak < 200 * MB
    assert http.get("/synthesize?class=cyst&seed=1").status_code == 200


def tree(server):
    process = psutil.Process(server.process.pid)
    return [process, *process.children(recursive=True)]


def spent_seconds(server):
    """Return the processor time of the server: other work on the machine does not count."""
    return sum(sum(process.cpu_times()[:4]) for process in tree(server))


def peak_bytes(server):
    """Return the most memory that each process of the server ever held, summed."""
    status = [Path(f"/proc/{process.pid}/status").read_text() for process in tree(server)]
    return sum(int(text.split("VmHWM:")[1].split()[0]) * 1024 for text in status)
