"""What becomes of an answer to /classify: JSON, or a report, sent to the caller or to a PACS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
from jaxtyping import Float
from starlette.datastructures import Headers
from starlette.responses import Response

from lesion.classes import Code
from lesion.errors import InputError
from lesion.image.frames import Decode
from service import negotiate
from service.answers import Classification, LesionAnswer, Problem, Stored, StoredObject
from service.pacs import related
from service.pacs.client import Client
from service.parse import Order
from service.prepare import PreparedLesions
from service.problems import PASSING, ReportError, details
from service.report.objects import Made, Seen
from service.runtime import Runtime, Scored

JSON, DICOM, RELATED = "application/json", related.DICOM, related.MEDIA_TYPE
OFFERED = (JSON, DICOM, RELATED)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a report is answered, the PACS that it is sent to, and whether pictures go with it."""

    media_type: str
    pacs: Client | None
    capture: bool


def plan(headers: Headers, runtime: Runtime, order: Order) -> Delivery | None:
    """Return how the answer is to be delivered; None where it is JSON alone.

    What cannot be, whatever the image holds, is refused here, before it is classified.
    """
    options, pacs = order.options, None
    media_type = negotiate.choose(headers, OFFERED)
    if options.store is not None:
        # JSON alone can say what became of it, so it is the answer to whoever takes a report.
        media_type = JSON
        pacs = runtime.pacs.client(options.store, to_store=True)
    elif options.capture:
        media_type = negotiate.choose(headers, (RELATED,))
    elif media_type == JSON:
        return None
    if order.image_format != "dicom":
        raise ReportError(
            f"report: found an image in {order.image_format.upper()}, expected DICOM, "
            "by whose UIDs a report refers to it; ask for JSON instead"
        )
    return Delivery(media_type, pacs, options.capture)


def seen(
    order: Order, answer: Classification, prepared: PreparedLesions, scored: list[Scored]
) -> list[Seen]:
    """Return what a report says of lesions beyond their answers."""
    files = (order.image, *order.series)
    return [
        Seen(
            files[lesion.image_index],
            lesion.outline,
            lesion.marked.tracking_uid if lesion.marked else "",
            _seen_label(said, score.saliency),
        )
        for lesion, score, said in zip(prepared.lesions, scored, answer.lesions, strict=True)
        if lesion.outline is not None
    ]


def _seen_label(
    said: LesionAnswer, saliency: Float[np.ndarray, "classes h w"] | None
) -> Float[np.ndarray, "h w"] | None:
    """Return where the answered class was seen."""
    return None if saliency is None else saliency[list(said.probabilities).index(said.label)]


async def deliver(
    runtime: Runtime, delivery: Delivery, answer: Classification, lesions: Sequence[Seen]
) -> Response:
    """Return the response, once a PACS has what it is to have."""
    codes = runtime.model.manifest.codes
    objects = await runtime.work(
        partial(make, answer, lesions, codes, decode=runtime.sandbox, capture=delivery.capture)
    )
    if delivery.pacs:
        stored = await _stored(delivery.pacs, objects)
        return json(answer.model_copy(update={"stored": stored}))
    if delivery.media_type == DICOM:
        return Response(objects[0].data, media_type=DICOM)
    body, content_type = related.encode(*(made.data for made in objects))
    return Response(body, headers={"Content-Type": content_type})


def json(answer: Classification) -> Response:
    """Return an answer as JSON."""
    return Response(answer.model_dump_json(), media_type=JSON)


def make(
    answer: Classification,
    lesions: Sequence[Seen],
    codes: Mapping[str, Code],
    *,
    decode: Decode,
    capture: bool,
) -> list[Made]:
    """Make the report of an answer and, with `capture`, a picture of each slice.

    `codes` are those of the classes.
    """
    # 20 MB and seconds of imports, which a service that is asked for no report does not pay.
    from service.report.make import pictures, report  # noqa: PLC0415

    made_at = datetime.now(UTC).astimezone()
    made = report(answer, lesions, codes, made_at=made_at)
    if not capture:
        return [made]
    return [made, *pictures(answer, lesions, made, made_at=made_at, decode=decode)]


async def _stored(pacs: Client, objects: list[Made]) -> Stored:
    """Send each object; a PACS that fails is named, and the answer stands.

    All objects share one deadline. Once the PACS is not reached, or refused the report, no picture
    is sent: each would cost an attempt, and would show what a missing report says.
    """
    told = []
    problem, over, until = None, False, pacs.deadline()
    for made in objects:
        if not over:
            problem = None
            try:
                await pacs.store(made.data, until=until)
            except InputError as error:
                problem = Problem.model_validate(details(error))
                over = made is objects[0] or isinstance(error, PASSING)
        told.append(
            StoredObject(
                kind=made.kind,
                sop_class=made.sop_class,
                study=made.study,
                series=made.series,
                instance=made.instance,
                problem=problem,
            )
        )
    return Stored(pacs=pacs.name, objects=told)
