"""The README's commands run as they stand, but for the port; its figures are the bundle's own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesion.bundle.read import read
from training.phantom.classes import CLASSES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def blocks(mark: str) -> list[str]:
    """The shell blocks behind a mark."""
    return re.findall(rf"<!-- {mark} -->\n```bash\n(.*?)```", TEXT, flags=re.DOTALL)


def shell(script: str, cwd: Path) -> str:
    # What the tests run in is what `make test` has set up: nothing is to be installed again.
    make = f'make() {{ command make --old-file={sys.prefix}/.dev VENV={sys.prefix} "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", make + script],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def run_example(server, tmp_path):
    """Run a block beside the examples, on the test's own server."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")

    def run(script: str) -> str:
        return shell(script.replace("http://127.0.0.1:3000", server.url), tmp_path)

    return run


def test_a_pacs_integrator_gets_the_three_answers(run_example):
    output = run_example(blocks("run")[0])
    decoder = json.JSONDecoder()
    answers = []
    while output := output.lstrip():
        answer, end = decoder.raw_decode(output)
        answers.append(answer)
        output = output[end:]
    assert len(answers) == 3
    by_seg, by_box, by_polygon = (answer["lesions"][0] for answer in answers)
    assert by_seg["diameter_mm"] == pytest.approx(18.6, abs=0.05)
    assert by_box["probabilities"] == pytest.approx(by_seg["probabilities"], abs=2e-4)
    assert np.ndim(list(by_polygon["activation_map"].values())) == 3


def test_the_answer_that_the_readme_shows_is_the_services(run_example):
    shown = json.loads(re.search(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)[1])
    answered = json.loads(run_example(blocks("run")[0].split("\n\n")[0]))["lesions"][0]
    for key, value in shown.items():
        if isinstance(value, dict) and key != "code":
            assert answered[key] == pytest.approx(value, abs=0.051), key
        elif key == "diameter_mm":
            assert answered[key] == pytest.approx(value, abs=0.05)
        else:
            assert answered[key] == value, key


def test_a_dataset_team_gets_its_files(run_example, tmp_path):
    run_example(blocks("run")[1])
    with Image.open(tmp_path / "cyst.png") as image:
        assert image.size == (64, 64)
    with np.load(tmp_path / "hemangioma.npz") as archive:
        assert archive[archive.files[0]].shape == (64, 64, 64)
    assert (tmp_path / "more.zip").stat().st_size > 32 * 1000


def test_a_platform_team_sees_it_ready_and_measured(run_example):
    output = run_example(blocks("run")[2])
    assert "hepatica_" in output
    assert read(ROOT / "models" / "default").digest in output


def test_an_ml_engineer_trains_a_bundle(tmp_path):
    """The training command, with the preset that is made for tests."""
    (block,) = blocks("run: PRESET=smoke")
    command = block.replace("PRESET=quick", "PRESET=smoke")
    command = command.replace("OUT=models/mine", f"OUT={tmp_path}/models/mine RUN={tmp_path}/run")
    shell(command, ROOT)
    assert sum(read(tmp_path / "models" / "mine").manifest.cohort.lesions.values()) == 182


def test_the_figures_are_those_of_the_default_bundle():
    evaluation = read(ROOT / "models" / "default").manifest.evaluation
    table = re.search(r"## What the default bundle is worth\n(.*?)\n## ", TEXT, flags=re.DOTALL)[1]
    figures = [evaluation.accuracy, *evaluation.arms.values()]
    figures += [
        by[name] for by in (evaluation.sensitivity, evaluation.specificity) for name in CLASSES
    ]
    for figure in figures:
        assert f"{100 * figure.value:.1f} ({100 * figure.low:.1f}–{100 * figure.high:.1f})" in table


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)]+)\)", TEXT))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()
