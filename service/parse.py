"""A request to /classify -> an `Order`: bytes and options, checked as far as HTTP goes.

Three ways in: multipart/form-data with the parts `image` and one of `roi`, `mask`, `annotation`;
the image itself as the body; or JSON that names what to pull from a PACS. Options stand in the
query, in parts of their own, or among the members of the JSON.
"""

from dataclasses import dataclass
from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.requests import Request

from lesion.errors import (
    EmptyInputError,
    UnknownFormatError,
    UnreadableOutlineError,
    UnreadableParameterError,
)
from lesion.image.formats import Format, check_not_volume, sniff
from service.coding import decoded
from service.form import FILES, FORM, read_form
from service.options import Options, parse_options, quoted
from service.pacs.reference import pull, read_reference
from service.settings import Settings

DICOM = "application/dicom"
#: Media types of an image and the format that each declares.
IMAGE_TYPES: dict[str, Format | None] = {
    DICOM: "dicom",
    "image/png": "png",
    "application/x-npy": "npy",
    "application/octet-stream": None,  # told by its magic number
}
#: A form sends what was not filled in all the same: as an empty file without a name.
_OPTIONAL = ("mask", "annotation")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Order:
    """What a request asks to have classified."""

    image: bytes
    image_format: Format
    mask: bytes | None
    annotation: bytes | None
    options: Options
    #: Further images of its series.
    series: tuple[bytes, ...] = ()

    @property
    def outlined(self) -> bool:
        """Whether it says where the lesions are."""
        named = self.mask is not None or self.annotation is not None
        return named or bool(self.options.rois)


class File(NamedTuple):
    """A part of the request that is no text."""

    data: bytes
    media_type: str


async def read_order(request: Request, settings: Settings) -> Order:
    """Read the whole request. Raise the `InputError` that names what is wrong with it."""
    request = decoded(request)
    declared = _essence(request.headers.get("content-type"))
    files: dict[str, File] = {}
    series: list[File] = []
    options = request.query_params.multi_items()
    if declared == FORM:
        form = await read_form(request, settings)
        try:
            for name, part in form.multi_items():
                if name in _OPTIONAL and _is_blank(part):
                    continue
                if isinstance(part, str):
                    options.append((name, part))
                elif name == "image" and name in files:
                    series.append(File(await part.read(), _essence(part.content_type)))
                elif name not in FILES or name in files:
                    raise UnreadableParameterError(
                        f"{FORM}: found a file named {quoted(name)}, "
                        f"expected each of {list(FILES)} at most once, and images of one series"
                    )
                else:
                    files[name] = File(await part.read(), _essence(part.content_type))
        finally:
            await form.close()
    elif declared == JSON:
        wanted = await read_reference(request)
        options += wanted.options()
        parse_options(options, max_lesions=settings.max_lesions)  # before anything is pulled
        with request.app.state.runtime.metrics.stage["pull"].time():
            pulled = await pull(request, wanted)
        files = {name: File(data, DICOM) for name, data in pulled._asdict().items() if data}
    else:
        if declared not in IMAGE_TYPES:
            expected = [FORM, JSON, *IMAGE_TYPES]
            raise UnknownFormatError(
                f"Content-Type: found {quoted(declared)}, expected one of {expected}"
            )
        files["image"] = File(await request.body(), declared)
    return _order(files, series, parse_options(options, max_lesions=settings.max_lesions))


def _is_blank(part: UploadFile | str) -> bool:
    return isinstance(part, UploadFile) and not (part.filename or part.size)


def _order(files: dict[str, File], series: list[File], options: Options) -> Order:
    if "image" not in files:
        raise UnreadableParameterError(f"{FORM}: found no file 'image', expected one")
    if len(outlines := [*({"mask", "annotation"} & set(files)), *["roi"] * bool(options.rois)]) > 1:
        raise UnreadableOutlineError(f"{FORM}: found {sorted(outlines)}, expected one of them")
    for name, file in [*files.items(), *(("image", image) for image in series)]:
        check_not_volume(name, file.data)
    if series and {"dicom"} != {_image_format(image) for image in (files["image"], *series)}:
        raise UnreadableParameterError(
            f"{FORM}: found {len(series) + 1} images, expected one, or the DICOM files of a series"
        )
    return Order(
        image=files["image"].data,
        image_format=_image_format(files["image"]),
        mask=files["mask"].data if "mask" in files else None,
        annotation=files["annotation"].data if "annotation" in files else None,
        options=options,
        series=tuple(image.data for image in series),
    )


def _image_format(image: File) -> Format:
    """Return the format declared, or told by the bytes where the type says only that they are."""
    if not image.data:
        raise EmptyInputError("image: found 0 bytes, expected DICOM, PNG or NPY")
    if image.media_type not in IMAGE_TYPES:
        raise UnknownFormatError(
            f"image: found Content-Type {quoted(image.media_type)}, expected {list(IMAGE_TYPES)}"
        )
    return IMAGE_TYPES[image.media_type] or sniff(image.data)


def _essence(content_type: str | None) -> str:
    """Return the media type without its parameters; bytes of unknown type where there is none."""
    return (content_type or "application/octet-stream").split(";")[0].strip().lower()
