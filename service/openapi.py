"""The OpenAPI 3.1 description of the service. Its schemas are those of the answers' own models."""

from collections.abc import Sequence

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from lesion import __version__
from service import problems
from service.answers import Alive, Classification, Models, Problem, Ready
from service.deliver import DICOM, RELATED
from service.examples import EXAMPLES
from service.openapi_request import FILE, SCHEMAS, TEXT, Json, bodies, parameters, query
from service.options import MOST_POINTS, Outlines
from service.settings import Settings
from service.synthesize import HEADERS, MEDIA_TYPES, WHOLE

_MEANING = {
    400: "The request is not what it claims to be.",
    403: "A web page of another origin sent the request.",
    406: "Accept names nothing that can be answered.",
    408: "The body did not arrive in time.",
    413: "The body, the image or the number of lesions is larger than allowed.",
    415: "The format is not read here.",
    422: "Understood, but not usable; the detail says why.",
    500: "A fault of the service, which its log describes.",
    502: "The PACS to pull from failed.",
    503: "The service is full or not ready: try again after Retry-After seconds.",
    504: "The PACS to pull from did not answer in time.",
}
#: What any request can be answered, before anybody looks at what it asks for; and a probe.
_ANY = (413, 500, 503)
_ANY_PROBE = (500,)

_WHOLE = {"type": "integer", "minimum": WHOLE[0], "maximum": WHOLE[-1]}

#: Groups of operations, by who calls them.
_TAGS = {
    "classify": "For PACS integrators: name the most similar class of each lesion.",
    "synthesize": "For dataset teams: make synthetic lesions.",
    "models": "For ML engineers: the bundle that is served, and how it was evaluated.",
    "operations": "For platform teams: probes and metrics.",
}

_CLASSIFY = """\
Send an image, and where its lesions are: one or several `roi`, a `mask` (each connected region is a
lesion) or an `annotation`. A PNG or NPY without any of these is taken as the square around one
lesion. A PNG has 16 bits (HU = value - 1024), or 8 bits with `window`. Or send JSON that names what
to pull from a PACS that the service is configured with. At most {max_body_bytes} bytes,
{max_lesions} lesions and {most_points} points of polygons are allowed.

Give options in the query, or as parts of the form or members of the JSON. An empty option counts as
absent. For DICOM with UIDs, `Accept: application/dicom` asks for a report, a Comprehensive 3D SR
(TID 1500), for research only.

```bash
# By annotation, as JSON and as a report; and by box
curl -fsS http://127.0.0.1:3000/classify \\
  -F image=@examples/slice.dcm -F annotation=@examples/seg.dcm
curl -fsS http://127.0.0.1:3000/classify -H 'Accept: application/dicom' \\
  -F image=@examples/slice.dcm -F annotation=@examples/seg.dcm -o report.dcm
curl -fsS "http://127.0.0.1:3000/classify?roi=216,268,241,293" \\
  -H 'Content-Type: application/dicom' --data-binary @examples/slice.dcm
```
"""
_SYNTHESIZE = """\
Image i of (generator digest, class, seed) is always the same image, so a long download resumes at
`start`.

```bash
curl -fsS "http://127.0.0.1:3000/synthesize?class={name}&seed=7" -o {name}.png
curl -fsS "http://127.0.0.1:3000/synthesize?class={name}&seed=7&count=64&format=npz" -o {name}.npz
```
"""
_GET = """\
```bash
curl -fsS http://127.0.0.1:3000/{name}
```
"""


def describe(settings: Settings, class_names: Sequence[str]) -> Json:
    """Return the description of a server with these settings, and a bundle of these classes."""
    answers = (Alive, Classification, Models, Problem, Ready)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in answers], ref_template=SCHEMAS + "{model}"
    )
    outlines = TypeAdapter(Outlines).json_schema(ref_template=SCHEMAS + "{model}")
    metrics = {
        "description": "Metrics",
        "content": {"text/plain": {"example": EXAMPLES["metrics"]}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hepatica",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Names the most similar of the bundle's classes for a liver lesion on "
            "CT, and makes synthetic lesions. Research only; not for diagnosis.",
        },
        "servers": [{"url": ".", "description": "where this description came from"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": {
            "/classify": {"post": _classify(settings)},
            "/synthesize": {"get": _synthesize(settings, class_names)},
            "/models": _get("models", "The bundle that is served", _json("Models"), 406, *_ANY),
            "/livez": _get("livez", "Is the process alive?", _json("Alive"), *_ANY_PROBE),
            "/readyz": _get(
                "readyz", "Is the bundle loaded and tested?", _json("Ready"), 503, *_ANY_PROBE
            ),
            "/metrics": _get("metrics", "Metrics for Prometheus", metrics, *_ANY_PROBE),
        },
        "components": {
            "schemas": {**schemas["$defs"], **outlines.pop("$defs"), "Outlines": outlines}
        },
    }


def _classify(settings: Settings) -> Json:
    return {
        "operationId": "classify",
        "tags": ["classify"],
        "summary": "Name the most similar class of each outlined lesion",
        "description": _CLASSIFY.format(
            max_body_bytes=settings.max_body_bytes,
            max_lesions=settings.max_lesions,
            most_points=MOST_POINTS,
        ),
        "parameters": parameters(),
        "requestBody": {"required": True, "content": bodies()},
        "responses": _responses(_reported(), 400, 403, 406, 408, 415, 422, 502, 504, *_ANY),
    }


def _reported() -> Json:
    answer = _json("Classification")
    answer["description"] = (
        "The classification as JSON; or as a report, a DICOM SR; or, as multipart/related of "
        'type="application/dicom", the report and, with `capture`, a picture of each slice. With '
        "`store`, always JSON, which says what the PACS stored and what it refused."
    )
    answer["content"] |= {DICOM: {"schema": FILE}, RELATED: {"schema": FILE}}
    return answer


def _synthesize(settings: Settings, class_names: Sequence[str]) -> Json:
    count = {"type": "integer", "minimum": 1, "maximum": settings.max_images, "default": 1}
    answer = {
        "description": "PNG: one image, 16 bits, HU = value - 1024 (black until it is windowed). "
        "ZIP: PNGs and manifest.json. NPZ: patch_hu, int16 [count, 64, 64] in HU, and "
        "manifest.json.",
        "headers": {
            name: {"schema": TEXT, "description": text, "example": EXAMPLES["synthesize"][name]}
            for name, text in HEADERS.items()
        },
        "content": {media_type: {"schema": FILE} for media_type in MEDIA_TYPES.values()},
    }
    return {
        "operationId": "synthesize",
        "tags": ["synthesize"],
        "summary": "Make synthetic lesions of one class",
        "description": _SYNTHESIZE.format(name=class_names[0]),
        "parameters": [
            query(
                "class",
                "Class of the lesions",
                {"type": "string", "enum": list(class_names)},
                required=True,
            ),
            query("count", "How many images; a PNG holds one", count),
            query(
                "seed",
                "Seed of the images; without one the service draws it, and names it in the answer",
                _WHOLE,
            ),
            query("start", "Index of the first image", {**_WHOLE, "default": 0}),
            query(
                "format",
                "Format of the answer",
                {"type": "string", "enum": list(MEDIA_TYPES), "default": "png"},
            ),
        ],
        "responses": _responses(answer, 400, 406, 422, *_ANY),
    }


def _get(name: str, summary: str, answer: Json, *refusals: int) -> Json:
    operation = {
        "operationId": name,
        "tags": [name if name in _TAGS else "operations"],
        "summary": summary,
        "description": _GET.format(name=name),
        "responses": _responses(answer, *refusals),
    }
    return {"get": operation}


def _json(model: str) -> Json:
    content = {"schema": {"$ref": SCHEMAS + model}, "example": EXAMPLES[model]}
    return {"description": model, "content": {"application/json": content}}


def _responses(answer: Json, *refusals: int) -> Json:
    return {"200": answer} | {str(status): _refusal(str(status)) for status in sorted(refusals)}


def _refusal(status: str) -> Json:
    content = {"schema": {"$ref": SCHEMAS + "Problem"}, "example": EXAMPLES[status]}
    answer: Json = {
        "description": _MEANING[int(status)],
        "content": {problems.MEDIA_TYPE: content},
    }
    if status == "503":
        seconds = {"schema": {"type": "string"}, "description": "seconds to wait", "example": "1"}
        answer["headers"] = {"Retry-After": seconds}
    return answer
