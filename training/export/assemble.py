"""Put a bundle together from a finished run."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float32

import lesion
from lesion.bundle import LATENT_SIZE, write
from lesion.bundle.manifest import (
    CLASSIFIER_INPUTS,
    GENERATOR_INPUTS,
    GENERATOR_OUTPUTS,
    Calibration,
    ClassEntry,
    Cohort,
    Evaluation,
    File,
    Golden,
    Graph,
    Manifest,
    Reference,
    Tensor,
    Training,
    classifier_outputs,
)
from lesion.bundle.read import Bundle, sha256
from lesion.roi import MARGIN
from training.data.datasets import HU_WINDOW
from training.data.patches import Patches
from training.export import manifest_figures, model_card, onnx
from training.export.graphs import ClassifierGraph, GeneratorGraph
from training.networks.architectures import Generator, parameters
from training.networks.generators import kind_of
from training.pipeline import cross_validation
from training.presets import BundlePreset
from training.seeds import generator as random_generator
from training.settings import GanSettings

_GOLDEN_PER_CLASS = 4
_PACKAGES = ("numpy", "onnx", "scikit-image", "scikit-learn", "scipy")


@dataclass(frozen=True, slots=True)
class Exported:
    """A graph, and its entry in the manifest."""

    graph: bytes
    entry: Graph


def bundle(patches: Patches, preset: BundlePreset, *, folder: Path, out: Path) -> Bundle:
    """Export the run in `folder` as the bundle `out`; every graph is compared with its network.

    Raise `ParityError` where they differ.
    """
    held_out = cross_validation.load_held_out(folder, lesions=len(patches.classes))
    final = cross_validation.load_final(folder, preset)
    calibration = Calibration.model_validate(manifest_figures.calibration(patches, held_out))
    generators = {
        name: _export_generator(network, preset.final_gan, name=name, label=label)
        for label, (name, network) in enumerate(
            zip(patches.class_names, final.generators, strict=True)
        )
    }
    graph = ClassifierGraph(final.classifier, final.ood_score, temperature=calibration.temperature)
    classifier = _export_classifier(
        graph, patches.originals, outputs=classifier_outputs(len(patches.class_list))
    )
    golden = _golden_vectors(classifier, generators)
    resolved = cross_validation.load_resolved(folder)
    manifest = {
        "name": out.name,
        "version": lesion.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "intended_use": model_card.intended_use(
            patches.class_names, simulated=bool(patches.cohort["simulated"])
        ),
        "classes": tuple(ClassEntry.of(one) for one in patches.class_list),
        "roi_margin": MARGIN,
        "hu_window": HU_WINDOW,
        "classifier": classifier.entry,
        "generators": {name: exported.entry for name, exported in generators.items()},
        "calibration": calibration,
        "golden": Golden(
            file="golden.npz",
            sha256=sha256(golden),
            probability_tolerance=10 * onnx.PROBABILITY_TOLERANCE,
            hu_tolerance=onnx.HU_TOLERANCE,
        ),
        "evaluation": Evaluation.model_validate(manifest_figures.evaluation(patches, held_out)),
        "cohort": _cohort(patches),
        "training": Training.model_validate(
            {
                "preset": preset.name,
                "resolved": {**asdict(preset), "precision": resolved["precision"]},
                "seed": resolved["seed"],
                "device": resolved["device"],
                "packages": {"torch": resolved["torch"], **{n: version(n) for n in _PACKAGES}},
            }
        ),
        "reference": Reference.model_validate(manifest_figures.reference(patches, held_out)),
    }
    text = model_card.write(manifest).encode()
    manifest["model_card"] = File(file="MODEL_CARD.md", sha256=sha256(text))
    files = {"classifier.onnx": classifier.graph, "golden.npz": golden, "MODEL_CARD.md": text}
    files |= {exported.entry.file: exported.graph for exported in generators.values()}
    return write.write(out, Manifest.model_validate(manifest), files)


def _export_classifier(
    network: ClassifierGraph,
    originals: Float32[np.ndarray, "n 64 64"],
    *,
    outputs: tuple[Tensor, ...],
) -> Exported:
    (patch_hu,) = CLASSIFIER_INPUTS
    graph = onnx.export(network, inputs=patch_hu, outputs=outputs)
    tolerance = {tensor.name: onnx.PROBABILITY_TOLERANCE for tensor in outputs}
    onnx.check_parity(network, graph, originals, tolerance=tolerance)
    entry = onnx.describe(
        graph,
        file="classifier.onnx",
        inputs=CLASSIFIER_INPUTS,
        outputs=outputs,
        parameters=parameters(network.network),
    )
    return Exported(graph, entry)


def _export_generator(
    generator: Generator, settings: GanSettings, *, name: str, label: int
) -> Exported:
    network = GeneratorGraph(kind_of(settings).of_class(generator, label))
    (z,), (patch_hu,) = GENERATOR_INPUTS, GENERATOR_OUTPUTS
    graph = onnx.export(network, inputs=z, outputs=GENERATOR_OUTPUTS)
    tolerance = {patch_hu.name: onnx.HU_TOLERANCE}
    onnx.check_parity(network, graph, _latent(label, 64), tolerance=tolerance)
    entry = onnx.describe(
        graph,
        file=f"generator-{name}.onnx",
        inputs=GENERATOR_INPUTS,
        outputs=GENERATOR_OUTPUTS,
        parameters=parameters(generator),
    )
    return Exported(graph, entry)


def _golden_vectors(classifier: Exported, generators: dict[str, Exported]) -> bytes:
    """Run the graphs on fixed inputs; the classifier's are synthetic: no patient's pixel leaves."""
    arrays: dict[str, np.ndarray] = {}
    for label, (name, exported) in enumerate(generators.items()):
        z = _latent(label, _GOLDEN_PER_CLASS)
        arrays[f"z_{name}"] = z
        arrays[f"patch_hu_{name}"] = onnx.run(exported.graph, z)["patch_hu"]
    patch_hu = np.concatenate([arrays[f"patch_hu_{name}"] for name in generators])
    held_out = onnx.run(classifier.graph, patch_hu)
    arrays["patch_hu"] = patch_hu
    arrays |= {output: held_out[output] for output in ("probabilities", "out_of_distribution")}
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _latent(label: int, count: int) -> Float32[np.ndarray, "n 100"]:
    drawn = random_generator(label, "golden").uniform(-1, 1, size=(count, LATENT_SIZE))
    return drawn.astype(np.float32)


def _cohort(patches: Patches) -> Cohort:
    counts = np.bincount(patches.classes, minlength=len(patches.class_list)).tolist()
    return Cohort.model_validate(
        {
            **patches.cohort,
            "patients": len(set(patches.patient_ids)),
            "lesions": dict(zip(patches.class_names, counts, strict=True)),
        }
    )
