"""The benchmark of a classification by reference: its figures, and once the whole of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import orthanc, pacs
from benchmarks.client import Load, Request

ROOT = Path(__file__).parents[2]


def load(p50_ms: float) -> Load:
    return Load(requests=20, seconds=2.0, p50_ms=p50_ms, p95_ms=2 * p50_ms, share=0.1)


def row(seen: list[float], pulled: list[list[float]]) -> pacs.Row:
    files = [Request("/file")] * len(pulled[0])
    rounds = [[load(file) for file in files_ms] for files_ms in pulled]
    return pacs.Row("/ask", Request("/classify"), files, 4, [load(ms) for ms in seen], rounds)


def test_a_ratio_is_that_of_a_round_and_of_all_files_together() -> None:
    found = row([30.0, 60.0, 50.0], [[10.0, 5.0], [10.0, 10.0], [5.0, 5.0]])
    assert found.over() == [2.0, 3.0, 5.0]
    head, _, line = (text.strip("| ").split(" | ") for text in pacs.text([found]).splitlines())
    cells = dict(zip(head, line, strict=True))
    assert (cells["p50 ms"], cells["p95 ms"], cells["WADO p50 ms"]) == ("50.0", "100.0", "15.0")
    assert (cells["p50 over WADO"], cells["rounds"]) == ("3.00", "2.00-5.00")
    assert cells["requests/s"] == "10.0"
    (kept,) = json.loads(json.dumps(pacs.data([found])))
    assert kept["p50_over_wado"] == [2.0, 3.0, 5.0]
    assert [file["p50_ms"] for file in kept["pulled"][0]] == [10.0, 5.0]


def test_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match=r"found no .*Orthanc"):
        pacs.main([])


@pytest.mark.skipif(
    shutil.which("Orthanc") is None or os.geteuid() != 0, reason="needs Orthanc, and root"
)
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: none for the client")
def test_measures_a_real_pacs(tmp_path: Path) -> None:
    orthanc.check()
    out = tmp_path / "pacs.json"
    command = [sys.executable, "-m", "benchmarks.pacs", "--rounds=1", "--seconds=0.01"]
    done = subprocess.run(
        [*command, f"--out={out}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(out.read_text())
    assert [(row["request"], row["concurrency"]) for row in measured["rows"]] == [
        ("/classify by reference, image and box", 1),
        ("/classify by reference, image and box", 4),
        ("/classify by reference, image and SEG", 1),
        ("/classify by reference, image and SEG", 4),
    ]
    assert [len(row["pulled"][0]) for row in measured["rows"]] == [1, 1, 2, 2]
    assert done.stdout.count("| /classify") == 4
