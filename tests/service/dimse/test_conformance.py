"""docs/pacs/conformance.md says what the code does: classes, syntaxes, statuses, identifiers."""

import re
from pathlib import Path

import pytest
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from lesion import __version__
from service.dimse import intake, pdu, receive, send
from service.dimse.identity import KINDS, TRANSFER_SYNTAXES, IdentityError, refusal_status
from service.dimse.settings import ListenerSettings
from service.problems import PacsBusyError, PacsStoreError
from service.report import capture, sr, uids

TEXT = Path(__file__).parents[3].joinpath("docs/pacs/conformance.md").read_text(encoding="utf-8")


def rows(section, head):
    """The rows of the table of a section whose head begins so."""
    (body,) = re.findall(rf"^#+ {section}\n(.*?)(?=^#|\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    tables = [part.splitlines() for part in body.strip().split("\n\n") if part[0] == "|"]
    (found,) = (table for table in tables if table[0].startswith(f"| {head}"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[2:]]


def test_every_object_that_is_received_or_made():
    told = {uid: (received, made) for _, uid, received, made in rows("1 Overview", "object")}
    made = {Comprehensive3DSRStorage, SecondaryCaptureImageStorage}
    assert {uid for uid, (received, _) in told.items() if received == "yes"} == set(map(str, KINDS))
    assert {uid for uid, (_, is_made) in told.items() if is_made == "yes"} == made


def test_every_transfer_syntax_in_its_order():
    table = rows("4.1 Verification, Storage as SCP", "kind")
    told = {kind: syntaxes.split(", ") for kind, syntaxes in table}
    for kind, syntaxes in TRANSFER_SYNTAXES.items():
        first, *rest = receive._preferred(syntaxes)
        assert first == ExplicitVRLittleEndian
        assert told[kind.upper()] == list(map(str, rest))


def test_every_status_that_is_answered():
    told = {status for status, *_ in rows("4.1 Verification, Storage as SCP", "status")}
    known = {intake.SUCCESS, intake.OUT_OF_RESOURCES, intake.CANNOT_UNDERSTAND}
    known.add(refusal_status(IdentityError("")))
    assert told == {f"{status:04X}" for status in known}


def test_every_status_that_confirms_a_report():
    (section,) = re.findall(r"### 4.2 Storage as SCU\n(.*?)\n#", TEXT, flags=re.DOTALL)
    told = {int(status, 16) for status in re.findall(r"\b([0-9AB][0-9]{3})\b", section)}
    assert told == send._STORED
    with pytest.raises(PacsBusyError):
        send._check(0xA700)
    with pytest.raises(PacsStoreError):
        send._check(0xC000)


def test_who_we_are_on_the_network():
    told = dict(rows("5 Network", ""))
    assert told["Implementation Class UID"] == uids.IMPLEMENTATION_CLASS_UID
    assert told["Implementation Version Name"] == uids.IMPLEMENTATION_VERSION_NAME
    assert TEXT.split("\n")[2].startswith(f"Hepatica {__version__}.")
    assert told["longest PDU received"].startswith(f"{pdu.ASKED_PDU_BYTES} asked")
    assert f"{pdu.MOST_PDU_BYTES} read" in told["longest PDU received"]
    most = ListenerSettings.model_fields["max_associations"].default
    assert told["associations as acceptor"].startswith(f"{most} at once")
    named = {name.lower() for name in re.findall(r"HEPATICA_DIMSE_([A-Z_]+)", TEXT)}
    assert named <= set(ListenerSettings.model_fields)
    assert {name for name in ListenerSettings.model_fields if name.endswith("timeout_s")} <= named
    assert f"a called AE title that is not ours ({receive.CALLED_UNKNOWN[2]})" in told["rejected"]
    assert f"a calling one that is not listed ({receive.CALLING_UNKNOWN[2]})" in told["rejected"]


def test_what_made_objects_say_of_themselves():
    told = {row[0]: row[1:] for row in rows("7 Objects that are made", "")}
    assert told["Series Number"] == [str(sr.SERIES_NUMBER), str(capture.SERIES_NUMBER)]
    assert told["Manufacturer"] == [uids.MANUFACTURER] * 2
