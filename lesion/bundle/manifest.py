"""The manifest: what a server must know of the networks beside it, and a reader of their worth.

Whatever the paper does to the input (window, rescale to (0,1), subtract the mean) and after the
network (temperature, softmax, out-of-distribution score) is inside the ONNX graphs: the manifest
holds no number that a server would have to apply to a patch.
"""

from collections.abc import Collection
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from lesion import classes
from lesion.bundle import LATENT_SIZE, NAME_PATTERN
from lesion.classes import Code, LesionClass
from lesion.roi import PATCH_SIZE

SCHEMA_VERSION: Final = 2
MANIFEST_NAME = "manifest.json"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="a file of the bundle's own folder"),
]
Probability = Annotated[float, Field(ge=0, le=1)]


def _ascending(window: tuple[float, float]) -> tuple[float, float]:
    low, high = window
    if not low < high:
        raise ValueError(f"found {low:g} to {high:g}, expected the lower first")
    return window


HU = Annotated[float, Field(allow_inf_nan=False)]
Window = Annotated[tuple[HU, HU], AfterValidator(_ascending)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class File(_Strict):
    """A file of the bundle and the digest of its bytes."""

    file: FileName
    sha256: Sha256


class Tensor(_Strict):
    """An input or output of a graph.

    A text dimension is free (`n`, the batch); a number is fixed.
    """

    name: str
    dtype: Literal["float32"] = "float32"
    shape: tuple[int | str, ...]


class Graph(File):
    """An ONNX graph and its interface."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: int = Field(gt=0, description="trained weights")


class Calibration(_Strict):
    """How the answers' uncertainty was set: by the cross-validated outputs of the training cohort.

    `temperature` (already inside the graph) divided the logits. A class is in the prediction set
    where its probability is at least `1 - conformal_quantile[class]`: class-conditional conformal
    prediction at `coverage`. The classifier beside it was fitted on all lesions afterwards, so
    `coverage` is what to expect of it on lesions of the cohort's kind, not a guarantee. A patch
    whose score is above `out_of_distribution_threshold` is unlike the training patches:
    `out_of_distribution_share` of the held-out ones lie above it.
    """

    temperature: float = Field(gt=0)
    coverage: Probability
    conformal_quantile: dict[str, Probability]
    out_of_distribution_threshold: float = Field(gt=0)
    out_of_distribution_share: Probability


class Estimate(_Strict):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Evaluation(_Strict):
    """Cross-validated figures on the training cohort (paper 4.1, equations 2-4).

    `confusion` has true classes as rows.
    """

    protocol: str
    lesions: int
    accuracy: Estimate
    sensitivity: dict[str, Estimate]
    specificity: dict[str, Estimate]
    negative_log_likelihood: float
    expected_calibration_error: float
    conformal_coverage: dict[str, Estimate]
    confusion: tuple[tuple[int, ...], ...]
    arms: dict[str, Estimate] = Field(
        description="accuracy of each training set tried on the same folds"
    )


class Cohort(_Strict):
    """What the bundle was trained on."""

    name: str
    fingerprint: Sha256
    simulated: bool
    patients: int
    lesions: dict[str, int]


class Training(_Strict):
    """How the bundle was trained: enough to do it again."""

    preset: str
    resolved: dict[str, object]
    seed: int
    packages: dict[str, str]
    device: str


class Reference(_Strict):
    """Distributions over the training lesions, cross-validated, to watch for drift against.

    Each maps a quantile (as text, `"0.05"`) to the value below which that share of the lesions
    lies.
    """

    patch_mean_hu: dict[str, float]
    patch_sd_hu: dict[str, float]
    diameter_mm: dict[str, float]
    predicted: dict[str, Probability]


class ClassCode(_Strict):
    """A coded concept (DICOM PS3.3, table 8.8-1): a short value, its scheme, its meaning."""

    value: Annotated[str, Field(min_length=1, max_length=16)]
    scheme: Annotated[str, Field(min_length=1, max_length=16)]
    meaning: Annotated[str, Field(min_length=1, max_length=64)]


class ClassEntry(_Strict):
    """A class that the classifier tells apart: its name, and its code in reports."""

    name: Annotated[str, Field(pattern=classes.NAME_PATTERN)]
    code: ClassCode

    @classmethod
    def of(cls, lesion_class: LesionClass) -> "ClassEntry":
        """Return the entry of a class."""
        return cls.model_validate(lesion_class.to_json())


class Golden(File):
    """Inputs with the outputs that they must give: an NPZ file.

    A server runs them before it says that it is ready.

    Arrays: `patch_hu` [k,64,64], `probabilities` [k,c] of c classes, `out_of_distribution` [k], and
    for each generator `z_<class>` [g,100] and `patch_hu_<class>` [g,64,64]. `probability_tolerance`
    and `hu_tolerance` bound the largest absolute difference.
    """

    probability_tolerance: float = Field(gt=0)
    hu_tolerance: float = Field(gt=0)


class Manifest(_Strict):
    """A bundle's table of contents (`manifest.json`)."""

    schema_version: Literal[2] = 2
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    version: str
    created: str = Field(description="UTC, ISO 8601")
    intended_use: str = Field(min_length=40)
    classes: Annotated[
        tuple[ClassEntry, ...], Field(min_length=2, description="in the order of all arrays")
    ]
    patch_size: Literal[64] = 64
    roi_margin: float = Field(ge=0, le=1)
    hu_window: Window
    classifier: Graph
    generators: dict[str, Graph]
    calibration: Calibration
    golden: Golden
    evaluation: Evaluation
    cohort: Cohort
    training: Training
    reference: Reference
    model_card: File

    @model_validator(mode="after")
    def _complete(self) -> "Manifest":
        names = self.class_names
        if len(set(names)) < len(names):
            raise ValueError(f"classes: found {list(names)}, expected each once")
        for where, by_class in self._by_class().items():
            if set(by_class) != set(names):
                raise ValueError(
                    f"{where}: found {sorted(by_class)}, expected one each of {list(names)}"
                )
        outputs = classifier_outputs(len(names))
        _check_interface("classifier", self.classifier, CLASSIFIER_INPUTS, outputs)
        for name, graph in self.generators.items():
            _check_interface(f"generators.{name}", graph, GENERATOR_INPUTS, GENERATOR_OUTPUTS)
        return self

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of all arrays."""
        return tuple(entry.name for entry in self.classes)

    @property
    def codes(self) -> dict[str, Code]:
        """The code of each class."""
        return {entry.name: Code(**entry.code.model_dump()) for entry in self.classes}

    def _by_class(self) -> dict[str, Collection[str]]:
        return {
            "generators": self.generators,
            "calibration.conformal_quantile": self.calibration.conformal_quantile,
            "evaluation.sensitivity": self.evaluation.sensitivity,
            "evaluation.specificity": self.evaluation.specificity,
            "evaluation.conformal_coverage": self.evaluation.conformal_coverage,
            "cohort.lesions": self.cohort.lesions,
            "reference.predicted": self.reference.predicted,
        }


#: Interfaces of the graphs. "h", "w" and "k" are the classifier's own sizes: they may be any
#: number, but must be one.
CLASSIFIER_INPUTS = (Tensor(name="patch_hu", shape=("n", PATCH_SIZE, PATCH_SIZE)),)
GENERATOR_INPUTS = (Tensor(name="z", shape=("n", LATENT_SIZE)),)
GENERATOR_OUTPUTS = (Tensor(name="patch_hu", shape=("n", PATCH_SIZE, PATCH_SIZE)),)


def classifier_outputs(classes: int) -> tuple[Tensor, ...]:
    """Return the outputs of a classifier of so many classes."""
    return (
        Tensor(name="probabilities", shape=("n", classes)),
        Tensor(name="out_of_distribution", shape=("n",)),
        Tensor(name="features", shape=("n", "k")),
        Tensor(name="saliency", shape=("n", classes, "h", "w")),
    )


def fits(found: Tensor, expected: Tensor) -> bool:
    """Tell whether a tensor has the expected name, type and shape.

    Of the letters in a shape only `n` stays free.
    """
    return (found.name, found.dtype, len(found.shape)) == (
        expected.name,
        expected.dtype,
        len(expected.shape),
    ) and all(
        have == want if want == "n" or isinstance(want, int) else isinstance(have, int)
        for have, want in zip(found.shape, expected.shape, strict=True)
    )


def _check_interface(
    where: str, graph: Graph, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]
) -> None:
    for name, found, expected in (
        ("inputs", graph.inputs, inputs),
        ("outputs", graph.outputs, outputs),
    ):
        if len(found) != len(expected) or not all(map(fits, found, expected)):
            have, want = ([f"{t.name}{list(t.shape)}" for t in side] for side in (found, expected))
            raise ValueError(f"{where}.{name}: found {have}, expected {want}")
