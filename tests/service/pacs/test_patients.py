"""What a run says, in its log, its metrics and its problems, names no patient of the phantom."""

from pathlib import Path

import httpx
import pytest
from pydicom import dcmread

from .fake import RELATED, part, reply

EXAMPLES = Path(__file__).parents[3] / "examples"
SLICE, SEG = EXAMPLES / "slice.dcm", EXAMPLES / "seg.dcm"


@pytest.fixture
def words():
    """What no output may hold: of the patient, and the UIDs of the files."""
    found = [dcmread(path, stop_before_pixels=True) for path in (SLICE, SEG)]
    names = {str(one.PatientName) for one in found} | {one.PatientID for one in found}
    uids = {one[uid].value for one in found for uid in ("StudyInstanceUID", "SOPInstanceUID")}
    assert all(len(word) > 8 for word in names | uids)
    return names | uids


def test_all_output_of_a_run(start_server, fake, tmp_path, words):
    """Good requests and bad ones, by every way in, and what is stored."""
    configuration = tmp_path / "pacs.toml"
    configuration.write_text(f'[archive]\nurl = "{fake.url}"\nstore = true\nretries = 0\n')
    ct, seg = SLICE.read_bytes(), SEG.read_bytes()
    image, annotation = fake.keep(ct), fake.keep(seg)
    asked = {"pacs": "archive", **image, "store": "archive"}
    asked["annotation"] = {name: annotation[name] for name in ("series", "instance")}
    other = {"pacs": "archive", **image, "instance": "1.2.3", "roi": [9, 9, 20, 20]}
    with start_server(pacs=configuration) as server:
        url = server.url + "/classify"

        def form(query="", **files):
            return httpx.post(f"{url}?{query}", files=files, timeout=60)

        good = [form(image=ct, annotation=seg), form("store=archive", image=ct, annotation=seg)]
        good.append(httpx.post(url, json=asked, timeout=60))
        bad = [
            form(image=ct),
            form(image=ct[:-500], annotation=seg),
            form(image=ct, annotation=seg[:-500]),
            form(image=ct, annotation=ct),
            form(image=seg, annotation=seg),
            form("select=none", image=ct, annotation=seg),
            httpx.post(url, json=other, timeout=60),
        ]
        for day in (
            reply(200, part(ct), content_type=RELATED),  # another instance than was asked for
            reply(200, part(seg[:-500]), content_type=RELATED),
            reply(500, ct),
        ):
            fake.days = [day]
            bad.append(httpx.post(url, json=asked, timeout=60))
        metrics = httpx.get(server.url + "/metrics").text
    assert [answer.status_code for answer in good] == [200] * 3
    assert all(answer.status_code >= 400 for answer in bad)
    assert len(fake.stored) == 2
    said = [server.output.read_text(), metrics, *(answer.text for answer in bad)]
    assert said[0].count("/classify") >= len(good) + len(bad)
    for word in words:
        assert not [text for text in said if word.lower() in text.lower()]
