"""The image, read as text: what can be seen without building it."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BENTOFILE = yaml.safe_load((ROOT / "bentofile.yaml").read_text())


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, comments dropped and continued lines joined."""
    lines = [
        line
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.split("\n"))]


def values(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def value(word: str) -> str:
    (only,) = values(word)
    return only


def arguments() -> dict[str, str]:
    return dict(rest.split("=", 1) for rest in values("ARG") if "=" in rest)


def copied() -> list[str]:
    """Return what the Dockerfile copies from the working tree."""
    lines = [shlex.split(rest) for rest in values("COPY") if not rest.startswith("--from=")]
    return [
        source.replace("${LOCK}", arguments()["LOCK"]) for line in lines for source in line[:-1]
    ]


def test_the_base_is_named_once_and_can_be_replaced() -> None:
    assert values("FROM") == ["${BASE} AS venv", "venv AS bento", "${BASE} AS runtime"]
    assert re.fullmatch(r"python:3\.(11|12)-slim-\w+", arguments()["BASE"])


def test_packages_come_from_the_lock_that_everything_shares() -> None:
    assert arguments()["LOCK"] == BENTOFILE["python"]["requirements_txt"]
    assert f"LOCK ?= {arguments()['LOCK']}\n" in (ROOT / "Makefile").read_text()
    (install,) = [rest for rest in values("RUN") if "pip" in rest]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_exists_and_reaches_the_builder(source: str) -> None:
    assert (ROOT / source).exists()
    admitted = [line[1:] for line in ignored() if line.startswith("!")]
    assert any(Path(source).match(pattern) for pattern in admitted)


def ignored() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_nothing_else_reaches_the_builder() -> None:
    assert ignored()[0] == "*"
    admitted = {line[1:] for line in ignored() if line.startswith("!")}
    assert admitted == {
        "bentofile.yaml",
        "requirements/serve*.txt",
        "lesion",
        "service",
        "models/default",
    }


def test_the_bento_is_copied_whole() -> None:
    """What bentofile.yaml includes is what the stage that builds the bento is given."""
    rooms = {pattern.split("/*")[0] for pattern in BENTOFILE["include"]}
    assert rooms == {
        source for source in copied() if source not in ("bentofile.yaml", arguments()["LOCK"])
    }


def test_the_process_is_a_number_without_rights() -> None:
    user, group = value("USER").split(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000


def test_a_volume_for_the_spool_is_given_to_the_process() -> None:
    """An engine makes a new volume of whoever has the folder in the image, else of root."""
    (made,) = [shlex.split(rest) for rest in values("RUN") if rest.startswith("install")]
    owner, group, mode = (made[made.index(option) + 1] for option in ("-o", "-g", "-m"))
    assert (f"{owner}:{group}", mode) == (value("USER"), "700")
    guide = (ROOT / "docs/pacs/listener.md").read_text()
    assert f"-v hepatica-spool:{made[-1]} " in guide
    assert f"HEPATICA_DIMSE_SPOOL={made[-1]} " in guide


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in values("ENV") for pair in shlex.split(rest))


def test_the_process_is_the_server_itself() -> None:
    """No shell and no parent between: a signal reaches it, and its end is the container's."""
    assert json.loads(value("ENTRYPOINT")) == ["python3", "-m", "service"]
    assert values("WORKDIR")[-1] == "/bento/src"
    command = json.loads(value("CMD"))
    assert command[command.index("--port") + 1] == value("EXPOSE").split()[0]


def test_health_is_readiness_asked_apart_from_requests() -> None:
    check, port = value("HEALTHCHECK"), value("EXPOSE").split()[1]
    assert environment()["HEPATICA_PROBE_PORT"] == port
    assert f":{port}/readyz" in check
    assert json.loads(check[check.index("CMD ") + 4 :])[0] == "python3"


def test_nothing_is_told_to_anybody() -> None:
    assert environment()["BENTOML_DO_NOT_TRACK"] == "True"


def test_only_tmp_is_written() -> None:
    assert environment()["HOME"] == "/tmp"
    assert environment()["BENTOML_HOME"].startswith("/tmp/")
    assert environment()["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_labels_say_what_it_is_not() -> None:
    labels = dict(pair.split("=", 1) for pair in shlex.split(value("LABEL")))
    assert labels["hepatica.intended-use"] == BENTOFILE["labels"]["intended-use"] == "research-only"
    assert labels["org.opencontainers.image.description"] == BENTOFILE["description"]
    assert "not a medical device" in BENTOFILE["description"]
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"] == "${VERSION}"
