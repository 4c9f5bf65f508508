"""The images of one series, opened together: what slices they hold, decoded when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from lesion.ct import CTSlice, Place
from lesion.errors import InputError, SeriesError
from lesion.image.dicom import CTImage, chosen_frame, open_ct, slice_of
from lesion.image.frames import Decode
from lesion.image.part10 import MAX_BYTES

#: Reads of the parser in all images of a series, for each of them.
_READS_OF_ONE = 2_000
_READS = 200_000


@dataclass(frozen=True, slots=True)
class Series:
    """Slices in the order of their images, and of the frames in each.

    `places` says where each lies, `origins` of which image and frame it is, both counted from 0.
    """

    images: tuple[CTImage, ...]
    places: tuple[Place, ...]
    origins: tuple[tuple[int, int], ...]


def open_series(files: Sequence[bytes], *, frame: int | None = None) -> Series:
    """Open CT images of one series, single-frame or multi-frame.

    `frame`, counted from 1, leaves one frame of the only image. All together may hold as many bytes
    when inflated as one alone. Raise the `InputError` that names what is wrong, and with which.
    """
    left = max(MAX_BYTES, sum(map(len, files)))
    reads = _READS + _READS_OF_ONE * len(files)
    images = []
    for at, data in enumerate(files):
        try:
            image = open_ct(data, max_bytes=min(left, MAX_BYTES), max_reads=reads)
        except InputError as error:
            if len(files) == 1:
                raise
            raise type(error)(f"image {at + 1} of {len(files)}: {error}") from None
        left, reads = left - image.file.size, reads - image.file.reads
        images.append(image)
    _check_one_series(images)
    origins = [(at, index) for at, image in enumerate(images) for index in range(len(image.places))]
    if frame is not None:
        if len(images) > 1:
            raise SeriesError(
                f"frame: found {len(images)} images and a frame's number, expected one image"
            )
        origins = [(0, chosen_frame(images[0], frame))]
    places = tuple(images[at].places[index] for at, index in origins)
    return Series(tuple(images), places, tuple(origins))


def slice_at(series: Series, index: int, *, decode: Decode) -> CTSlice:
    """Decode the slice at an index."""
    image, frame = series.origins[index]
    return slice_of(series.images[image], frame, decode=decode)


def _check_one_series(images: Sequence[CTImage]) -> None:
    identities = [image.places[0].identity for image in images]
    series = {identity.series_instance_uid for identity in identities}
    if len(series) > 1:
        raise SeriesError(
            f"images: found {len(series)} Series Instance UIDs (0020,000E) in {len(images)}, "
            "expected those of one series"
        )
    instances = [identity.sop_instance_uid for identity in identities]
    if len(images) > 1 and (len(set(instances)) < len(images) or "" in instances):
        raise SeriesError(
            "images: found some with the same SOP Instance UID (0008,0018) or without one, "
            "expected each image once, with one"
        )
