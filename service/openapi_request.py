"""The query and the bodies of /classify, for the OpenAPI description.

A request that the schemas allow is not refused as malformed, except where no schema can say it: two
values of one option, an outline in more than one way, options that do not go with the image, and
files that are not what they claim to be.
"""

from typing import Any

from service.pacs.reference import Reference
from service.parse import IMAGE_TYPES

Json = dict[str, Any]

SCHEMAS = "#/components/schemas/"
FILE = {"type": "string", "format": "binary"}
_FLAG = {"type": "boolean", "default": False}
TEXT = {"type": "string"}
#: Numbers as anybody writes them; more ways to write one are read.
_LENGTH = r"[0-9]{1,4}(\.[0-9]{1,6})?"
_SIGNED = r"-?[0-9]{1,6}(\.[0-9]{1,6})?"
_BOX = {
    "type": "string",
    "pattern": f"^{_SIGNED}(,{_SIGNED}){{3}}$",
    "examples": ["216,268,241,293"],
}

#: Of a classification: what each means, and its schema.
_OPTIONS: dict[str, tuple[str, Json]] = {
    "select": ("Which segment, ROI or measurement group of the annotation: number or name", TEXT),
    "frame": (
        "Which frame of a multi-frame image, counted from 1",
        {"type": "integer", "minimum": 1, "maximum": 999_999},
    ),
    "saliency": ("Whether to answer an activation map for each class", _FLAG),
    "spacing_mm": (
        "Pixel spacing of a PNG or NPY in mm: one number, or between rows,between columns",
        {"type": "string", "pattern": f"^{_LENGTH}(,{_LENGTH})?$"},
    ),
    "window": (
        "Window of an 8-bit PNG as low,high: the HU of value 0 and of value 255",
        {"type": "string", "pattern": f"^{_SIGNED},{_SIGNED}$"},
    ),
    "store": ("Name of a PACS that the service is configured with, and sends the report to", TEXT),
    "capture": (
        "Whether a picture of each slice (Secondary Capture) goes with a report; needs `store`, or "
        "Accept: multipart/related",
        _FLAG,
    ),
}

_BY_REFERENCE = {
    "pacs": "archive",
    "study": "1.2.3",
    "series": "1.2.3.4",
    "instance": "1.2.3.4.5",
    "annotation": {"series": "1.2.3.6", "instance": "1.2.3.6.1"},
}


def parameters() -> list[Json]:
    """Return the options as parameters of the query."""
    roi = query(
        "roi",
        "Box around a lesion as x0,y0,x1,y1 in pixels: 216,268,241,293. Repeat it for further "
        "lesions. Polygons go into the form, or into JSON",
        {"type": "array", "items": _BOX},
    )
    return [roi, *(query(name, text, schema) for name, (text, schema) in _OPTIONS.items())]


def bodies() -> Json:
    """Return the ways to send an image and its outlines."""
    roi = {"roi": {"$ref": SCHEMAS + "Outlines"}}
    options = {name: schema for name, (_, schema) in _OPTIONS.items()}
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {
            "image": {
                **FILE,
                "description": "DICOM CT; or PNG or NPY of HU. With an annotation, send it several "
                "times for the images of one series",
            },
            "annotation": {**FILE, "description": "DICOM SEG, RTSTRUCT or SR of the images"},
            "mask": {
                **FILE,
                "description": "PNG or NPY of the image's size; a pixel that is not 0 is lesion",
            },
        },
        # The same that the query holds: a page that draws a form does not ask for them twice.
        "patternProperties": {f"^{name}$": schema for name, schema in (roi | options).items()},
        "additionalProperties": False,
    }
    reference = Reference.model_json_schema(ref_template=SCHEMAS + "{model}")
    reference["properties"] |= {"annotation": reference.pop("$defs")["AnnotationReference"]}
    reference["properties"] |= roi | options
    reference["additionalProperties"] = False
    return {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": reference, "example": _BY_REFERENCE},
        **{media_type: {"schema": FILE} for media_type in IMAGE_TYPES},
    }


def query(name: str, text: str, schema: Json, *, required: bool = False) -> Json:
    """Return a parameter of the query. An empty one counts as absent."""
    return {
        "name": name,
        "in": "query",
        "description": text,
        "required": required,
        "allowEmptyValue": not required,
        "schema": schema,
    }
