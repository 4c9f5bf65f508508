"""POST /classify: an image with its lesions' outlines -> the most similar class of each.

The most similar class is always given. The service abstains, which is another thing, where the
prediction set does not single it out, or where the lesion is unlike those of the training cohort,
to the network or in size.
"""

import asyncio
import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from lesion.annotation.lesions import Skipped
from lesion.annotation.structure import Structure
from lesion.bundle.manifest import Calibration, Manifest
from lesion.classes import UNDETERMINED
from service import negotiate
from service.answers import (
    AnnotatedStructure,
    Classification,
    Coded,
    LesionAnswer,
    ModelName,
    OutOfDistribution,
    Reason,
    SkippedStructure,
    Warned,
)
from service.deliver import OFFERED, deliver, json, plan, seen
from service.parse import Order, read_order
from service.prepare import Prepared, PreparedLesions, prepare
from service.problems import BusyError
from service.rounding import DECIMALS, rounded_shares
from service.runtime import Model, Patch, Runtime, Scored

#: A ready patch is read faster than a thread is woken.
INLINE_BYTES = 64 * 1024

#: How far beyond the .01 and .99 quantiles of the training lesions' diameters one may lie.
SIZE_MARGIN = 1.25


async def classify(request: Request) -> Response:
    """Answer one request."""
    runtime: Runtime = request.app.state.runtime
    stage = runtime.metrics.stage
    with stage["total"].time():
        model = runtime.model
        negotiate.choose(request.headers, OFFERED)
        with stage["receive"].time():
            order = await read_order(request, runtime.settings)
        delivery = plan(request.headers, runtime, order)
        prepared, scored = await score(runtime, model, order)
        with stage["answer"].time():
            answer = answered(model, prepared, scored, saliency=order.options.saliency)
            if delivery is None:
                response = json(answer)
        if delivery is not None:
            with stage["report"].time():
                lesions = seen(order, answer, prepared, scored)
                response = await deliver(runtime, delivery, answer, lesions)
        count(runtime, answer)
        return response


async def score(
    runtime: Runtime, model: Model, order: Order
) -> tuple[PreparedLesions, list[Scored]]:
    """Find the lesions of an order and score them, whichever way it came in.

    Raise `BusyError` where that takes longer than an answer may, or the `InputError` that names
    what is wrong.
    """
    try:
        async with asyncio.timeout(runtime.settings.answer_timeout_s):
            prepared = await _prepared(runtime, model, order)
            with runtime.metrics.stage["infer"].time():
                saliency = order.options.saliency or order.options.capture
                scored = await model.classifier.submit(
                    [Patch(lesion.patch_hu, saliency) for lesion in prepared.lesions]
                )
    except TimeoutError:
        raise BusyError(
            f"answer: found none after {runtime.settings.answer_timeout_s:g} s, expected one"
        ) from None
    return prepared, scored


async def _prepared(runtime: Runtime, model: Model, order: Order) -> PreparedLesions:
    began = time.perf_counter()

    def job() -> PreparedLesions:
        runtime.metrics.stage["wait"].observe(time.perf_counter() - began)
        return prepare(
            order,
            margin=model.manifest.roi_margin,
            settings=runtime.settings,
            metrics=runtime.metrics,
            decode=runtime.sandbox,
        )

    ready = order.image_format == "npy" and len(order.image) <= INLINE_BYTES
    if ready and not order.outlined:
        return job()
    return await runtime.work(job)


def answered(
    model: Model, prepared: PreparedLesions, scored: list[Scored], *, saliency: bool
) -> Classification:
    """Put what was cut and what was scored into words."""
    return Classification(
        model=model_name(model),
        lesions=[
            _lesion(lesion, score, model.manifest, saliency=saliency)
            for lesion, score in zip(prepared.lesions, scored, strict=True)
        ],
        skipped=[_skipped(one) for one in prepared.skipped],
        disclaimer=model.manifest.intended_use,
    )


def model_name(model: Model) -> ModelName:
    """Name the bundle that answers."""
    manifest = model.manifest
    return ModelName(
        name=manifest.name,
        version=manifest.version,
        digest=model.digest,
        simulated=manifest.cohort.simulated,
    )


def _skipped(skipped: Skipped) -> SkippedStructure:
    return SkippedStructure(
        annotation_number=skipped.structure.number,
        structure=skipped.meaning,
        label=skipped.structure.label,
        reason=skipped.reason,
        detail=skipped.detail,
    )


def _structure(structure: Structure) -> AnnotatedStructure:
    return AnnotatedStructure(
        label=structure.label,
        tracking_identifier=structure.tracking_id,
        tracking_uid=structure.tracking_uid,
    )


def _lesion(
    lesion: Prepared, scored: Scored, manifest: Manifest, *, saliency: bool
) -> LesionAnswer:
    calibration, names = manifest.calibration, manifest.class_names
    probabilities = dict(zip(names, scored.probabilities.tolist(), strict=True))
    chosen = prediction_set(probabilities, calibration)
    label = most_similar(probabilities, chosen)
    reason = unlike_in_size(
        lesion.diameter_mm, manifest.reference.diameter_mm
    ) or reason_to_abstain(label, chosen, scored.out_of_distribution, calibration)
    maps = scored.saliency if saliency else None
    return LesionAnswer(
        image=lesion.image,
        annotation_number=lesion.marked.number if lesion.marked else None,
        structure=_structure(lesion.marked.structure) if lesion.marked else None,
        roi=lesion.roi,
        square=lesion.square,
        diameter_mm=lesion.diameter_mm,
        label=label,
        probabilities=rounded_shares(probabilities, DECIMALS),  # once all is decided
        prediction_set=chosen,
        abstained=reason is not None,
        reason=reason,
        out_of_distribution=OutOfDistribution(
            score=scored.out_of_distribution, threshold=calibration.out_of_distribution_threshold
        ),
        code=Coded.of(manifest.codes[label] if reason is None else UNDETERMINED),
        warnings=[Warned(code=one.code, detail=one.detail) for one in lesion.warnings],
        activation_map=dict(zip(names, maps.tolist(), strict=True)) if maps is not None else None,
    )


def prediction_set(probabilities: Mapping[str, float], calibration: Calibration) -> list[str]:
    """Return the classes that are probable enough for the coverage that the bundle promises."""
    quantile = calibration.conformal_quantile
    return [name for name, found in probabilities.items() if found >= 1 - quantile[name]]


def most_similar(probabilities: Mapping[str, float], chosen: list[str]) -> str:
    """Return the most probable class; of several that are, one that the prediction set holds."""
    return max(probabilities, key=lambda name: (probabilities[name], name in chosen))


def unlike_in_size(diameter_mm: float | None, reference_mm: Mapping[str, float]) -> Reason | None:
    """Say where a lesion is far smaller or larger than those of the training cohort.

    `reference_mm` maps quantiles of the cohort's longest diameters to their values. An organ that
    was sent as a lesion is told by its size. Without a diameter or a reference nothing is tested.
    """
    smallest, largest = (reference_mm.get(quantile) for quantile in ("0.01", "0.99"))
    if diameter_mm is None or smallest is None or largest is None:
        return None
    low, high = smallest / SIZE_MARGIN, largest * SIZE_MARGIN
    if low <= diameter_mm <= high:
        return None
    return Reason(
        code="unlike-in-size",
        detail=f"the lesion measures {diameter_mm:.1f} mm; the classifier is asked about "
        f"{low:.1f} to {high:.1f} mm, the size of the training lesions and a margin",
    )


def reason_to_abstain(
    label: str, chosen: list[str], score: float, calibration: Calibration
) -> Reason | None:
    """Say why no class can be singled out; None where one can."""
    threshold = calibration.out_of_distribution_threshold
    if not score <= threshold:  # NaN is no likeness either
        return Reason(
            code="out-of-distribution",
            detail=f"unlike the training lesions: score {score:.3g} is above {threshold:.3g}",
        )
    if chosen == [label]:
        return None
    at = f"at {calibration.coverage:.0%} coverage"
    if not chosen:
        return Reason(code="no-class", detail=f"no class is probable enough {at}")
    if len(chosen) == 1:  # each class has a quantile of its own
        return Reason(
            code="another-class",
            detail=f"{at} the set holds {chosen[0]}, not the most similar class",
        )
    return Reason(code="several-classes", detail=f"{at} the set holds {', '.join(chosen)}")


def count(runtime: Runtime, answer: Classification) -> None:
    """Count what was answered."""
    metrics = runtime.metrics
    for lesion in answer.lesions:
        metrics.predictions.labels(lesion.label).inc()
        score = lesion.out_of_distribution
        metrics.out_of_distribution.observe(score.score / score.threshold)
        if lesion.reason:
            metrics.abstentions.labels(lesion.reason.code).inc()
        for warning in lesion.warnings:
            metrics.warnings.labels(warning.code).inc()
