"""The commands: what `make` would do, asked with its own dry run, and what .ci/run calls."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def dry_run(*arguments: str) -> str:
    """Return the commands that would run, continued lines joined."""
    done = make("--dry-run", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\\\n", " ")


def targets() -> set[str]:
    return set(re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE))


def test_help_lists_each_command() -> None:
    shown = {line.split()[0] for line in make("help").stdout.splitlines()}
    assert shown == targets()
    assert make().stdout == make("help").stdout


@pytest.mark.parametrize("document", ["README.md", *sorted(Path(ROOT / "docs").glob("*.md"))])
def test_documents_name_only_commands_that_exist(document: str | Path) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"(?:^|`|\$ )make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert named <= targets()


def test_a_fresh_clone_serves_from_the_lock_without_torch(tmp_path: Path) -> None:
    commands = dry_run("serve", f"VENV={tmp_path}/venv", "PORT=3123", "BUNDLE=models/mine")
    assert "--require-hashes" in commands
    assert "requirements/serve.txt" in commands
    assert "torch" not in commands
    assert "HEPATICA_BUNDLE=models/mine" in commands
    assert "python -m service --host 127.0.0.1 --port 3123" in commands


def test_tests_get_torch_alone_and_before_the_rest(tmp_path: Path) -> None:
    commands = dry_run("test", f"VENV={tmp_path}/venv")
    lock, torch, rest = (commands.index(it) for it in ("serve.txt\n", "torch==", "--editable"))
    assert lock < torch < rest


@pytest.mark.parametrize(
    ("gpu", "offered", "installed"),
    [
        (False, True, ["torch==2.13.0+cpu"]),
        (False, False, ["torch==2.13.0+cpu", "torch==2.13.0"]),
        (True, True, ["torch==2.13.0"]),
    ],
)
def test_torch_comes_without_cuda_where_there_is_no_gpu_and_an_index_has_it(
    tmp_path: Path, gpu: bool, offered: bool, installed: list[str]
) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / ".python").touch()
    (venv / ".serve").touch()
    pip = venv / "bin/pip"
    pip.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
        + ("" if offered else 'case "$*" in *+cpu) echo "none" >&2; exit 1;; esac\n')
    )
    pip.chmod(0o755)
    tools = tmp_path / "tools"
    tools.mkdir()
    if gpu:
        (tools / "nvidia-smi").write_text("#!/bin/sh\n")
        (tools / "nvidia-smi").chmod(0o755)
    for name in ("bash", "touch", "sh"):
        (tools / name).symlink_to(shutil.which(name) or name)
    done = make(
        f"{venv}/.torch", f"VENV={venv}", f"PATH={tools}", "TORCH_INDEX=https://index.example/cpu"
    )
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[-1] for line in asked] == installed
    assert all("--extra-index-url https://index.example/cpu" in line for line in asked)
    assert ("6 GB" in done.stdout) is (len(installed) == 2)


def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    venv.mkdir()
    for stamp in (".python", ".serve", ".torch", ".dev"):
        (venv / stamp).touch()
    assert "pip install" not in dry_run("test", f"VENV={venv}")
    assert "pip install" in dry_run("test", f"VENV={venv}", "--what-if=requirements/serve.txt")


def test_another_python_is_refused_in_plain_words(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" || exit 1\n')
    old.chmod(0o755)
    done = make("serve", f"PYTHON={old}", f"VENV={tmp_path}/venv")
    assert done.returncode != 0
    assert "Found Python 3.9.2, expected Python 3.11 or 3.12" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_without_an_engine_an_image_is_refused_in_plain_words() -> None:
    done = make("image", "ENGINE=")
    assert done.returncode != 0
    assert "found no docker, podman or buildah that runs" in done.stderr


@pytest.mark.parametrize(("engine", "formatted"), [("docker", False), ("buildah", True)])
def test_an_image_keeps_its_health_check(engine: str, *, formatted: bool) -> None:
    """Images in the OCI format, the default outside Docker, have no HEALTHCHECK."""
    command = shlex.split(dry_run("image", f"ENGINE={engine}"))
    assert command[command.index("build") - 1] == engine
    assert ("--format" in command) is formatted


def test_training_reads_the_given_cohort_and_draws_one_where_none_is_given(tmp_path: Path) -> None:
    given = dry_run("train-export", f"COHORT={tmp_path}", "PRESET=smoke", "OUT=models/mine")
    assert "training phantom" not in given
    assert f"--cohort {tmp_path} --preset smoke --run runs/mine --out models/mine" in given
    if not (ROOT / "cohorts/phantom").exists():
        assert "training phantom --out cohorts/phantom" in dry_run("train-export")
    assert make("--dry-run", "train-export", f"COHORT={tmp_path}/none").returncode != 0


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    called = re.findall(r"^make (\S+)$", script.read_text(), re.MULTILINE)
    assert called == ["check", "test", "bento"]


def test_commit_hooks_are_those_of_make_check() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    checks = re.findall(r"\$\(VENV\)/bin/(\S+)", MAKEFILE.split("\ncheck:")[1].split("\n\n")[0])
    assert [Path(hook["entry"].split()[0]).name for hook in hooks] == checks
    assert {hook["language"] for hook in hooks} == {"system"}


def test_the_paper_is_reproduced_on_the_phantom_or_on_a_named_cohort() -> None:
    phantom = dry_run("reproduce").split("-m training reproduce")[1]
    assert phantom.split() == ["--preset", "quick", "--run", "runs/reproduce-quick"]
    mine = dry_run("reproduce", "COHORT=mine", "PRESET=paper", "RUN=there", "ARGS=--minutes 9")
    named = "--cohort mine --preset paper --run there --minutes 9"
    assert mine.split("-m training reproduce")[1].split() == named.split()
    assert "cohorts/phantom" in dry_run("train-export")
