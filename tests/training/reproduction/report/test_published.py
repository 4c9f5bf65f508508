"""The reports that are committed: whole, small, and every number that the docs quote is in them."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.html.blocks import percent, points, signed
from training.reproduction.report import page, result_files

from .known import known_numbers

ROOT = Path(__file__).parents[4]
PUBLISHED = ROOT / "docs" / "reproduction"


#: Where each report that is committed lies, by the preset that it was run with.
REPORTS = {"quick": PUBLISHED, "cohorts": PUBLISHED / "cohorts"}


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / result_files.RESULTS).read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=REPORTS)
def report(request) -> tuple[Path, dict[str, Any]]:
    folder = REPORTS[request.param]
    return folder, read(folder)


def test_is_of_the_phantom(report):
    _, results = report
    assert results["run"]["cohort"]["simulated"] is True


def test_it_is_whole_and_small(report):
    folder, _ = report
    told = (folder / page.README).read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)]+)\)", told))
    assert {
        result_files.RESULTS,
        page.PAGE,
        "figures/fig-8-curves.svg",
        "figures/cohorts.svg",
    } <= linked
    assert all((folder / one).is_file() for one in linked)
    committed = [*folder.iterdir(), *(folder / "figures").iterdir()]
    assert sum(one.stat().st_size for one in committed if one.is_file()) < 2_000_000


def test_its_page_shows_no_number_that_is_not_in_the_results(report):
    folder, results = report
    shown = re.findall(r'<data value="([^"]+)">', (folder / page.PAGE).read_text("utf-8"))
    known = np.array(sorted(known_numbers(results)))
    missing = [
        value for value in map(float, shown) if not np.isclose(known, value, rtol=1e-9).any()
    ]
    assert len(shown) > 300
    assert not missing


def test_the_docs_quote_the_twenty_cohorts_as_they_are():
    results = read(PUBLISHED / "cohorts")
    told = " ".join((ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8").split())
    claim, flips = results["cohorts"], results["beyond"]["flips"]
    gain, headroom = (
        claim["comparisons"][f"{name} - classic"] for name in ("synthetic", "ceiling")
    )
    with_flips = flips["gains"]["synthetic"]
    assert with_flips["difference"][1] > 0 > gain["difference"][1]
    likelihood = {name: np.mean(each) for name, each in claim["negative_log_likelihood"].items()}
    likely = gain["negative_log_likelihood"]
    assert likely[2] < 0
    once, often = (
        {name: way["difference"] for name, way in results["beyond"][looks]["gains"].items()}
        for looks in ("once", "flips")
    )
    gains = results["beyond"]["once"]["gains"]
    assert not any(way["goal"] for way in (*gains.values(), *flips["gains"].values()))
    likely_of = results["beyond"]["once"]["negative_log_likelihood"]
    shares = {
        name: percent(gains[name]["share"], decimals=0)
        for name in ("transplanted", "recomposed", "resettled")
    }
    readme_told = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (
        f"a DCGAN's images add {written(gain['difference'])} to classic augmentation, and "
        f"{written(with_flips['difference'], unit='')} where each lesion's flips are averaged; "
        "lesions put into another patient's surroundings, without a network, add "
        f"{written(once['transplanted'], unit='')}"
    ) in readme_told
    for words in (
        f"{claim['cohorts']} cohorts of 182, {claim['test_lesions']:,} fresh lesions",
        f"images add {written(gain['difference'])} to classic augmentation",
        f"in place of the cohort's add {written(headroom['difference'], unit='')}",
        f"from {likelihood['classic']:.2f} to {likelihood['synthetic']:.2f}, by "
        f"{signed(likely).text} {signed(likely).quiet}",
        f"With flips they add {written(with_flips['difference'])}, which is "
        f"{percent(with_flips['share'], decimals=0).text} % of the headroom "
        f"{percent(with_flips['share'], decimals=0).quiet}",
        f"surroundings add {written(once['transplanted'])}, which is {shares['transplanted'].text} "
        f"% of the headroom {shares['transplanted'].quiet}",
        f"with flips {written(often['transplanted'], unit='')}. Negative log-likelihood falls to "
        f"{np.mean(likely_of['transplanted']):.2f}",
        f"they add as much: {written(once['recomposed'])}",
        f"add no more: {written(once['resettled'])}, {shares['resettled'].text} % "
        f"{shares['resettled'].quiet}",
        f"share of the headroom is {shares['recomposed'].text} % {shares['recomposed'].quiet}, "
        f"with flips it adds {written(often['recomposed'], unit='')}",
        f"| {claim['cohorts']} | [its report](reproduction/cohorts/README.md) |",
        f"{sum(results['run']['seconds'].values()) / 60:.0f} minutes with `quick`'s",
    ):
        assert words in told


def test_the_docs_quote_the_seeds_as_they_are():
    results = read(PUBLISHED / "cohorts")
    told = " ".join((ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8").split())
    found, pairs = results["seeds"], results["seeds"]["pairs"]
    assert {arm["runs"] for arm in found["arms"].values()} == {5}
    gain, augmented = pairs["synthetic - classic"], pairs["classic - none"]
    one = results["paired"]["lesions"]
    assert gain["each"][0] == pytest.approx(one["synthetic - classic"]["difference"][0])
    assert augmented["each"][0] == pytest.approx(one["classic - none"]["difference"][0])
    for words in (
        f"images add {written(gain['difference'])} to classic augmentation on the same 182 "
        f"lesions: {points(gain['each'][0]).text} with the seed that all else is reported of, "
        f"{points(min(gain['each'])).text} with the worst",
        f"adds {written(augmented['difference'])} to none, where that one seed has "
        f"{points(augmented['each'][0]).text}",
    ):
        assert words in told


def test_the_docs_quote_the_quick_one_as_it_is():
    results = read(PUBLISHED)
    told = " ".join((ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8").split())
    cohorts, verdicts = results["cohorts"], Counter(one["verdict"] for one in results["claims"])
    gain, headroom = (
        cohorts["comparisons"][name]["difference"]
        for name in ("synthetic - classic", "ceiling - classic")
    )
    beyond = results["beyond"]
    looks = ("once", "flips")
    assert not any(way["goal"] for k in looks for way in beyond[k]["gains"].values())
    once, flips = (
        {name: way["difference"] for name, way in beyond[k]["gains"].items()} for k in looks
    )
    likelihood = {
        name: np.mean(each) for name, each in beyond["once"]["negative_log_likelihood"].items()
    }
    chosen = results["chosen"]["classic"]
    (folds,) = (p for p in results["curves"]["classic"] if p["size"] == chosen)
    alone = results["controls"]["arms"]["synthetic alone"]
    for name in ("synthetic", "recomposed"):
        _, low, high = beyond["once"]["gains"][name]["negative_log_likelihood"]
        assert low < 0 < high
    cnn = results["run"]["resolved"]["cnn"]
    for words in (
        f"one repeat, {cohorts['cohorts']} cohorts, every classifier trained for "
        f"{cnn['updates']} updates of {cnn['batch']} on the folds and {cohorts['updates']} over",
        f"Of {len(results['claims'])} claims {verdicts['consistent in simulation']} are consistent "
        f"in simulation, {verdicts['not consistent in simulation']} are not, "
        f"{verdicts['undecided']} are undecided and {verdicts['not tested']} not tested",
        f"images add {written(gain)} to classic augmentation",
        f"in place of the cohort's add {written(headroom, unit='')}",
        f"with longer training, they add {written(once['transplanted'], unit='')}.",
        f"images alone gets {100 * alone['accuracy'][0]:.1f} % right",
        f"falls from {likelihood['classic']:.2f} to {likelihood['synthetic']:.2f}, "
        f"and to {likelihood['recomposed']:.2f} with images that need no network",
        f"the DCGANs' {written(beyond['flips_gain']['synthetic']['difference'], unit='')}",
        f"ahead of classic augmentation by {written(flips['synthetic'], unit='')}",
        f"gets {100 * folds['accuracy'][0]:.1f} % on its folds and "
        f"{100 * np.mean(cohorts['accuracy']['classic']):.1f} % on the fresh",
        f"took {sum(results['run']['seconds'].values()) / 60:.0f} minutes in all",
        f"cohorts it adds {written(cohorts['comparisons']['classic - none']['difference'])}",
        f"| {cohorts['cohorts']} | [its report](reproduction/README.md) |",
    ):
        assert words in told


def written(difference: list[float], unit: str = " points") -> str:
    number = points(difference)
    return f"{number.text}{unit} {number.quiet}"


def test_the_decisions_quote_the_arms_that_were_dropped_as_they_were():
    told = " ".join((ROOT / "docs" / "decisions.md").read_text(encoding="utf-8").split())
    quick, cohorts = (read(folder)["beyond"]["once"]["gains"] for folder in REPORTS.values())
    for words in (
        f"added {written(cohorts['rescanned']['difference'])} over twenty cohorts",
        f"added {written(cohorts['joined']['difference'])}, less than",
        f"added {written(quick['filtered']['difference'])} over four",
    ):
        assert words in told
