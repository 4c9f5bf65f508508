"""What a run was: the tasks behind its numbers, each counted once."""

import json
from dataclasses import replace

import numpy as np

from training.pipeline.artifacts import CARD
from training.pipeline.origin import Origin
from training.presets import SMOKE_GRID
from training.reproduction import provenance
from training.reproduction.predictions import Labels
from training.reproduction.provenance import TrackingStore
from training.reproduction.tasks.cohort import Phantom, phantom


def test_notes_what_was_read_and_counts_what_that_needed_once(workshop, store) -> None:
    ground = workshop.task("ground")
    first, second = workshop.task("first", ground), workshop.task("second", ground)
    unread = workshop.task("unread", ground)
    origin = {
        ground: Origin(5.0, "GPU 1", "2.13"),
        first: Origin(1.0, "cpu: A", "2.13"),
        second: Origin(2.0, "GPU 1", "2.14", "bfloat16"),
        unread: Origin(100.0, "cpu: B", "2.15"),
    }
    for task, one in origin.items():
        store.save(task, {"sum": np.zeros(2)}, one)
    parts = {name: TrackingStore(store.folder) for name in ("one", "two")}
    parts["one"].load(first)
    parts["one"].load(first)
    parts["two"].load(first)
    parts["two"].load(second)
    assert provenance.behind(parts) == {
        "tasks": {
            "one": {first.digest: "task first"},
            "two": {first.digest: "task first", second.digest: "task second"},
        },
        "seconds": {"sum": 8.0},
        "made_on": {
            "device": {"GPU 1": 2, "cpu: A": 1},
            "torch": {"2.13": 2, "2.14": 1},
            "precision": {"bfloat16": 1},
        },
    }


def test_what_older_cards_do_not_tell_is_not_recorded(workshop, store) -> None:
    old, new = workshop.task("old"), workshop.task("new")
    for task in (old, new):
        store.save(task, {"sum": np.zeros(2)}, Origin(seconds=1.0, device="cpu: A", torch="2.13"))
    path = store.path(old) / CARD
    card = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in card.items() if k not in ("device", "torch")}))
    part = TrackingStore(store.folder)
    part.load(old)
    part.load(new)
    found = provenance.behind({"one": part})
    assert found["seconds"] == {"sum": 2.0}
    assert found["made_on"] == {
        "device": {"not recorded": 1, "cpu: A": 1},
        "torch": {"not recorded": 1, "2.13": 1},
        "precision": {},  # no network was trained
    }


def test_counts_nothing_for_what_was_not_brought_along(workshop, store) -> None:
    ground = workshop.task("ground")
    first = workshop.task("first", ground)
    store.save(first, {"sum": np.zeros(2)}, Origin(seconds=1.5))
    part = TrackingStore(store.folder)
    part.load(first)
    assert provenance.behind({"one": part})["seconds"] == {"sum": 1.5}


def test_describes_the_cohort_and_everything_that_was_set() -> None:
    truth = Labels(np.array([0, 0, 1, 2, 2, 2]), np.array(["a", "b", "b", "c", "c", "d"]))
    cohort = phantom(Phantom(3, (2, 1, 3)), "phantom 3")
    identity = provenance.describe(replace(SMOKE_GRID, updates=7), cohort, truth, seed=3)
    assert identity["cohort"] == {
        "name": "phantom 3",
        "simulated": True,
        "digest": cohort.digest,
        "lesions": {"cyst": 2, "metastasis": 1, "hemangioma": 3},
        "patients": 4,
    }
    assert (identity["preset"], identity["seed"]) == ("smoke", 3)
    assert identity["resolved"]["updates"] == 7
    assert {"hepatica", "torch", "numpy"} <= identity["versions"].keys()
    json.dumps(identity)


def test_an_imported_cohort_is_not_called_simulated_unless_it_is(discs) -> None:
    truth = Labels(np.array([0, 1, 2]), np.array(["a", "b", "c"]))
    real = replace(discs, config=replace(discs.config, name="Site 7", simulated=False))
    identity = provenance.describe(SMOKE_GRID, real, truth, seed=1)["cohort"]
    assert (identity["name"], identity["simulated"]) == ("Site 7", False)
    assert identity["fingerprint"] == "0" * 64
