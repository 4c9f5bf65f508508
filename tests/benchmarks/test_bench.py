"""The whole harness, once, on a real server: that it runs and what it writes, never how fast."""

import json
import os
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.bare import timed
from benchmarks.machine import cores, on_core
from benchmarks.parts import parts
from lesion.bundle.read import read

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / os.environ.get("HEPATICA_BUNDLE", "models/default")

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="one core: none is left for the client"
)


def test_measures_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bench.json"
    few = ["--rounds=1", "--seconds=0.01", "--starts=1"]
    main([*few, f"--out={out}", f"--bundle={BUNDLE}"])
    bundle = read(BUNDLE)
    expected = [(part.name, number) for part in parts(bundle) for number in part.concurrency]
    table = [
        line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| /")
    ]
    assert [(name.strip("| "), int(number)) for name, number, *_ in table] == expected
    assert {len(line) for line in table} == {13}
    measured = json.loads(out.read_text())
    assert [(row["request"], row["concurrency"]) for row in measured["rows"]] == expected
    assert all(row["served"][0]["images"] > 0 for row in measured["rows"])
    assert measured["bundle"]["digest"] == bundle.digest
    assert measured["machine"]["packages"]["onnxruntime"]
    assert measured["memory_mb"]["after"]["resident"] > 50


def test_notices_an_answer_unlike_that_of_the_bare_functions() -> None:
    patch = next(iter(parts(read(BUNDLE))))
    lesion = {"probabilities": {"cyst": 0.2, "metastasis": 0.5, "hemangioma": 0.3}}
    assert not patch.agrees(json.dumps({"lesions": [lesion]}).encode())


def test_names_no_part_that_is_not_there() -> None:
    with pytest.raises(SystemExit, match="found no part with 'nothing'"):
        main(["--only=nothing", f"--bundle={BUNDLE}"])


def test_a_core_is_given_back() -> None:
    before = os.sched_getaffinity(0)
    server, client = cores()
    assert server != client
    with on_core(server):
        assert os.sched_getaffinity(0) == {server}
    assert os.sched_getaffinity(0) == before


def test_times_whole_calls() -> None:
    calls = []
    found = timed(lambda: calls.append(1), images=3, seconds=0.01)
    assert found.images == 3 * len(calls)
    assert found.seconds >= 0.01
