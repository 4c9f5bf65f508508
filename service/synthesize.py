"""GET /synthesize: synthetic lesions of one class, as one PNG or as an archive of any length."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, closing
from typing import Final

import numpy as np
from jaxtyping import Int16
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from lesion.numerals import whole_number
from service import negotiate
from service.noise import TILE, tile_noise
from service.options import quoted, said_once
from service.pack import Npz, Series, ZipOfPngs, png
from service.problems import (
    BusyError,
    CountError,
    OutputFormatError,
    ParameterError,
    SeedError,
    StartError,
    UnknownClassError,
)
from service.runtime import Model, Noise, Runtime

PARAMETERS = ("class", "count", "seed", "start", "format")
ARCHIVES: Final[Mapping[str, type[ZipOfPngs | Npz]]] = {"zip": ZipOfPngs, "npz": Npz}
MEDIA_TYPES = {"png": "image/png"} | {name: kind.media_type for name, kind in ARCHIVES.items()}

#: What an answer says of itself, and what that means.
HEADERS: Final = {
    "Hepatica-Synthetic": "true",
    "Hepatica-Bundle-Digest": "sha256 of the bundle's manifest",
    "Hepatica-Generator-Digest": "sha256 of the generator's file, on which the images depend",
    "Hepatica-Class": "class of the images",
    "Hepatica-Seed": "seed of the images",
    "Hepatica-Range": "indices of the first and the last image",
}

#: Seeds, and where a series may start.
WHOLE: Final = range(2**63)
#: A drawn seed survives JavaScript, whose whole numbers end at 2^53.
_DRAWN_SEEDS: Final = 2**53

_LOWEST_HU, _HIGHEST_HU = -1024, 3071  # of a CT image with 12 bits


async def synthesize(request: Request) -> Response:
    """Answer one request."""
    runtime: Runtime = request.app.state.runtime
    model = runtime.model
    series, output = _read(request, model, runtime.settings.max_images)
    negotiate.check(request.headers, MEDIA_TYPES[output])
    headers = _headers(series, output)
    if request.method == "HEAD":
        return Response(headers=headers, media_type=MEDIA_TYPES[output])
    async for _ in request.stream():
        pass  # a fault of a body, though it is of no use, must not come up amid the answer
    if runtime.downloads.locked():
        raise BusyError(
            f"downloads: found {runtime.settings.max_downloads} running, expected fewer"
        )
    await runtime.downloads.acquire()
    if output != "png":
        body = _archive(runtime, model, series, output)
        return _Download(body, runtime.downloads, headers, MEDIA_TYPES[output])
    try:
        image = await _image(runtime, model, series)
    finally:
        runtime.downloads.release()
    return Response(image, headers=headers, media_type=MEDIA_TYPES[output])


class _Download(StreamingResponse):
    """A long answer that gives its place back, however it ends."""

    def __init__(
        self,
        body: AsyncGenerator[bytes, None],
        places: asyncio.Semaphore,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(body, headers=headers, media_type=media_type)
        self._body = body
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._body):
                await super().__call__(scope, receive, send)
        finally:
            self._places.release()


async def _image(runtime: Runtime, model: Model, series: Series) -> bytes:
    (images_hu,) = [tile async for tile in tiles(model, series)]
    runtime.metrics.images.labels(series.lesion_class, "png").inc()
    return await runtime.work(png, images_hu[0], series, series.start)


async def _archive(
    runtime: Runtime, model: Model, series: Series, output: str
) -> AsyncGenerator[bytes, None]:
    made = runtime.metrics.images.labels(series.lesion_class, output)
    async with aclosing(tiles(model, series)) as images:
        with closing(ARCHIVES[output](series)) as archive:
            async for images_hu in images:
                yield await runtime.work(archive.add, images_hu)
                made.inc(len(images_hu))
            yield await runtime.work(archive.finish)


async def tiles(model: Model, series: Series) -> AsyncGenerator[Int16[np.ndarray, "n 64 64"], None]:
    """Yield the series' images in whole HU, a tile at a time; the next is made meanwhile."""
    numbers = range(series.start // TILE, (series.stop - 1) // TILE + 1)

    def begin(tile: int) -> asyncio.Task[list[np.ndarray]]:
        name = series.lesion_class
        z = tile_noise(series.generator_digest, name, seed=series.seed, tile=tile)
        return asyncio.create_task(model.generator.submit([Noise(name, z)]))

    ahead = begin(numbers[0])
    try:
        for tile in numbers:
            (patch_hu,) = await ahead
            if tile != numbers[-1]:
                ahead = begin(tile + 1)
            whole = np.rint(patch_hu).clip(_LOWEST_HU, _HIGHEST_HU).astype(np.int16)
            first = tile * TILE
            yield whole[max(series.start - first, 0) : series.stop - first]
    finally:
        ahead.cancel()


def _read(request: Request, model: Model, max_images: int) -> tuple[Series, str]:
    """Read the query. Raise the `ParameterError` that names the allowed values."""
    query = said_once(request.query_params.multi_items(), PARAMETERS)
    output = query.get("format", "png")
    if output not in MEDIA_TYPES:
        raise OutputFormatError(
            f"format: found {quoted(output)}, expected one of {list(MEDIA_TYPES)}"
        )
    name = query.get("class", "")
    generators = model.manifest.generators
    if name not in generators:
        raise UnknownClassError(
            f"class: found {quoted(name)}, expected one of {list(model.manifest.class_names)}"
        )
    seed = _number(query, "seed", SeedError, default=secrets.randbelow(_DRAWN_SEEDS))
    start = _number(query, "start", StartError, default=0)
    count = _count(query, output, start, max_images)
    return Series(model.digest, generators[name].sha256, name, seed, start, count), output


def _count(query: Mapping[str, str], output: str, start: int, max_images: int) -> int:
    """Read how many images. Raise a `CountError` that says how more than that can be had."""
    if output == "png":
        most, more = 1, f"a PNG holds one image; format={' or format='.join(ARCHIVES)} holds more"
    else:
        most, more = max_images, f"go on with start={start + max_images} and the same seed"
    allowed = range(1, most + 1)
    return _number(query, "count", CountError, default=1, allowed=allowed, hint=f" ({more})")


def _number(
    query: Mapping[str, str],
    name: str,
    error: type[ParameterError],
    *,
    default: int,
    allowed: range = WHOLE,
    hint: str = "",
) -> int:
    text = query.get(name, str(default))
    try:
        number = whole_number(text)
    except ValueError:
        number = -1
    if number not in allowed:
        raise error(
            f"{name}: found {quoted(text)}, "
            f"expected a whole number from {allowed[0]} to {allowed[-1]}{hint}"
        )
    return number


def _headers(series: Series, output: str) -> dict[str, str]:
    digests = (series.bundle_digest, series.generator_digest)
    told = ("true", *digests, series.lesion_class, series.seed)
    named = zip(HEADERS, map(str, [*told, f"{series.start}-{series.stop - 1}"]), strict=True)
    shown = "inline" if output == "png" else "attachment"
    return {
        **dict(named),
        "Content-Disposition": f'{shown}; filename="{series.stem}.{output}"',
    }
