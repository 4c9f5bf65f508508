"""STOW-RS: what is stored, what a PACS says of it, and what that means. TLS."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pacs import related
from service.pacs.checks import refusal
from service.pacs.client import Client
from service.pacs.config import load
from service.problems import (
    PacsAnswerError,
    PacsBusyError,
    PacsConnectionError,
    PacsRedirectError,
    PacsStoreError,
)

from .fake import reply

JSON = "application/dicom+json"
FILE = b"II*\0" + bytes(124) + b"DICM" + b"body"


@pytest.fixture
def store(configure, fake):
    """Store one file at the fake PACS."""

    def run(data=FILE, *lines):
        async def go():
            client = Client("archive", load(configure(fake.url, *lines))["archive"])
            try:
                await client.store(data)
            finally:
                await client.close()

        asyncio.run(go())

    return run


def test_a_file_is_stored_with_an_empty_preamble(store, fake):
    store()
    (body,) = fake.stored
    method, path, headers = fake.seen[0]
    assert (method, path) == ("POST", "/dicom-web/studies")
    part = related.OnePart(headers["Content-Type"])
    part.feed(body)
    assert part.object() == bytes(128) + b"DICMbody"
    assert headers["Accept"] == JSON


def failed(code):
    return json.dumps({"00081198": {"Value": [{"00081197": {"Value": [code]}}]}}).encode()


STORED = json.dumps({"00081199": {"vr": "SQ", "Value": [{}]}}).encode()


@pytest.mark.parametrize(
    ("status", "said", "meant"),
    [
        (200, b"", None),
        (200, b"{}", None),
        (200, STORED, None),
        (202, STORED, None),
        (202, b"", "nothing that can be read"),
        (202, b"{}", "status 202"),
        (200, b"<html>", "nothing that can be read"),
        (409, failed(0x0111), None),  # the very report, stored before
        (200, failed(0x0110), "0110H processing failure"),
        (409, failed(0x0122), "0122H SOP class not supported"),
        (409, failed(0xA700), "A700H out of resources"),
        (409, failed("x"), "no failure reason"),
        (409, b"", "status 409"),
        (400, b"[]", "status 400"),
        (409, b"[" * 100_000, "status 409"),
    ],
)
def test_what_an_answer_means(status, said, meant):
    found = refusal(status, said)
    assert found is None if meant is None else meant in found


def test_the_refusal_is_told_and_is_not_asked_for_twice(store, fake):
    fake.days = [reply(409, failed(0x0124), content_type=JSON)]
    with pytest.raises(PacsStoreError, match=r"^PACS archive: found status 409.*not authorized"):
        store()
    assert len(fake.seen) == 1


@pytest.mark.parametrize(
    ("status", "kind", "attempts"),
    [(503, PacsBusyError, 3), (500, PacsAnswerError, 1), (302, PacsRedirectError, 1)],
)
def test_other_failures(store, fake, status, kind, attempts):
    location = {"location": "/elsewhere"} if status == 302 else {}
    fake.days = [reply(status, **location)] * 3
    with pytest.raises(kind):
        store()
    assert len(fake.seen) == attempts


def test_a_broken_attempt_is_made_again(store, fake):
    def broken(handler):
        handler.close_connection = True

    fake.days = [broken]
    store()
    assert len(fake.stored) == 1


def test_what_is_no_part_10_file(store):
    with pytest.raises(ValueError, match="Part 10"):
        store(b"report")


def test_who_is_not_trusted_gets_nothing(configure, fake):
    """An https URL at a server without TLS: nothing is sent in the clear."""
    url = fake.url.replace("http:", "https:")

    async def go():
        client = Client("archive", load(configure(url, "retries = 0"))["archive"])
        with pytest.raises(PacsConnectionError):
            await client.store(FILE)
        await client.close()

    asyncio.run(go())
    assert not fake.seen


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(1, 40), max_size=20))
def test_one_part_survives_any_way_it_is_cut(data, cuts):
    body, content_type = related.encode(data)
    part = related.OnePart(content_type)
    for size in cuts:
        part.feed(body[:size])
        body = body[size:]
    part.feed(body)
    assert part.object() == data
