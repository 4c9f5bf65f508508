"""The whole reproduction, tiny: that each piece is written and well-formed, not that it is good."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from training import overrides
from training.evaluation.metrics import Interval
from training.pipeline import scheduler
from training.pipeline.artifacts import ArtifactStore
from training.presets import GRIDS, SMOKE_GRID
from training.reproduction import experiments
from training.reproduction.analyses import curves
from training.reproduction.analyses.catalogue import ANALYSES
from training.reproduction.claims.claims import CLAIMS
from training.reproduction.claims.verdicts import judge
from training.reproduction.protocol import ProtocolRun
from training.reproduction.tasks.cohort import Phantom, phantom

RESULTS = [one.name for one in ANALYSES if one.results is not None]
VERDICTS = {
    "consistent in simulation", "not consistent in simulation", "undecided", "not tested"
}  # fmt: skip


def reproduce_smoke(folder):
    command = [sys.executable, "-m", "training", "reproduce", "--preset", "smoke"]
    return subprocess.run(
        [*command, "--run", str(folder), "--workers", "2"],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduction")
    ran = reproduce_smoke(folder)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture(scope="module")
def results(finished):
    return json.loads((finished / "results.json").read_text())


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("name", RESULTS)
def test_every_section_has_its_figures(name, results):
    found = numbers(results[name])
    assert found
    assert all(number == number for number in found), "not a number"


def test_every_claim_has_a_verdict_by_its_rule(results):
    assert [claim["id"] for claim in results["claims"]] == [claim.id for claim in CLAIMS]
    assert {claim["verdict"] for claim in results["claims"]} <= VERDICTS
    assert all(claim["rule"] and claim["findings"] for claim in results["claims"])


@pytest.mark.parametrize("simulated", [True, False])
def test_a_sites_own_verdicts_are_none_in_simulation(simulated):
    found = {"DCGAN - ACGAN": Interval(0.1, 0.05, 0.15), "ACGAN - classic": Interval(-0.1, -0.2, 0)}
    claims = [experiments._claim(judged, simulated=simulated) for judged in judge(found)]
    told = {claim["verdict"] for claim in claims}
    assert told == {one["verdict"] for claim in claims for one in claim["findings"]}
    where = " in simulation" if simulated else ""
    assert told == {f"consistent{where}", f"not consistent{where}", "not tested"}


def test_the_report_says_what_it_is_and_needs_no_network(finished):
    page = (finished / "report.html").read_text()
    assert "phantom" in page[: page.index("<table")]
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_a_second_run_computes_nothing_and_finds_the_same(finished, results):
    before = {path: path.stat().st_mtime_ns for path in finished.glob("artifacts/**/artifact.json")}
    assert reproduce_smoke(finished).returncode == 0
    after = {path: path.stat().st_mtime_ns for path in finished.glob("artifacts/**/artifact.json")}
    assert after == before
    again = json.loads((finished / "results.json").read_text())
    assert {name: again[name] for name in RESULTS} == {name: results[name] for name in RESULTS}


def test_a_changed_parameter_recomputes_what_depends_on_it_alone(finished):
    store = ArtifactStore(finished / "artifacts")

    def missing(grid):
        cohort = phantom(Phantom(1, SMOKE_GRID.counts, SMOKE_GRID.augmentation), "cohort")
        protocol_runs = (ProtocolRun(grid, cohort, 1),)
        blue = curves.synthetic(protocol_runs, "dcgan", best=results_of(store))
        red = curves.classic(protocol_runs)
        return {
            task.kind.name
            for curve in (red, blue)
            for task in scheduler.pending(curves.of(curve), store)
        }

    def results_of(_):
        return json.loads((finished / "results.json").read_text())["chosen"]["classic"]

    assert missing(SMOKE_GRID) == set()
    assert missing(replace(SMOKE_GRID, cnn=replace(SMOKE_GRID.cnn, dropout=0.4))) == {"classifier"}
    slower = overrides.apply(SMOKE_GRID, ["gans.dcgan.learning_rate=0.0001"])
    assert missing(slower) == {"classifier", "generator"}
    assert missing(replace(SMOKE_GRID, updates=7)) == set()


def test_the_papers_grid_is_the_papers():
    paper = GRIDS["paper"]
    dcgan, acgan, _ = paper.gans
    assert paper.kinds == ("dcgan", "acgan", "conditional")
    assert paper.classic == (0, 500, 1000, 2000, 3000, 5000, 7500, 10000, 15000)
    assert paper.synthetic == (100, 500, 1000, 2000, 3000, 4000)
    assert sum(paper.counts) == 182
    assert sum(paper.new) == 78
    assert (dcgan.width, dcgan.epochs, paper.cnn.epochs) == (1024, 70, 150)
    assert (acgan.epochs, acgan.learning_rate) == (50, 0.0001)
    assert paper.cohorts.count >= 20
    assert paper.cohorts.test == 10_000
    assert paper.cohorts.upper_bound >= 1000
