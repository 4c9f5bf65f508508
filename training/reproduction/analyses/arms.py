"""Every arm of the protocol by name, and what the paper's claims about them rest on."""

from training.evaluation.metrics import Interval
from training.pipeline.artifacts import ArtifactStore
from training.reproduction import predictions
from training.reproduction.analyses import controls, curves, evidence, nested_selection
from training.reproduction.baselines import METHODS
from training.reproduction.predictions import Arm
from training.reproduction.protocol import baseline_tasks
from training.reproduction.setup import ExperimentSetup


def named(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Arm]:
    """Name every arm that a claim is about (`evidence.PAIRS`).

    Where the protocol itself gives every arm equally many updates its controls are the same arms
    again: they are left out, so that one result is not counted as two.
    """
    drawn = curves.every(setup)
    arms: dict[str, Arm] = {f"classic {size}": arm for size, arm in drawn["classic"].items()}
    arms["none"], arms["classic"] = drawn["classic"][0], drawn["classic"][setup.classic]
    first, *others = setup.grid.kinds
    arms["gan"] = drawn[first][setup.synthetic]
    # Simulated cases are no new cases of a site's cohort.
    for name in (*others, *(["new"] if setup.simulated else [])):
        arms[name] = drawn[name][curves.best(store, drawn[name], setup.truth)]
    arms |= curves.discriminators(setup)
    equal = controls.arms(setup)
    arms["gan alone"] = equal.pop("gan alone")
    arms |= {f"{name}, equal updates": a for name, a in equal.items() if a != arms.get(name)}
    for method in METHODS:
        arms[method] = [baseline_tasks(protocol, method) for protocol in setup.repeats]
    return arms | nested_selection.arms(setup)


def of_claims(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Interval]:
    """Return the evidence of the protocol's folds."""
    predicted = {
        name: predictions.predicted(store, arm, setup.truth)
        for name, arm in named(store, setup).items()
    }
    judged = evidence.ProtocolPredictions(predicted, setup.truth.classes, setup.truth.patients)
    return evidence.collect(judged)
