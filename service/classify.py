"""POST /classify: an image with its lesions' outlines -> the most similar class of each.

The most similar class is always given. The service abstains, which is another thing, where the
prediction set does not single it out, or where the lesion is unlike those of the training cohort.
"""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response

from lesion.bundle.manifest import Calibration
from lesion.classes import CLASSES, UNDETERMINED, LesionClass
from service import negotiate
from service.answers import (
    Classification,
    Coded,
    LesionAnswer,
    ModelName,
    OutOfDistribution,
    Reason,
    Warned,
)
from service.deliver import OFFERED, deliver, json, plan, seen
from service.parse import Order, read_order
from service.prepare import Prepared, prepare
from service.problems import BusyError
from service.rounding import rounded_shares
from service.runtime import Model, Patch, Runtime, Scored

#: A ready patch is read faster than a thread is woken.
INLINE_BYTES = 64 * 1024


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
                lesions = seen(order, prepared, scored)
                response = await deliver(runtime, delivery, answer, lesions)
        count(runtime, answer)
        return response


async def score(
    runtime: Runtime, model: Model, order: Order
) -> tuple[list[Prepared], list[Scored]]:
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
                    [Patch(lesion.patch_hu, saliency) for lesion in prepared]
                )
    except TimeoutError:
        raise BusyError(
            f"answer: found none after {runtime.settings.answer_timeout_s:g} s, expected one"
        ) from None
    return prepared, scored


async def _prepared(runtime: Runtime, model: Model, order: Order) -> list[Prepared]:
    began = time.perf_counter()

    def job() -> list[Prepared]:
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
    model: Model, prepared: list[Prepared], scored: list[Scored], *, saliency: bool
) -> Classification:
    """Put what was cut and what was scored into words."""
    return Classification(
        model=model_name(model),
        lesions=[
            _lesion(lesion, score, model.manifest.calibration, saliency=saliency)
            for lesion, score in zip(prepared, scored, strict=True)
        ],
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


def _lesion(
    lesion: Prepared, scored: Scored, calibration: Calibration, *, saliency: bool
) -> LesionAnswer:
    probabilities = dict(zip(CLASSES, scored.probabilities.tolist(), strict=True))
    label = max(CLASSES, key=probabilities.__getitem__)
    chosen = prediction_set(probabilities, calibration)
    reason = reason_to_abstain(label, chosen, scored.out_of_distribution, calibration)
    maps = scored.saliency if saliency else None
    return LesionAnswer(
        image=lesion.image,
        annotation_number=lesion.marked.number if lesion.marked else None,
        roi=lesion.roi,
        square=lesion.square,
        diameter_mm=lesion.diameter_mm,
        label=label,
        probabilities=rounded_shares(probabilities, 4),  # once all is decided
        prediction_set=chosen,
        abstained=reason is not None,
        reason=reason,
        out_of_distribution=OutOfDistribution(
            score=scored.out_of_distribution, threshold=calibration.out_of_distribution_threshold
        ),
        code=Coded.of(label.code if reason is None else UNDETERMINED),
        warnings=[Warned(code=one.code, detail=one.detail) for one in lesion.warnings],
        activation_map=dict(zip(CLASSES, maps.tolist(), strict=True)) if maps is not None else None,
    )


def prediction_set(
    probabilities: dict[LesionClass, float], calibration: Calibration
) -> list[LesionClass]:
    """Return the classes that are probable enough for the coverage that the bundle promises."""
    quantile = calibration.conformal_quantile
    return [name for name in CLASSES if probabilities[name] >= 1 - quantile[name]]


def reason_to_abstain(
    label: LesionClass, chosen: list[LesionClass], score: float, calibration: Calibration
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
