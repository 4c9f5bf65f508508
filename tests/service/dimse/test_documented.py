"""docs/pacs/listener.md says what the settings, the peers' file and the metrics are."""

import re
from pathlib import Path

import httpx

from service.dimse.peers import Sender, Target, load
from service.dimse.settings import ListenerSettings

TEXT = Path(__file__).parents[3].joinpath("docs/pacs/listener.md").read_text(encoding="utf-8")


def rows(heading):
    """A section's table, its head and rule left out."""
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_setting_and_its_default():
    told = [(name.strip("`"), default.strip("`")) for name, default, _ in rows("Configure it")]
    assert told == [
        (f"HEPATICA_DIMSE_{name.upper()}", "" if field.is_required() else str(field.default))
        for name, field in ListenerSettings.model_fields.items()
    ]


def test_every_key_of_the_target():
    told = re.findall(r"`target\.(\w+)`", "".join(row[0] for row in rows("Name its peers")))
    assert told == list(Target.model_fields)


def test_every_key_of_a_sender():
    told = re.findall(r"`senders\.AE\.(\w+)`", "".join(row[0] for row in rows("Name its peers")))
    assert told == list(Sender.model_fields)


def test_the_example_is_one(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "peers.toml").write_text(example)
    peers = load(tmp_path / "peers.toml")
    assert peers.may_send("CT ROOM 1", "192.0.2.65")
    assert not peers.may_send("CT ROOM 1", "192.0.2.65".replace("65", "1"))
    assert peers.may_send("WORKSTATION", "203.0.113.1")


def test_every_metric(shared_listener):
    text = httpx.get(shared_listener.url + "/metrics").text
    known = set(
        re.findall(r"^# TYPE (hepatica_listener_\w+?)(?:_total|_created)? ", text, re.MULTILINE)
    )
    told = {name.removesuffix("_total") for name in re.findall(r"`(hepatica_listener_\w+)", TEXT)}
    assert told == known
