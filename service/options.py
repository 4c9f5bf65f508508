"""The options of a classification: text -> numbers and outlines, or the error that says why not."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lesion.errors import TooLargeError, UnreadableOutlineError, UnreadableParameterError
from lesion.numerals import number, whole_number

OPTIONS = ("roi", "select", "frame", "saliency", "spacing_mm", "window", "store", "capture")

#: Of all polygons together. A hand-drawn outline has some hundred; to check it for crossings takes
#: their square.
MOST_POINTS = 1000


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Box(_Shape):
    """The lesion's tight bounding box in pixels.

    x to the right, y down, (0, 0) the outer corner of the first pixel.
    """

    type: Literal["box"]
    x0: float
    y0: float
    x1: float
    y1: float


class Polygon(_Shape):
    """The lesion's outline as (x, y) points in pixels."""

    type: Literal["polygon"]
    points: Annotated[list[tuple[float, float]], Field(min_length=1)]


Roi = Annotated[Box | Polygon, Field(discriminator="type")]
Outlines = Roi | Annotated[list[Roi], Field(min_length=1)]
_ROI: TypeAdapter[Box | Polygon] = TypeAdapter(Roi)
_ROIS: TypeAdapter[list[Box | Polygon]] = TypeAdapter(Annotated[list[Roi], Field(min_length=1)])


@dataclass(frozen=True, slots=True)
class Options:
    """What the query and the text parts of a form ask for."""

    rois: tuple[Box | Polygon, ...] = ()
    select: str | None = None
    frame: int | None = None
    saliency: bool = False
    spacing_mm: tuple[float, float] | None = None
    window: tuple[float, float] | None = None
    store: str | None = None
    capture: bool = False


def parse_options(items: Iterable[tuple[str, str]], *, max_lesions: int) -> Options:
    """Read name and value pairs.

    Each `roi` is an outline of its own; any other option may come twice with the same value. Raise
    `UnreadableParameterError` or `UnreadableOutlineError`; `TooLargeError` for more lesions or
    points than allowed.
    """
    given = list(items)
    rois: list[Box | Polygon] = []
    for text in (text for name, text in given if name == "roi" and text.strip()):
        rois += _rois(text)
        _check_size(rois, max_lesions)  # before the next is parsed
    texts = said_once((item for item in given if item[0] != "roi"), OPTIONS)
    return Options(
        tuple(rois),
        select=texts.get("select"),
        frame=_frame(texts["frame"]) if "frame" in texts else None,
        saliency=_flag("saliency", texts.get("saliency", "false")),
        spacing_mm=_spacing_mm(texts["spacing_mm"]) if "spacing_mm" in texts else None,
        window=_window(texts["window"]) if "window" in texts else None,
        store=texts.get("store"),
        capture=_flag("capture", texts.get("capture", "false")),
    )


def said_once(items: Iterable[tuple[str, str]], names: Collection[str]) -> dict[str, str]:
    """Return the parameters that hold more than blanks, by name.

    Forms and generated clients send a blank for what was not filled in, and may send a parameter in
    the query and in the form. Raise `UnreadableParameterError` for a name that is not one of
    `names`, and for two values of one name.
    """
    texts: dict[str, str] = {}
    for name, text in items:
        if name not in names:
            raise UnreadableParameterError(
                f"parameters: found {quoted(name)}, expected only {list(names)}"
            )
        if text.strip() and texts.setdefault(name, text) != text:
            raise UnreadableParameterError(f"{name}: found two that differ, expected one value")
    return texts


def quoted(text: str) -> str:
    """Quote the beginning of what a request says, for a message."""
    return repr(text[:60] + "..." * (len(text) > 60))


def _rois(text: str) -> list[Box | Polygon]:
    text = text.strip()
    try:
        if text.startswith("["):
            return _ROIS.validate_json(text)
        if text.startswith("{"):
            return [_ROI.validate_json(text)]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(["roi", *map(str, first["loc"])])
        raise UnreadableOutlineError(f"{where}: {first['msg']}") from error
    try:
        x0, y0, x1, y1 = map(number, text.split(","))
    except ValueError as error:
        raise UnreadableOutlineError(
            f"roi: found {quoted(text)}, expected x0,y0,x1,y1 in pixels, or JSON"
        ) from error
    return [Box(type="box", x0=x0, y0=y0, x1=x1, y1=y1)]


def _check_size(rois: list[Box | Polygon], max_lesions: int) -> None:
    if len(rois) > max_lesions:
        raise TooLargeError(f"roi: found {len(rois)} outlines, expected at most {max_lesions}")
    points = sum(len(roi.points) for roi in rois if isinstance(roi, Polygon))
    if points > MOST_POINTS:
        raise TooLargeError(
            f"roi: found polygons of {points} points, expected {MOST_POINTS} in all"
        )


def _frame(text: str) -> int:
    try:
        return whole_number(text)
    except ValueError as error:
        raise UnreadableParameterError(
            f"frame: found {quoted(text)}, expected a frame's number, the first one's 1"
        ) from error


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise UnreadableParameterError(f"{name}: found {quoted(text)}, expected true or false")
    return text == "true"


def _spacing_mm(text: str) -> tuple[float, float]:
    numbers = _numbers("spacing_mm", text, "one number of mm, or those between rows and columns")
    return numbers[0], numbers[-1]


def _window(text: str) -> tuple[float, float]:
    numbers = _numbers("window", text, "low,high in HU")
    if len(numbers) != 2:
        raise UnreadableParameterError(f"window: found {quoted(text)}, expected low,high in HU")
    return numbers[0], numbers[1]


def _numbers(name: str, text: str, expected: str) -> list[float]:
    """Read one or two finite numbers."""
    try:
        numbers = [number(part) for part in text.split(",", maxsplit=2)]
    except ValueError:
        numbers = []
    if len(numbers) not in {1, 2} or not all(map(isfinite, numbers)):
        raise UnreadableParameterError(f"{name}: found {quoted(text)}, expected {expected}")
    return numbers
