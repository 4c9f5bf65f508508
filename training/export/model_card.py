"""The model card: what a bundle is, what it is worth, and what it is not for, from its manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

from lesion.bundle.manifest import (
    Calibration,
    ClassEntry,
    Cohort,
    Estimate,
    Evaluation,
    Graph,
    Training,
)

_LIMITS = (
    "The output names the most similar of the classes {classes}; it knows no other lesion. "
    "Calibration and coverage hold only for the cohort it was trained on. Not for diagnosis."
)
_SIMULATED = (
    "Research only. Trained and evaluated on simulated CT; agreement with Frid-Adar et al. is not "
    f"evidence of clinical accuracy. {_LIMITS}"
)
_SITE = (
    "Research only. Trained and cross-validated on one site's cohort; nothing is known of its "
    f"accuracy elsewhere. {_LIMITS}"
)

_ARMS = {
    "none": "the lesions alone",
    "classic": "+ classic augmentation (paper 3.1)",
    "gan": "+ synthetic lesions (paper 3.2)",
}

_EQUAL_UPDATES = "The lesions alone were repeated to get as many updates as the classic set{more}."
_LARGER_SET = "; the synthetic set is larger and got more"
_EQUAL_EPOCHS = "All were trained for as many epochs, so a larger set got more updates."

_OTHER_GENERATORS = (
    ", but for its synthetic lesions: the folds' generators (`fold_gan` in the manifest) were "
    "trained with other settings than the shipped ones (`final_gan`)"
)

_CARD = """\
# {name} {version}

> **{intended_use}**

A classifier of liver lesion ROIs ({classes}) and a generator of synthetic ones for each class, \
after Frid-Adar et al. 2018, "GAN-based synthetic medical image augmentation for increased CNN \
performance in liver lesion classification".

## What it was trained on
{cohort}

Each lesion was cut by one rule: a square centred on its outline, {margin:.0%} of its extent added \
on each side, resized to 64x64, HU {low:g} to {high:g}.

## What it was worth
{protocol} ({lesions} lesions). 95 % Wilson intervals; they count lesions as independent, which \
lesions of one patient are not. {updates}

| training set | accuracy |
|---|---|
{arms}

Of the classifier trained as the shipped one is{generators}:

| class | sensitivity | specificity | coverage of the {coverage:.0%} prediction set |
|---|---|---|---|
{per_class}

| true \\ predicted | {header} |
|---|{rule}
{confusion}

Negative log-likelihood {nll:.3f}, expected calibration error {ece:.3f} (temperature and quantiles \
fitted on the other folds). The shipped classifier is fitted on all lesions once more, so none of \
these figures is its own; temperature {temperature:.3f}, conformal quantiles {quantiles}, \
out-of-distribution threshold {threshold:.2f} come from the cross-validated outputs.

## What it is not for
- Any decision about a patient. It is no medical device.
- Lesions of other kinds, other phases, other organs. The out-of-distribution score turns some of \
them away, not all: {share:.0%} of the cohort's own lesions lie above its threshold by design.
- Counting synthetic lesions as patients. Each synthetic image is marked as such.

## How it was made
Preset `{preset}`, seed {seed}, on {device}; classifier {cnn_parameters:,} weights, \
{gan_parameters}. {packages}.
Everything that was set is in `manifest.json` under `training.resolved`.
"""


def intended_use(classes: Sequence[str], *, simulated: bool) -> str:
    """Return the words of intended use: fixed, but for the names of the classes."""
    words = _SIMULATED if simulated else _SITE
    return words.format(classes=", ".join(classes))


def write(manifest: Mapping[str, Any]) -> str:
    """Write the card from the manifest's parts."""
    cohort: Cohort = manifest["cohort"]
    evaluation: Evaluation = manifest["evaluation"]
    calibration: Calibration = manifest["calibration"]
    training: Training = manifest["training"]
    generators: Mapping[str, Graph] = manifest["generators"]
    entries: Sequence[ClassEntry] = manifest["classes"]
    names = [entry.name for entry in entries]
    low, high = manifest["hu_window"]
    arms = evaluation.arms
    return _CARD.format(
        name=manifest["name"],
        version=manifest["version"],
        intended_use=manifest["intended_use"],
        classes=", ".join(names),
        cohort=_cohort(cohort),
        margin=manifest["roi_margin"],
        low=low,
        high=high,
        protocol=evaluation.protocol,
        lesions=evaluation.lesions,
        generators="" if _same_generators(training) else _OTHER_GENERATORS,
        updates=_updates(arms, equal=bool(training.resolved["equal_updates"])),
        arms="\n".join(f"| {_ARMS[arm]} | {_percent(e)} |" for arm, e in arms.items()),
        per_class="\n".join(
            f"| {c} | {_percent(evaluation.sensitivity[c])} | {_percent(evaluation.specificity[c])}"
            f" | {_percent(evaluation.conformal_coverage[c])} |"
            for c in names
        ),
        header=" | ".join(names),
        rule="---|" * len(names),
        confusion="\n".join(
            f"| {c} | {' | '.join(map(str, row))} |"
            for c, row in zip(names, evaluation.confusion, strict=True)
        ),
        nll=evaluation.negative_log_likelihood,
        ece=evaluation.expected_calibration_error,
        temperature=calibration.temperature,
        quantiles=", ".join(f"{c} {calibration.conformal_quantile[c]:.3f}" for c in names),
        threshold=calibration.out_of_distribution_threshold,
        coverage=calibration.coverage,
        share=calibration.out_of_distribution_share,
        preset=training.preset,
        seed=training.seed,
        device=training.device,
        cnn_parameters=manifest["classifier"].parameters,
        gan_parameters="; ".join(
            f"{c} generator {graph.parameters:,}" for c, graph in generators.items()
        ),
        packages=", ".join(f"{name} {found}" for name, found in training.packages.items()),
    )


def _updates(arms: Mapping[str, Estimate], *, equal: bool) -> str:
    """Say how long the arms were trained beside each other."""
    if len(arms) < 2:
        return ""
    more = _LARGER_SET if "gan" in arms else ""
    return _EQUAL_UPDATES.format(more=more) if equal else _EQUAL_EPOCHS


def _same_generators(training: Training) -> bool:
    """Tell whether the folds' generators, if there were any, were trained as the shipped ones."""
    resolved = training.resolved
    return resolved["arm"] != "gan" or bool(resolved["fold_gan"] == resolved["final_gan"])


def _cohort(cohort: Cohort) -> str:
    lesions = ", ".join(f"{count} {name}" for name, count in cohort.lesions.items())
    kind = (
        "**simulated** lesions: no patient is behind any of them"
        if cohort.simulated
        else "lesions of a site's own"
    )
    return (
        f"`{cohort.name}`: {sum(cohort.lesions.values())} {kind} ({lesions}) in "
        f"{cohort.patients} {'simulated ' if cohort.simulated else ''}patients. "
        f"Fingerprint `{cohort.fingerprint[:16]}`."
    )


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"
