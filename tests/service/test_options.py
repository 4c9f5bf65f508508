"""What forms and generated clients send besides: blanks, and the same thing twice."""

import numpy as np
import pytest

from lesion.errors import UnreadableParameterError
from service.options import OPTIONS, Options, parse_options

BLANKS = [(name, blank) for name in OPTIONS for blank in ("", " ")]
HU = np.full((96, 128), 60.0)


def parse(*items):
    return parse_options(items, max_lesions=4)


def test_a_blank_counts_as_absent():
    assert parse(*BLANKS) == parse() == Options()
    asked = [("saliency", "true"), ("window", "0,1"), ("select", "2"), ("roi", "1,2,3,4")]
    assert parse(*BLANKS, *asked) == parse(*asked, *BLANKS) == parse(*asked)


def test_the_same_twice_counts_as_once_and_another_value_is_refused():
    assert parse(("saliency", "true"), ("saliency", "true")) == Options(saliency=True)
    with pytest.raises(
        UnreadableParameterError, match="saliency: found two that differ, expected one"
    ):
        parse(("saliency", "true"), ("saliency", "false"))


def test_each_roi_is_a_lesion_of_its_own():
    assert len(parse(("roi", "1,2,3,4"), ("roi", "1,2,3,4")).rois) == 2


def test_a_name_that_is_not_known_is_refused_even_where_it_is_blank():
    with pytest.raises(UnreadableParameterError, match="found 'salency'"):
        parse(("salency", ""))


def test_a_form_as_a_page_sends_it_is_classified(client, make_ct, encode):
    """Every option in the query and in the form, blanks among them; no file for mask and SEG."""
    flags = {"saliency": "false", "capture": "false"}
    blanks = dict.fromkeys(("select", "frame", "spacing_mm", "window", "store"), "")
    image = encode(make_ct(HU))
    asked = {"params": {"roi": "20,20,60,60", **flags}}
    plain = client.post("/classify", **asked, files={"image": image}).json()
    assert plain["lesions"]
    texts = {"roi": "", **flags, **blanks}
    for missing in ("", '; filename=""'):  # as Swagger UI and as a form of HTML say it
        parts = [
            ('image"; filename="slice.dcm"', image),
            *((f'{name}"', text.encode()) for name, text in texts.items()),
            *((f'{name}"{missing}', b"") for name in ("mask", "annotation")),
        ]
        answer = client.post("/classify", **asked, content=form(parts), headers=FORM)
        assert answer.json() == plain


FORM = {"Content-Type": "multipart/form-data; boundary=limit"}


def form(parts):
    head = b'--limit\r\nContent-Disposition: form-data; name="'
    body = b"".join(head + name.encode() + b"\r\n\r\n" + data + b"\r\n" for name, data in parts)
    return body + b"--limit--\r\n"


def test_a_query_of_blanks_makes_a_synthetic_lesion(client):
    blanks = "&seed=&start=&count=&format="
    assert client.get(f"/synthesize?class=cyst&class=cyst{blanks}").status_code == 200
