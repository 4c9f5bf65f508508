"""Regions of a measurement report -> contours on the slices that they are of.

In pixels of an image that is selected (SCOORD, PS3.3 C.18.6), or in mm of the patient (SCOORD3D,
PS3.3 C.18.9), which are of the only slice in whose plane they lie.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from lesion.annotation import contours
from lesion.annotation.effort import Effort
from lesion.annotation.slices import Planes, References, geometry
from lesion.ct import Place
from lesion.errors import (
    AnnotationError,
    OutlineNotFiniteError,
    TooLargeError,
    UnreadableOutlineError,
)

#: Bytes of coordinates of one region: 4,000 points in the patient.
MOST_GRAPHIC_BYTES = 48 * 1024

#: What encloses a region. A POLYLINE that ends elsewhere than it began is closed: it is a region's.
_POLYGONS = {("SCOORD", "POLYLINE"), ("SCOORD3D", "POLYGON"), ("SCOORD3D", "POLYLINE")}
_ROUND_GRAPHICS = {
    ("SCOORD", "CIRCLE"),
    ("SCOORD", "ELLIPSE"),
    ("SCOORD3D", "ELLIPSE"),
    # Web viewers write it: a centre and a point of the circle, as on an image.
    ("SCOORD3D", "CIRCLE"),
}
#: What encloses nothing, or no area.
_OPEN = {"POINT", "MULTIPOINT", "POLYLINE", "ELLIPSOID"}

#: Of the vertices of a polygon that stands for a circle or an ellipse: its extent is right to
#: 0.004 %.
_ANGLES = np.linspace(0, 2 * np.pi, 360, endpoint=False)

#: Sides of a pixel may differ by this much, and a circle of pixels still be one of the patient.
_SQUARE = 0.01

Points = Float[np.ndarray, "n k"]


class Slices(NamedTuple):
    """The slices sent, and the effort that is left to all groups together."""

    places: Sequence[Place]
    references: References
    planes: Planes
    effort: Effort


def kind_of(region: dict[str, Any]) -> tuple[str, str]:
    """Return the value type and the graphic type of an item."""
    return str(region["ValueType"]), str(region.get("GraphicType"))


def encloses(region: dict[str, Any], *, closed: bool) -> bool:
    """Tell whether a graphic encloses an area.

    A POLYLINE of 3 points or more does where it ends as it began, or is known to be `closed`.
    """
    kind = kind_of(region)
    if kind in _ROUND_GRAPHICS or kind == ("SCOORD3D", "POLYGON"):
        return True
    found = region.get("GraphicData")
    text = found if isinstance(found, bytes) else b""
    size = 8 if kind[0] == "SCOORD" else 12  # of one point
    if kind not in _POLYGONS or len(text) == 2 * size:
        return False
    return closed or (len(text) > 3 * size and text[:size] == text[-size:])


def name_open(region: dict[str, Any]) -> str:
    """Name a graphic that encloses nothing, in words of the standard alone."""
    graphic = kind_of(region)[1]
    return graphic if graphic in _OPEN else "a graphic that is not read"


def on_slice(region: dict[str, Any], slices: Slices) -> tuple[int, contours.Contour] | None:
    """Return the slice that a region is of, and its contour in pixels; None for another slice."""
    return (
        _in_patient(region, slices)
        if region["ValueType"] == "SCOORD3D"
        else _on_image(region, slices)
    )


def _on_image(region: dict[str, Any], slices: Slices) -> tuple[int, contours.Contour] | None:
    """Read an SCOORD (PS3.3, C.18.6): the slice that it selects, and its points in pixels."""
    images = [
        image
        for item in region.get("ContentSequence", [])
        if item.get("ValueType") == "IMAGE"
        for image in item.get("ReferencedSOPSequence", [])
    ]
    if not images:
        raise AnnotationError(
            "SR: found an SCOORD that selects no image itself, expected SELECTED FROM an IMAGE"
        )
    found = slices.references.slices(images)
    if not len(found):
        return None
    if len(found) > 1:
        raise AnnotationError(
            f"SR: found an SCOORD on {len(found)} of the slices sent, expected one: "
            "a Referenced Frame Number (0008,1160), or the request's frame"
        )
    index = int(found[0])
    return index, _closed(region, _graphic_data(region, 2), slices.places[index])


def _in_patient(region: dict[str, Any], slices: Slices) -> tuple[int, contours.Contour] | None:
    """Read an SCOORD3D: the only slice in whose plane it lies, and its points in pixels."""
    uid = str(region.get("ReferencedFrameOfReferenceUID") or "")
    points_mm = _graphic_data(region, 3)
    found = slices.planes.through(points_mm[0], uid, slices.effort)
    index = slices.planes.only(points_mm, found, slices.effort) if len(found) else None
    if index is None:
        return None
    place = slices.places[index]
    plane, spacing_mm = geometry(place)
    if kind_of(region)[1] == "CIRCLE" and len(points_mm) == 2:  # round in mm, whatever the pixels
        across = points_mm[1] - points_mm[0]
        up = np.cross(plane.normal, across)
        points_mm = points_mm[0] + np.array([-across, across, -up, up])
        region = {**region, "GraphicType": "ELLIPSE"}
    return index, _closed(region, plane.to_pixels(points_mm, spacing_mm), place)


def _closed(
    region: dict[str, Any], points: Float[np.ndarray, "n 2"], place: Place
) -> contours.Contour:
    """Return the polygon that a graphic encloses."""
    kind = kind_of(region)
    if kind in _POLYGONS:
        polygon = points[:-1] if len(points) > 1 and np.array_equal(*points[[0, -1]]) else points
        if len(polygon) >= 3:
            return polygon
    elif kind[1] == "CIRCLE" and len(points) == 2:
        _check_square(place)
        centre, across = points[0], points[1] - points[0]
        return _ellipse(centre, across, across[::-1] * [-1, 1])
    elif kind[1] == "ELLIPSE" and len(points) == 4:
        major, minor = points[:2], points[2:]
        return _ellipse(points.mean(axis=0), (major[1] - major[0]) / 2, (minor[1] - minor[0]) / 2)
    raise AnnotationError(
        f"SR: found a {kind[1]} of {len(points)} points, "
        "expected 3 or more of a polygon, 2 of a circle, 4 of an ellipse"
    )


def _ellipse(
    centre: Float[np.ndarray, "2"], one: Float[np.ndarray, "2"], other: Float[np.ndarray, "2"]
) -> contours.Contour:
    """Return points around an ellipse of two half-axes."""
    return np.asarray(centre + np.cos(_ANGLES)[:, None] * one + np.sin(_ANGLES)[:, None] * other)


def _check_square(place: Place) -> None:
    """Refuse a circle on pixels that are not square: it is one in pixels or in mm, not in both."""
    row_mm, col_mm = place.spacing_mm or (1.0, 1.0)
    if abs(row_mm - col_mm) > _SQUARE * min(row_mm, col_mm):
        raise AnnotationError(
            f"SR: found a CIRCLE on pixels of {row_mm:g} x {col_mm:g} mm, "
            "expected square pixels, or an ELLIPSE"
        )


def _graphic_data(region: dict[str, Any], dimensions: int) -> Points:
    """Read Graphic Data (0070,0022): 32-bit floats, little endian as all that is read here."""
    found = region.get("GraphicData")
    text = found if isinstance(found, bytes) else b""
    if len(text) > MOST_GRAPHIC_BYTES:
        raise TooLargeError(
            f"SR: Graphic Data (0070,0022): found {len(text)} bytes, "
            f"expected at most {MOST_GRAPHIC_BYTES}"
        )
    if not text or len(text) % (4 * dimensions):
        raise UnreadableOutlineError(
            f"SR: Graphic Data (0070,0022): found {len(text)} bytes, "
            f"expected {dimensions} numbers of 4 bytes for each point"
        )
    points = np.frombuffer(text, "<f4").reshape(-1, dimensions).astype(np.float64)
    if not np.isfinite(points).all():
        raise OutlineNotFiniteError(
            "SR: Graphic Data (0070,0022): found NaN or infinite coordinates, expected numbers"
        )
    return points
