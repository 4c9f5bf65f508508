"""Every arm of the protocol by name, and what the paper's claims about them rest on."""

from training.evaluation.metrics import Interval
from training.pipeline.artifacts import Store
from training.reproduction import predictions as reading
from training.reproduction.analyses import controls, curves, evidence
from training.reproduction.analyses import nested_selection as nested
from training.reproduction.baselines import METHODS
from training.reproduction.predictions import Arm
from training.reproduction.protocol import rivals
from training.reproduction.setup import Study


def named(store: Store, study: Study) -> dict[str, Arm]:
    """Name every arm that a claim is about (`evidence.PAIRS`).

    Where the protocol itself gives every arm equally many updates its controls are the same arms
    again: they are left out, so that one result is not counted as two.
    """
    drawn = curves.every(study)
    arms: dict[str, Arm] = {f"classic {size}": arm for size, arm in drawn["classic"].items()}
    arms["none"], arms["classic"] = drawn["classic"][0], drawn["classic"][study.classic]
    arms["synthetic"] = drawn["dcgan"][study.synthetic]
    # Simulated cases are no new cases of a site's cohort.
    for name in ("acgan", "conditional", *(["new"] if study.simulated else [])):
        arms[name] = drawn[name][curves.best(store, drawn[name], study.truth)]
    arms["acgan discriminator"] = curves.discriminators(study)
    equal = controls.arms(study)
    arms["synthetic alone"] = equal.pop("synthetic alone")
    arms |= {f"{name}, equal updates": a for name, a in equal.items() if a != arms.get(name)}
    for method in METHODS:
        arms[method] = [rivals(trial, method) for trial in study.repeats]
    return arms | nested.arms(study)


def of_claims(store: Store, study: Study) -> dict[str, Interval]:
    """Return the evidence of the protocol's folds."""
    predicted = {
        name: reading.predicted(store, arm, study.truth)
        for name, arm in named(store, study).items()
    }
    judged = evidence.Judged(predicted, study.truth.classes, study.truth.patients)
    return evidence.collect(judged)
