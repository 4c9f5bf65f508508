import sys
from pathlib import Path

import pytest

from training.cli import main
from training.data import cohort


def test_the_command_draws_a_cohort_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "cohort")
    command = ["training", "phantom", "--out", out, "--seed", "3", "--counts", "1", "0"]
    monkeypatch.setattr(sys, "argv", [*command, "0"])
    monkeypatch.setenv("COLUMNS", "40")  # narrower than the path
    main()
    assert f"{out}: 1 simulated lesions of seed 3\n" in capsys.readouterr().out
    assert len(cohort.read(Path(out)).lesions) == 1

    monkeypatch.setattr(sys, "argv", [*command, "1"])
    with pytest.raises(SystemExit, match="found another cohort"):
        main()
