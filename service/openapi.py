"""The OpenAPI 3.1 description of the service. Its schemas are those of the answers' own models."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from lesion import __version__
from lesion.classes import CLASSES
from service import problems
from service.answers import Alive, Classification, Models, Problem, Ready
from service.deliver import DICOM, RELATED
from service.options import MOST_POINTS, Outlines
from service.pacs.reference import Reference
from service.parse import IMAGE_TYPES
from service.settings import Settings
from service.synthesize import HEADERS, LARGEST, MEDIA_TYPES

Json = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_METRICS = {"description": "Metrics", "content": {"text/plain": {}}}
_MEANING = {
    400: "The request is not what it claims to be.",
    403: "A web page of another origin asks.",
    406: "Accept names nothing that can be answered.",
    408: "The body did not arrive in time.",
    413: "The body, the image or the number of lesions is larger than allowed.",
    415: "The format is not read here.",
    422: "Understood, but not usable; the detail says why.",
    502: "The PACS to pull from failed.",
    503: "Full, or not ready: come again after Retry-After seconds.",
    504: "The PACS to pull from did not answer in time.",
}
_FILE = {"type": "string", "format": "binary"}
_FLAG = {"type": "boolean", "default": False}
_TEXT = {"type": "string"}

#: Of a classification: what each means, and its schema.
_OPTIONS: dict[str, tuple[str, Json]] = {
    "select": ("segment, ROI or measurement group of the annotation, by number or name", _TEXT),
    "frame": ("of a multi-frame image, from 1", {"type": "integer", "minimum": 1}),
    "saliency": ("answer an activation map for each class", _FLAG),
    "spacing_mm": ("of a PNG or NPY: one number, or rows,columns", _TEXT),
    "window": ("of an 8-bit PNG: the HU of its 0 and of its 255, low,high", _TEXT),
    "store": ("PACS of the configuration that is sent the report", _TEXT),
    "capture": ("with a report, a picture of each slice (Secondary Capture)", _FLAG),
}

#: Groups of operations, by who calls them.
_TAGS = {
    "classify": "For PACS integrators: lesions in, the most similar class of each out.",
    "synthesize": "For dataset teams: synthetic lesions, as many as wanted.",
    "models": "For ML engineers: what is served, and what it is worth.",
    "operations": "For platform teams: probes and metrics.",
}


def describe(settings: Settings) -> Json:
    """Return the description of a server with these settings."""
    answers = (Alive, Classification, Models, Problem, Ready)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in answers], ref_template=_SCHEMAS + "{model}"
    )
    outlines = TypeAdapter(Outlines).json_schema(ref_template=_SCHEMAS + "{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hepatica",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Liver lesions on CT: which of three classes a real one is most similar "
            "to, and synthetic ones. Research only; not for diagnosis.",
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": {
            "/classify": {"post": _classify(settings)},
            "/synthesize": {"get": _synthesize(settings)},
            "/models": _get("models", "The bundle that is served", _json("Models"), 406, 503),
            "/livez": _get("livez", "Is the process alive?", _json("Alive")),
            "/readyz": _get("readyz", "Is the bundle loaded and tested?", _json("Ready"), 503),
            "/metrics": _get("metrics", "Metrics for Prometheus", _METRICS),
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
        "description": "An image, and where its lesions are: one or several `roi`, a `mask` (each "
        "connected region is a lesion) or an `annotation`. A PNG or NPY without any is taken as "
        "the square around one lesion. PNG: 16 bits, HU = value - 1024, or 8 bits with `window`. "
        "Or JSON that names what to pull from a PACS of the configuration. "
        f"At most {settings.max_body_bytes} bytes, {settings.max_lesions} lesions and "
        f"{MOST_POINTS} points of polygons. Options stand in the query, in the form or in the "
        "JSON. Of DICOM with its UIDs a report can be had, by Accept: a Comprehensive 3D SR "
        "(TID 1500), for research only.",
        "parameters": [
            _query("roi", "x0,y0,x1,y1 in pixels, or JSON as in the form; repeatable"),
            *(_query(name, text, schema) for name, (text, schema) in _OPTIONS.items()),
        ],
        "requestBody": {"required": True, "content": _bodies()},
        "responses": _responses(_reported(), 400, 403, 406, 408, 413, 415, 422, 502, 503, 504),
    }


def _bodies() -> Json:
    """Return the ways to send an image and its outlines."""
    roi = {"roi": {"$ref": _SCHEMAS + "Outlines"}}
    options = {name: schema for name, (_, schema) in _OPTIONS.items()}
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {
            "image": {
                **_FILE,
                "description": "DICOM CT; or PNG or NPY of HU. Beside an annotation it may come "
                "several times: the images of one series",
            },
            "mask": {**_FILE, "description": "PNG or NPY of the image's size; not zero is lesion"},
            "annotation": {**_FILE, "description": "DICOM SEG, RTSTRUCT or SR of the images"},
            **roi,
            **options,
        },
    }
    reference = Reference.model_json_schema(ref_template=_SCHEMAS + "{model}")
    reference["properties"] |= {"annotation": reference.pop("$defs")["AnnotationReference"]}
    reference["properties"] |= roi | options
    return {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": {**reference, "additionalProperties": False}},
        **{media_type: {"schema": _FILE} for media_type in IMAGE_TYPES},
    }


def _reported() -> Json:
    answer = _json("Classification")
    answer["description"] = (
        "What was found: JSON; or its report, a DICOM SR; or, as multipart/related of "
        'type="application/dicom", the report and, with `capture`, a picture of each slice. With '
        "`store` it is JSON that says what the PACS took."
    )
    answer["content"] |= {DICOM: {"schema": _FILE}, RELATED: {"schema": _FILE}}
    return answer


def _synthesize(settings: Settings) -> Json:
    whole = {"type": "integer", "minimum": 0, "maximum": LARGEST}
    count = {"type": "integer", "minimum": 1, "maximum": settings.max_images, "default": 1}
    answer = {
        "description": "PNG: one image, 16 bits, HU = value - 1024 (black until it is windowed). "
        "ZIP: PNGs and manifest.json. NPZ: patch_hu, int16 [count, 64, 64] in HU, and "
        "manifest.json.",
        "headers": {
            name: {"schema": {"type": "string"}, "description": text}
            for name, text in HEADERS.items()
        },
        "content": {media_type: {"schema": _FILE} for media_type in MEDIA_TYPES.values()},
    }
    return {
        "operationId": "synthesize",
        "tags": ["synthesize"],
        "summary": "Make synthetic lesions of one class",
        "description": "Image i of (bundle digest, class, seed) is always the same image, so a "
        "long download resumes at `start`.",
        "parameters": [
            _query(
                "class", "which lesion", {"type": "string", "enum": list(CLASSES)}, required=True
            ),
            _query("count", "how many images; a PNG holds one", count),
            _query("seed", "drawn, and named in the answer, where absent", whole),
            _query("start", "index of the first image", {**whole, "default": 0}),
            _query("format", "of the answer", {"enum": list(MEDIA_TYPES), "default": "png"}),
        ],
        "responses": _responses(answer, 400, 406, 422, 503),
    }


def _get(name: str, summary: str, answer: Json, *refusals: int) -> Json:
    operation = {
        "operationId": name,
        "tags": [name if name in _TAGS else "operations"],
        "summary": summary,
        "responses": _responses(answer, *refusals),
    }
    return {"get": operation}


def _query(name: str, text: str, schema: Json | None = None, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": text,
        "required": required,
        "schema": schema or {"type": "string"},
    }


def _json(model: str) -> Json:
    schema = {"$ref": _SCHEMAS + model}
    return {"description": model, "content": {"application/json": {"schema": schema}}}


def _responses(answer: Json, *refusals: int) -> Json:
    schema = {"$ref": _SCHEMAS + "Problem"}
    problem = {problems.MEDIA_TYPE: {"schema": schema}}
    return {"200": answer} | {
        str(status): {"description": _MEANING[status], "content": problem} for status in refusals
    }
