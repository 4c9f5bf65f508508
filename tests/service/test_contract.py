"""The description is a contract: schemathesis holds generated requests and their answers to it.

Requests that the schema allows and requests that it forbids, the same ones on every run. Of
schemathesis's checks these are left out: those of authentication, of resources and their order, for
there is neither; and that all that is allowed is answered 2xx, for no schema tells a CT image from
other bytes. In its place stands that it is never refused as malformed.
"""

import re
from io import BytesIO
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import schemathesis
from hypothesis import settings
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.form import FILES
from service.openapi import describe
from service.settings import Settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


schemathesis.serializer.alias(["application/dicom", "application/x-npy"], "image/png")


def described(*modes):
    schema = schemathesis.openapi.from_dict(
        describe(Settings(max_images=100), ("cyst", "metastasis", "hemangioma"))
    )
    schema.config.generation.update(deterministic=True, modes=list(modes))
    # Neither learns from answers: one run asks what another did.
    schema.config.phases.fuzzing.error_feedback.is_enabled = False
    schema.config.phases.fuzzing.extra_data_sources.responses = False
    return schema


DESCRIBED = described(*GenerationMode)
ALLOWED = described(GenerationMode.POSITIVE)


def test_it_is_the_description_that_is_served(client):
    assert client.get("/openapi.json").json() == DESCRIBED.raw_schema


def forbidden_is_refused(context, response, case):
    """Hold the answer to what was sent: of an empty list or object nothing is, which is allowed."""
    sent = dict(parse_qsl(urlsplit(response.request.url).query))
    if all(sent.get(name, "").strip() for name in case.query):
        negative_data_rejection(context, response, case)


@DESCRIBED.parametrize()
@settings(max_examples=50)
def test_every_answer_is_one_of_those_described(client, case):
    case.call_and_validate(base_url=str(client.base_url), checks=[*CHECKS, forbidden_is_refused])


@ALLOWED.include(path=["/classify", "/synthesize"]).parametrize()
@settings(max_examples=100)
def test_what_is_allowed_is_read_whether_or_not_it_can_be_used(client, case, png):
    """Random bytes are no image: with a real one, requests get as far as the network."""
    if case.media_type == "multipart/form-data":
        options = {name: case.body[name] for name in case.body if name not in FILES}
        case.body = {**options, "image": png}
    elif case.method == "POST" and case.media_type != "application/json":
        case.media_type, case.body = "image/png", png
    answer = case.call(base_url=str(client.base_url))
    case.validate_response(answer, checks=CHECKS)
    if answer.status_code == 400 or (case.path == "/synthesize" and answer.status_code != 200):
        assert NO_SCHEMA_SAYS.search(answer.json()["detail"]), answer.json()


#: Two values of one option, an outline in more than one way, an option of another kind of image,
#: and several images as a PNG.
NO_SCHEMA_SAYS = re.compile(
    "expected one value|expected one of them|found one, expected|a PNG holds one image"
)


@pytest.fixture(scope="module")
def png():
    file = BytesIO()
    Image.fromarray(np.full((96, 128), 1084, np.uint16)).save(file, "PNG")
    return file.getvalue()
