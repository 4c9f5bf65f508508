import sys
from pathlib import Path

import pytest

from training.cli import main
from training.data import cohort


def test_the_command_draws_a_cohort_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "cohort")
    command = ["training", "phantom", "--out", out, "--seed", "3", "--counts", "1", "1"]
    monkeypatch.setattr(sys, "argv", [*command, "1"])
    monkeypatch.setenv("COLUMNS", "40")  # narrower than the path
    main()
    assert f"{out}: 3 simulated lesions of seed 3\n" in capsys.readouterr().out
    assert len(cohort.read(Path(out)).lesions) == 3

    monkeypatch.setattr(sys, "argv", [*command, "2"])
    with pytest.raises(SystemExit, match="found another cohort"):
        main()
