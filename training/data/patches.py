"""The patch cache: every patch that training will see, cut once on the CPU, kept as plain arrays.

Beyond this point training knows no DICOM. A cache folder holds

    originals.npy   float32 [n, 64, 64], HU: bit for bit what the service cuts
    variants.npy    float16 [n, v, 64, 64], HU: each lesion's classic augmentations, shuffled
    lesions.json    the cohort's name and fingerprint; its classes, in the order of labels, with
                    their codes; each row's lesion, patient, class, diameter and strata

HU of soft tissue are exact to 0.1 in float16; noise is a hundred times that.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float16, Float32, Int

from lesion import durable
from lesion.classes import Code, LesionClass
from lesion.errors import CohortError
from lesion.roi import MARGIN, PATCH_SIZE, cut
from training.data import augment
from training.data.records import Cohort, CohortLesion
from training.seeds import generator

_INDEX = "lesions.json"


@dataclass(frozen=True, slots=True)
class Patches:
    """A cohort's patches and what is known of each lesion. Rows of all arrays agree.

    `classes` are labels: places in the `class_list`, which is the order of a network's outputs.
    `cut` holds what a cache was cut with: the seed, the number of variants, the margin.
    """

    cohort: dict[str, object]
    class_list: tuple[LesionClass, ...]
    lesion_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    classes: Int[np.ndarray, " n"]
    diameter_mm: Float[np.ndarray, " n"]
    originals: Float32[np.ndarray, "n 64 64"]
    variants: Float16[np.ndarray, "n v 64 64"]
    cut: dict[str, object] = field(default_factory=dict)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(one.name for one in self.class_list)


def cut_cohort(
    cohort: Cohort,
    folder: Path,
    *,
    augmentation: augment.Augmentation,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Cut all patches of a cohort into `folder`. `advance` is called after each lesion."""
    folder.mkdir(parents=True, exist_ok=True)
    # The index says that all is there: it goes first and comes last.
    (folder / _INDEX).unlink(missing_ok=True)
    n = len(cohort.lesions)
    originals = np.empty((n, PATCH_SIZE, PATCH_SIZE), dtype=np.float32)
    variants = np.lib.format.open_memmap(
        folder / "variants.npy",
        mode="w+",
        dtype=np.float16,
        shape=(n, augmentation.count, PATCH_SIZE, PATCH_SIZE),
    )
    for row, lesion in enumerate(cohort.lesions):
        originals[row], variants[row] = cut_lesion(lesion, augmentation=augmentation, seed=seed)
        advance()
    variants.flush()
    with durable.opened(folder / "originals.npy") as file:
        np.save(file, originals)
    index = json.dumps(_index(cohort, augmentation, seed), indent=1) + "\n"
    durable.write(folder / _INDEX, index.encode())


def is_cut(
    folder: Path, *, fingerprint: str, augmentation: augment.Augmentation, seed: int
) -> bool:
    """Tell whether `folder` holds all patches of that cohort, cut that way."""
    path = folder / _INDEX
    if not path.is_file():
        return False
    index = json.loads(path.read_text())
    same_cohort = index["cohort"]["fingerprint"] == fingerprint
    return bool(same_cohort and index["cut"] == _how(augmentation, seed))


def load(folder: Path) -> Patches:
    """Read a cache; the variants stay on disk until they are indexed."""
    index = json.loads((folder / _INDEX).read_text())
    lesions = index["lesions"]
    class_list = tuple(LesionClass(one["name"], Code(**one["code"])) for one in index["classes"])
    label = {one.name: place for place, one in enumerate(class_list)}
    return Patches(
        cohort=index["cohort"],
        class_list=class_list,
        lesion_ids=tuple(lesion["lesion_id"] for lesion in lesions),
        patient_ids=tuple(lesion["patient_id"] for lesion in lesions),
        classes=np.array([label[lesion["class"]] for lesion in lesions]),
        diameter_mm=np.array([lesion["diameter_mm"] for lesion in lesions], dtype=np.float64),
        originals=np.load(folder / "originals.npy"),
        variants=np.load(folder / "variants.npy", mmap_mode="r"),
        cut=index["cut"],
    )


def cut_lesion(
    lesion: CohortLesion, *, augmentation: augment.Augmentation, seed: int
) -> tuple[Float32[np.ndarray, "64 64"], Float16[np.ndarray, "v 64 64"]]:
    """Cut a lesion's own patch and its classic augmentations, in random order, all in HU."""
    ct, outline = lesion.ct, lesion.outline
    if ct.spacing_mm is None:
        raise CohortError(f"lesion {lesion.lesion_id}: found a slice without spacing")
    rng = generator(seed, "augment", lesion.lesion_id)
    diameter_px = outline.diameter_mm(ct.spacing_mm) / float(np.sqrt(np.prod(ct.spacing_mm)))
    drawn = augment.draw(augmentation, diameter_px=diameter_px, rng=rng)
    # In random order, any first k of them are a random sample: the paper's additive groups (4.2.1).
    order = rng.permutation(len(drawn))
    variants = np.empty((len(drawn), PATCH_SIZE, PATCH_SIZE), dtype=np.float16)
    for row, index in enumerate(order):
        variants[row] = cut(ct.hu, ct.spacing_mm, outline, variation=drawn[index])
    return cut(ct.hu, ct.spacing_mm, outline), variants


def _how(augmentation: augment.Augmentation, seed: int) -> dict[str, object]:
    return {"variants": augmentation.count, "seed": seed, "margin": MARGIN}


def _index(cohort: Cohort, augmentation: augment.Augmentation, seed: int) -> dict[str, object]:
    return {
        "cohort": {
            "name": cohort.name,
            "fingerprint": cohort.fingerprint,
            "simulated": cohort.simulated,
        },
        "cut": _how(augmentation, seed),
        "classes": [one.to_json() for one in cohort.classes],
        "lesions": [
            {
                "lesion_id": lesion.lesion_id,
                "patient_id": lesion.patient_id,
                "class": str(lesion.lesion_class),
                "diameter_mm": round(lesion.diameter_mm, 2),
                "strata": dict(lesion.strata),
            }
            for lesion in cohort.lesions
        ],
    }
