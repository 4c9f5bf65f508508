"""A JSON body that names what to pull -> the bytes that a form would have brought.

    {"pacs": "archive", "study": UID, "series": UID, "instance": UID, "roi": [...]}

or, in place of `roi`, `"annotation": {"series": UID, "instance": UID}`. Other members are options,
as in a form.
"""

import json
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints, ValidationError
from starlette.requests import Request

from lesion.errors import InputError, TooLargeError, UnreadableParameterError
from service.limits import HOLD
from service.pacs.checks import Instance, check_identity
from service.runtime import Runtime

#: Of the body: outlines of a thousand points take a tenth.
MOST_BYTES = 512 * 1024

# Digits and dots alone, so that it can stand in a path; zeros may lead, as in files that exist.
Uid = Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9]+(\.[0-9]+)*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AnnotationReference(_Strict):
    """An annotation in the same study."""

    series: Uid
    instance: Uid


class Reference(_Strict):
    """What to pull, and from which of the PACS that the configuration names."""

    model_config = ConfigDict(extra="allow")

    pacs: str
    study: Uid
    series: Uid
    instance: Uid
    annotation: AnnotationReference | None = None

    def options(self) -> list[tuple[str, str]]:
        """Return all else as the names and texts that a form would hold; null is as absent."""
        extra: dict[str, JsonValue] = self.__pydantic_extra__ or {}
        return [
            (name, value if isinstance(value, str) else json.dumps(value))
            for name, value in extra.items()
            if value is not None
        ]


class Pulled(NamedTuple):
    """The files of a request by reference."""

    image: bytes
    annotation: bytes | None


async def read_reference(request: Request) -> Reference:
    """Read the body. Raise `UnreadableParameterError` that says which member is wrong."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLargeError(f"JSON: found {len(body)} bytes or more, expected {MOST_BYTES}")
    try:
        return Reference.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(["JSON", *map(str, first["loc"])])
        raise UnreadableParameterError(f"{where[:60]}: {first['msg']}") from None


async def pull(request: Request, wanted: Reference) -> Pulled:
    """Pull the instances, and see that they are those asked for."""
    annotation = None
    if wanted.annotation:
        asked = Instance(wanted.study, wanted.annotation.series, wanted.annotation.instance)
        annotation = await _pulled(request, "annotation", wanted.pacs, asked)
    asked = Instance(wanted.study, wanted.series, wanted.instance)
    return Pulled(await _pulled(request, "image", wanted.pacs, asked), annotation)


async def _pulled(request: Request, what: str, name: str, asked: Instance) -> bytes:
    """Pull one instance, whose bytes count as those of a body do; an error says what it was."""
    runtime: Runtime = request.app.state.runtime
    client = runtime.pacs.client(name)
    try:
        data = await client.retrieve(
            asked, most_bytes=runtime.settings.max_body_bytes, hold=request.scope[HOLD]
        )
        await runtime.work(check_identity, data, asked, name)
    except InputError as error:
        raise type(error)(f"{what}: {error}") from None
    return data
