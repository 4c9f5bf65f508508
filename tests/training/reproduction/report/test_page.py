"""The page is well formed, whole, on its own, and says nothing that `results.json` does not."""

import base64
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.reproduction.analyses import cohorts
from training.reproduction.report import page, result_files
from training.reproduction.report.page import Page

from .known import known_numbers

#: Each of the paper's tables and figures that this page answers, and what goes beyond the paper.
FIGURES = ("fig-3", "fig-6", "fig-8", "fig-9", "cohorts-figure", "risk-coverage")
TABLES = (
    "claims-table", "evidence-table", "cohorts-arms", "cohorts-differences", "cohorts-power",
    "beyond-once", "beyond-flips", "beyond-flips-gain",
    "fig-8-classic", "fig-8-added", "table-2", "table-3", "table-4", "table-4-real", "table-5",
    "table-6", "table-7", "selection", "paired", "seeds-arms", "seeds-pairs", "controls-table",
    "quality-network",
    "quality-texture", "memorisation", "membership", "diversity", "separation-table",
    "deployment-fresh", "neighbours", "made", "settings",
)  # fmt: skip


def parse(html: str) -> ET.Element:
    return ET.fromstring(html.removeprefix("<!doctype html>"))


def text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def cells(root: ET.Element, table: str) -> dict[str, list[ET.Element]]:
    """A table's cells by its rows' names."""
    rows = root.findall(f".//table[@id='{table}']/tbody/tr")
    return {text(row.find("th")): row.findall("td") for row in rows}


@pytest.fixture(scope="module")
def root(whole: Page) -> ET.Element:
    return parse(whole.html)


def test_is_whole(root: ET.Element) -> None:
    assert {figure.get("id") for figure in root.iter("figure")} >= set(FIGURES)
    assert {table.get("id") for table in root.iter("table")} == set(TABLES)


def test_ids_are_unique_and_links_lead_somewhere(root: ET.Element) -> None:
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    links = [a.get("href") for a in root.iter("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_needs_no_network_and_no_script(whole: Page, root: ET.Element) -> None:
    assert not list(root.iter("script"))
    assert not list(root.iter("link"))
    assert all(image.get("src").startswith("data:image/") for image in root.iter("img"))
    outside = re.sub(r'src="data:[^"]*"', "", whole.html)
    assert not re.search(r"https?:|url\(|@import|\son\w+=", outside)
    for picture in whole.pictures:
        if picture.name.endswith(".svg"):
            drawn = picture.data.decode()
            assert not re.search(r"(?<!xlink=\")(?<!xmlns=\")https?:|<script|<!DOCTYPE", drawn)
            ET.fromstring(drawn)


def test_embeds_every_picture_with_words(whole: Page, root: ET.Element) -> None:
    images = list(root.iter("img"))
    shown = [base64.b64decode(image.get("src").partition(",")[2]) for image in images]
    assert shown == [picture.data for picture in whole.pictures]
    assert all(len(image.get("alt")) > 20 for image in images)


def test_tables_have_a_caption_and_as_many_cells_as_columns(root: ET.Element) -> None:
    for table in root.iter("table"):
        assert text(table.find("caption"))
        widths = {
            sum(int(cell.get("colspan", 1)) for cell in row)
            for row in [*table.findall("thead/tr"), *table.findall("tbody/tr")]
        }
        assert len(widths) == 1, table.get("id")


def test_says_phantom_before_anything_else(root: ET.Element) -> None:
    assert text(root.find("body")).startswith("Phantom, not patients.")
    assert "phantom" in text(root.find("head/title"))
    assert "Research only" in text(root.find("body/header"))


@pytest.mark.usefixtures("sketched")
def test_names_a_site_and_calls_it_no_phantom(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    results["run"]["cohort"] |= {"name": "<Site> 7", "simulated": False}
    for claim in results["claims"]:
        for one in (claim, *claim["findings"]):
            one["verdict"] = one["verdict"].removesuffix(" in simulation")
    made = page.render(results, arrays)
    body = parse(made.html).find("body")
    assert text(body).startswith("<Site> 7.")
    assert "hantom, not patients" not in made.html
    assert "SIMULATED" not in made.html
    assert "in simulation" not in made.html
    assert " not consistent, " in made.html
    assert (
        "fresh lesions, further cohorts and what is none of the classes are simulated" in made.html
    )


@pytest.mark.usefixtures("sketched")
def test_says_whose_luck_is_in_the_intervals(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    once = "every network was trained once"
    results["seeds"] = None
    root = parse(page.render(results, arrays).html)
    for section in ("claims", "evidence", "paired-arms"):
        assert once in text(root.find(f".//section[@id='{section}']"))
    results["run"]["resolved"]["repeats"] = 3
    assert once not in page.render(results, arrays).html


@pytest.mark.usefixtures("sketched")
def test_shows_how_far_repeats_lie_apart(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    results["run"]["resolved"]["repeats"] = 3
    results["paired"]["repeats"] = {
        "arms": {
            "classic": {"runs": 3, "mean": 0.75, "sd": [0.02, 0.01, 0.13], "low": 0.7, "high": 0.8}
        },
        "pairs": {"gan - classic": {"difference": [0.03, -0.01, 0.07], "p": 0.14}},
    }
    root = parse(page.render(results, arrays).html)
    (arm,) = cells(root, "repeats-arms").values()
    assert list(map(text, arm)) == ["75.0", "2.0 (1.0 to 13.0)", "70.0", "80.0"]
    (pair,) = cells(root, "repeats-pairs").values()
    assert list(map(text, pair)) == ["+3.0 (−1.0 to +7.0)", ".14"]


@pytest.mark.usefixtures("sketched")
def test_shows_how_far_seeds_lie_apart(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    results["seeds"] = {
        "arms": {
            "classic": {"runs": 3, "mean": 0.75, "sd": [0.02, 0.01, 0.13], "low": 0.7, "high": 0.8}
        },
        "pairs": {
            "gan - classic": {
                "difference": [0.03, -0.01, 0.07],
                "p": 0.14,
                "each": [0.01, 0.0, -0.02],
                "sd": 0.015,
                "seeds_needed": [4, None],
            }
        },
        "gains": [0.071, 0.02],
    }
    root = parse(page.render(results, arrays).html)
    assert "with 3 seeds of its networks" in text(root.find(".//table[@id='seeds-arms']"))
    (arm,) = cells(root, "seeds-arms").values()
    assert list(map(text, arm)) == ["75.0", "2.0 (1.0 to 13.0)", "70.0", "80.0"]
    (pair,) = cells(root, "seeds-pairs").values()
    differences = ["+3.0 (−1.0 to +7.0)", ".14", "+1.0, 0.0, −2.0", "1.5"]
    assert list(map(text, pair)) == [*differences, "4", "–"]
    assert "every network was trained once" not in text(root)
    results["seeds"] = None
    root = parse(page.render(results, arrays).html)
    assert root.find(".//table[@id='seeds-arms']") is None


@pytest.mark.usefixtures("sketched")
def test_says_how_long_networks_were_trained(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    assert "4 updates, whatever its group" in page.render(results, arrays).html
    results["run"]["resolved"]["cnn"]["updates"] = None
    assert "trained for 150 epochs, the paper" in page.render(results, arrays).html


@pytest.mark.usefixtures("sketched")
def test_says_what_the_results_were_made_on(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    results["run"].pop("made_on", None)  # as in results of older versions
    rows = cells(parse(page.render(results, arrays).html), "made")
    assert [text(*rows[name]) for name in ("made on", "made by torch")] == ["not recorded"] * 2
    results["run"]["made_on"] = {"device": {"GPU 1": 7, "cpu: A": 2}, "torch": {"2.13": 9}}
    rows = cells(parse(page.render(results, arrays).html), "made")
    assert text(*rows["made on"]) == "GPU 1 (7 tasks); cpu: A (2 tasks)"
    assert text(*rows["made by torch"]) == "2.13 (9 tasks)"


@pytest.mark.usefixtures("sketched")
def test_says_what_was_not_run(results: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    for name in (
        "claims", "quality", "cohorts", "beyond", "nested", "separation", "readers", "paired",
    ):  # fmt: skip
        del results[name]
    bare = parse(page.render(results, arrays).html)
    told = text(bare.find("body/header/ul"))
    for words in ("verdicts", "quality", "Fig. 9", "Table 4", "no person", "15000 per fold"):
        assert words in told
    sections = {section.get("id") for section in bare.iter("section")}
    assert sections == {
        "curves", "generators", "methods", "controls", "pictures", "deployment", "provenance",
    }  # fmt: skip


def test_every_number_is_in_the_results(root: ET.Element, results: dict[str, Any]) -> None:
    known = known_numbers(results)
    shown = list(root.iter("data"))
    assert len(shown) > 300
    for one in shown:
        value, written = float(one.get("value")), "".join(text(one).split())
        assert value in known or np.isclose(value, list(known), rtol=1e-12).any()
        decimals = len(written.partition(".")[2])
        read = float(written.replace("−", "-"))
        assert any(abs(read - scale * value) <= 0.5001 * 10**-decimals for scale in (1, 100))


def test_sets_methods_beside_the_papers(root: ET.Element, results: dict[str, Any]) -> None:
    rows = cells(root, "table-6")
    for name, key, theirs in (
        ("BoVW-MI-multi", "bovw-mi-multi", ["82.9", "90.8"]),
        ("GLCM + SVM", "glcm-svm", ["71.4", "84.9"]),
    ):
        found = results["baselines"][key]
        value, low, high = (100 * bound for bound in found["accuracy"])
        ours, paper, specificity, paper_specificity = map(text, rows[name])
        assert ours == f"{value:.1f} ({low:.1f} to {high:.1f})"
        assert specificity == f"{100 * found['weighted_specificity']:.1f}"
        assert [paper, paper_specificity] == theirs


def test_sets_confusions_beside_the_papers(root: ET.Element, results: dict[str, Any]) -> None:
    (point,) = (
        p for p in results["curves"]["dcgan"] if p["size"] == results["chosen"]["synthetic"]
    )
    row = list(map(text, cells(root, "table-3")["metastasis"]))
    assert row == [*map(str, point["confusion"][1]), "2", "52", "10"]


def test_gives_each_claim_its_verdict(root: ET.Element, results: dict[str, Any]) -> None:
    rows = root.findall(".//table[@id='claims-table']/tbody/tr")
    assert [text(row.findall("td")[0]) for row in rows] == [
        found["verdict"] for found in results["claims"]
    ]
    findings = [finding for found in results["claims"] for finding in found["findings"]]
    evidence = root.findall(".//table[@id='evidence-table']/tbody/tr")
    assert [text(row.findall("td")[3]) for row in evidence] == [f["verdict"] for f in findings]
    rules = text(root.find(".//dl[@id='rules']"))
    for found in results["claims"]:
        assert found["rule"].replace(" %", "\u00a0%").split()[0] in rules


def test_is_the_same_page_for_the_same_run(whole: Page, results: dict[str, Any], arrays) -> None:
    assert page.render(results, arrays) == whole


def test_publishes_small_files(
    tmp_path: Path, results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    result_files.save(results, arrays, run)
    (out / "figures").mkdir(parents=True)
    (out / "figures" / "old.png").touch()
    page.publish(run, out)
    assert json.loads((out / "results.json").read_text()) == results
    figures = {path.name for path in (out / "figures").iterdir()}
    assert {"fig-8-curves.svg", "fig-6-cyst-dcgan.png", "cohorts.svg"} <= figures
    assert "old.png" not in figures
    weight = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert weight < 2_000_000


def test_an_unfinished_run_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"results\.json"):
        page.write(tmp_path)


@pytest.mark.usefixtures("sketched")
def test_says_which_ways_reach_the_goal(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    for looks in ("once", "flips"):
        for gain in results["beyond"][looks]["gains"].values():
            gain["goal"] = False
    assert "No arm reaches it." in text(parse(page.render(results, arrays).html))
    results["beyond"]["flips"]["gains"]["mixup"]["goal"] = True
    said = text(parse(page.render(results, arrays).html))
    assert (
        "Reached by: classic + two lesions of a class, mixed pixel by pixel (with flips)." in said
    )


@pytest.mark.usefixtures("sketched")
def test_a_run_of_the_claims_own_arms_says_so(
    results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    results["run"]["resolved"]["cohorts"]["further"] = []
    keep_needed_arms(results)
    page_of_few = parse(page.render(results, arrays).html)
    told = text(page_of_few.find("body/header/ul"))
    assert "can do without: none, conditional, fewer, mixup, background_transfer" in told
    assert set(cells(page_of_few, "beyond-flips")) == {
        "classic augmentation",
        "classic + synthetic (DCGAN per class)",
        "upper bound: fresh lesions in place of augmented few",
    }
    assert "need no network" not in text(page_of_few)


def keep_needed_arms(results: dict[str, Any]) -> None:
    """Leave of a run's cohort-level test what the preset `cohorts` runs."""
    claim, beyond = results["cohorts"], results["beyond"]
    tables = [claim["accuracy"], claim["negative_log_likelihood"], beyond["flips_gain"]]
    for looks in ("once", "flips"):
        found = beyond[looks]
        tables += [found["accuracy"], found["negative_log_likelihood"], found["gains"]]
    for table in tables:
        for name in set(table) - set(cohorts.NEEDED):
            del table[name]
    beyond["arms"] = {}
    for name in [n for n in claim["comparisons"] if "none" in n or "conditional" in n]:
        del claim["comparisons"][name]
    del results["paired"]["cohorts"]["conditional - classic"]


@pytest.mark.parametrize(("most", "said"), [(0.02, True), (0.08, False)])
@pytest.mark.usefixtures("sketched")
def test_says_where_no_images_could_have_gained_what_the_papers_did(
    most: float, said: bool, results: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    results["cohorts"]["comparisons"]["upper_bound - classic"]["difference"] = [0.01, 0.0, most]
    words = text(parse(page.render(results, arrays).html))
    told = "at most 2.0 points (95 %): not even these lesions add the paper's 7.1"
    assert (told in words) is said
