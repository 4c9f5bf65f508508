"""What is measured: a request, the bare functions that do the same, and what is aimed at."""

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO

import numpy as np
from jaxtyping import Float32
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import JPEG2000Lossless

from benchmarks.bare import network
from benchmarks.client import Request
from lesion import roi
from lesion.annotation.read import read_annotation
from lesion.bundle.read import Bundle
from lesion.image.dicom import read_ct
from lesion.outline import Outline, from_box
from service.noise import TILE, tile_noise
from training.phantom import dicom
from training.phantom.classes import LesionClass
from training.phantom.patient import PhantomPatient, Plan, draw_patient

#: Images of one archive: sixteen tiles, and more than a second of a generator that is worth it.
ARCHIVE = 16 * TILE

_SEED = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One request, held against the bare functions.

    An answer holds or reads `images`, a call of `bare` makes or reads `bare_images`. `agrees` tells
    whether an answer says what the bare functions say. The aims are for the highest concurrency: a
    share of the bare functions' throughput, at least, and the 95th percentile of latency over its
    median, at most.
    """

    name: str
    request: Request
    bare: Callable[[], object]
    agrees: Callable[[bytes], bool]
    concurrency: tuple[int, ...]
    images: int = 1
    bare_images: int = 1
    aim: float | None = None
    aim_tail: float | None = None


def parts(bundle: Bundle) -> list[Part]:
    """Return all of it, for a bundle."""
    return [*_classifications(bundle), *_syntheses(bundle)]


def _classifications(bundle: Bundle) -> Iterable[Part]:
    classify = network(bundle.classifier, "patch_hu", "probabilities")
    margin = bundle.manifest.roi_margin
    image, box = phantom()
    corners = (box.x0, box.y0, box.x1, box.y1)
    boxed = "/classify?roi=" + ",".join(f"{corner:g}" for corner in corners)

    def cut(file: bytes) -> Float32[np.ndarray, "1 64 64"]:
        ct = read_ct(file)
        assert ct.spacing_mm
        outline = from_box(*corners, shape=(ct.hu.shape[0], ct.hu.shape[1]))
        return roi.cut(ct.hu, ct.spacing_mm, outline, margin=margin)[None]

    def cut_marked(file: bytes, seg: bytes) -> Float32[np.ndarray, "1 64 64"]:
        ct = read_ct(file)
        assert ct.spacing_mm
        (marked,) = read_annotation(seg, [ct.place])
        return roi.cut(ct.hu, ct.spacing_mm, marked.outline, margin=margin)[None]

    def part(name: str, request: Request, patch_hu: Callable[[], np.ndarray]) -> Part:
        return Part(
            f"/classify, {name}",
            request,
            lambda: classify(patch_hu()),
            lambda answer: _is_close(answer, classify(patch_hu())),
            (1, 8, 64),
        )

    native = dicom.part10(image)
    ready = cut(native)
    image.compress(JPEG2000Lossless, generate_instance_uid=False)
    compressed = dicom.part10(image)
    patch = part("patch", Request("/classify", _npy(ready[0]), "application/x-npy"), lambda: ready)
    yield replace(patch, aim=0.70, aim_tail=2.5)
    body = part("DICOM", Request(boxed, native, "application/dicom"), lambda: cut(native))
    yield replace(body, aim=0.70)
    yield part("DICOM as a form", Request(boxed, *_form(image=native)), lambda: cut(native))
    seg = dicom.part10(dicom.seg_image(_SEED, _patient(), 0, image))
    marked = Request("/classify", *_form(image=native, annotation=seg))
    yield part("DICOM and SEG", marked, lambda: cut_marked(native, seg))
    yield replace(
        body,
        name="/classify, DICOM to SR",
        request=Request(boxed, native, "application/dicom", accept="application/dicom"),
        agrees=_is_report,
        concurrency=(1, 8),
    )
    packed = part(
        "JPEG 2000", Request(boxed, compressed, "application/dicom"), lambda: cut(compressed)
    )
    yield replace(packed, concurrency=(1, 8))


def _syntheses(bundle: Bundle) -> Iterable[Part]:
    kind = bundle.manifest.class_names[0]
    generate = network(bundle.generators[kind], "z", "patch_hu")
    z = tile_noise(bundle.manifest.generators[kind].sha256, kind, seed=_SEED, tile=0)
    target = f"/synthesize?class={kind}&seed={_SEED}"

    def part(output: str, images: int, agrees: Callable[[bytes], bool], aim: float | None) -> Part:
        return Part(
            f"/synthesize, {output}",
            Request(f"{target}&format={output}&count={images}"),
            lambda: generate(z),
            agrees,
            (1,),
            images=images,
            bare_images=TILE,
            aim=aim,
        )

    def is_same(answer: bytes) -> bool:
        with np.load(BytesIO(answer)) as archive:
            return np.allclose(archive["patch_hu"][:TILE], generate(z), atol=0.5 + 1e-2)

    yield part("npz", ARCHIVE, is_same, 0.90)
    yield part("zip", ARCHIVE, _is_zip, 0.90)
    # One image is all of its tile's work: no aim, but worth knowing.
    yield part("png", 1, lambda answer: answer.startswith(b"\x89PNG"), None)


def phantom() -> tuple[FileDataset, Outline]:
    """Draw a slice of 512x512, uncompressed; return it with the outline of its lesion."""
    patient = _patient()
    return dicom.ct_image(_SEED, patient, 0), patient.slices[0].lesions[0].lesion.outline


@cache
def _patient() -> PhantomPatient:
    return draw_patient(_SEED, Plan(0, (LesionClass.METASTASIS,)))


def _npy(array: np.ndarray) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def _form(**files: bytes) -> tuple[bytes, str]:
    """Return DICOM files as multipart/form-data (RFC 7578), and its media type."""
    boundary = "hepatica-benchmark"
    body = b""
    for name, file in files.items():
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{name}"; filename="{name}.dcm"\r\n'
            "Content-Type: application/dicom\r\n\r\n"
        )
        body += head.encode() + file + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _is_close(answer: bytes, probabilities: Float32[np.ndarray, "1 c"]) -> bool:
    (lesion,) = json.loads(answer)["lesions"]
    found = list(lesion["probabilities"].values())
    return np.allclose(found, probabilities[0], atol=2e-4)  # told with four decimals


def _is_report(answer: bytes) -> bool:
    return bool(dcmread(BytesIO(answer)).Modality == "SR")


def _is_zip(answer: bytes) -> bool:
    with zipfile.ZipFile(BytesIO(answer)) as archive:
        return len(archive.namelist()) == ARCHIVE + 1
