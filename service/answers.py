"""What is answered, as pydantic models: the JSON and its schema in OpenAPI are the same thing."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lesion import classes
from lesion.annotation.lesions import SkipReason
from lesion.bundle.manifest import Calibration, Cohort, Evaluation, Manifest
from lesion.classes import Code
from lesion.warning import WarningCode
from service.rounding import DECIMALS

#: Only what is answered is rounded: the decisions were made on the exact values.
Rounded = Annotated[float, AfterValidator(lambda value: round(value, DECIMALS))]
Probability = Annotated[float, Field(ge=0, le=1)]
ClassName = Annotated[str, Field(pattern=classes.NAME_PATTERN, description="one of the bundle's")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="sha256 of the manifest")]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelName(_Answer):
    """Which bundle answered."""

    name: str
    version: str
    digest: Digest
    simulated: Annotated[bool, Field(description="trained on simulated images only")]


class Rectangle(_Answer):
    """A rectangle in pixels: x to the right, y down, (0, 0) the outer corner of the first pixel."""

    x0: float
    y0: float
    x1: float
    y1: float


class ImageReference(_Answer):
    """Which image it was: the one sent, or that chosen among those sent."""

    sop_instance_uid: str
    frame_number: Annotated[int | None, Field(ge=1, description="null in a single-frame image")]


class OutOfDistribution(_Answer):
    """How unlike the training lesions the patch is."""

    score: Rounded
    threshold: Annotated[float, Field(description="above it, the service abstains")]


class Coded(_Answer):
    """A coded concept (DICOM PS3.3, 8.8): SNOMED CT."""

    value: str
    scheme: str
    meaning: str

    @classmethod
    def of(cls, code: Code) -> "Coded":
        """Return a code of the domain as an answer."""
        return cls(value=code.value, scheme=code.scheme, meaning=code.meaning)


class Reason(_Answer):
    """Why the service abstained."""

    code: Literal[
        "out-of-distribution", "unlike-in-size", "several-classes", "no-class", "another-class"
    ]
    detail: str


class Warned(_Answer):
    """Something that makes the answer less sure, though not unusable."""

    code: WarningCode
    detail: str


class AnnotatedStructure(_Answer):
    """What the annotation calls the lesion's segment, ROI or measurement group: free text."""

    label: Annotated[str, Field(description="its label or name; empty where it has none")]
    tracking_identifier: Annotated[str, Field(description="empty where it has none")]
    tracking_uid: Annotated[str, Field(description="empty where it has none")]


class SkippedStructure(_Answer):
    """A structure of the annotation that was not classified, and why."""

    annotation_number: Annotated[int, Field(description="of its segment, ROI or measurement group")]
    structure: Annotated[str, Field(description="what its code means; empty where it has none")]
    label: Annotated[str, Field(description="free text of the annotation; may be empty")]
    reason: SkipReason
    detail: str


class LesionAnswer(_Answer):
    """One lesion."""

    image: Annotated[
        ImageReference | None,
        Field(description="the slice that was classified; null where its file names none"),
    ]
    annotation_number: Annotated[
        int | None,
        Field(description="of its segment, ROI or measurement group; null without an annotation"),
    ]
    structure: Annotated[
        AnnotatedStructure | None, Field(description="null without an annotation")
    ] = None
    roi: Annotated[Rectangle | None, Field(description="the outline's bounding box")]
    square: Annotated[
        Rectangle | None,
        Field(description="what the network saw: the outline's extent and a margin, in pixels"),
    ]
    diameter_mm: Annotated[Rounded | None, Field(description="null where no spacing is known")]
    label: Annotated[ClassName, Field(description="the most similar class, always given")]
    probabilities: Annotated[
        dict[ClassName, Probability], Field(description="four decimals, which sum to 1")
    ]
    prediction_set: Annotated[
        list[ClassName],
        Field(description="holds the true class at the bundle's coverage, on its own cohort"),
    ]
    abstained: bool
    reason: Reason | None
    out_of_distribution: OutOfDistribution
    code: Annotated[Coded, Field(description="of the label; of no class where abstained")]
    warnings: list[Warned]
    activation_map: Annotated[
        dict[ClassName, list[list[float]]] | None,
        Field(description="with saliency=true: [h][w] over `square`, its first row at the top"),
    ] = None


class Problem(BaseModel):
    """What was refused, and why (RFC 9457)."""

    type: Annotated[str, Field(pattern="^urn:hepatica:problem:[a-z-]+$")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str


class StoredObject(_Answer):
    """A DICOM object that was made of the answer."""

    kind: Literal["report", "capture"]
    sop_class: str
    study: str
    series: str
    instance: str
    problem: Annotated[Problem | None, Field(description="why the PACS does not have it")]


class Stored(_Answer):
    """What was sent to a PACS; what it did not take has its `problem`."""

    pacs: str
    objects: list[StoredObject]


class Classification(_Answer):
    """The answer of /classify."""

    model: ModelName
    lesions: list[LesionAnswer]
    skipped: Annotated[
        list[SkippedStructure],
        Field(description="what of the annotation is no lesion, or cannot be read as one"),
    ] = []
    disclaimer: str
    stored: Annotated[Stored | None, Field(description="with store=NAME")] = None


class ServedClass(_Answer):
    """A class that the bundle tells apart."""

    name: ClassName
    code: Coded


class ModelSummary(_Answer):
    """The bundle's manifest, without the parts that only a reader of bundles needs."""

    name: str
    version: str
    digest: Digest
    created: str
    classes: list[ServedClass]
    patch_size: int
    roi_margin: float
    hu_window: tuple[float, float]
    parameters: Annotated[dict[str, int], Field(description="trained weights of each network")]
    calibration: Calibration
    evaluation: Evaluation
    cohort: Cohort
    preset: str
    intended_use: str

    @classmethod
    def of(cls, manifest: Manifest, digest: str) -> "ModelSummary":
        """Return a manifest as an answer."""
        networks = {"classifier": manifest.classifier} | {
            f"generator-{name}": graph for name, graph in manifest.generators.items()
        }
        return cls(
            **manifest.model_dump(
                include={
                    "name",
                    "version",
                    "created",
                    "patch_size",
                    "roi_margin",
                    "hu_window",
                    "calibration",
                    "evaluation",
                    "cohort",
                    "intended_use",
                }
            ),
            digest=digest,
            classes=[ServedClass.model_validate(entry.model_dump()) for entry in manifest.classes],
            parameters={name: graph.parameters for name, graph in networks.items()},
            preset=manifest.training.preset,
        )


class Models(_Answer):
    """The answer of /models."""

    models: list[ModelSummary]


class Alive(_Answer):
    """The answer of /livez."""

    alive: Literal[True] = True


class Ready(_Answer):
    """The answer of /readyz."""

    model: ModelName
