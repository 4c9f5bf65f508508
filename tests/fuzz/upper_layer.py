"""DICOM's upper layer (PS3.8, 9.3) byte by byte, right and wrong: a library would refuse to."""

from struct import pack

import numpy as np

APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
VERIFICATION, CT_IMAGE = b"1.2.840.10008.1.1", b"1.2.840.10008.5.1.4.1.1.2"
IMPLICIT, EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"

#: Of the command set: keyword -> element number.
_COMMANDS = {"class": 0x0002, "field": 0x0100, "message": 0x0110, "priority": 0x0700,
             "dataset": 0x0800, "instance": 0x1000}  # fmt: skip
C_STORE, C_ECHO = 0x0001, 0x0030
WITH_DATASET, WITHOUT = 0x0001, 0x0101


def pdu(kind: int, payload: bytes, length: int | None = None) -> bytes:
    """Write a PDU, whose length may be a lie."""
    return pack(">BBL", kind, 0, len(payload) if length is None else length) + payload


def item(kind: int, payload: bytes) -> bytes:
    return pack(">BBH", kind, 0, len(payload)) + payload


def request(*, called: bytes = b"HEPATICA", calling: bytes = b"SENDER") -> bytes:
    """Write an A-ASSOCIATE-RQ for C-ECHO (context 1) and CT images (context 3)."""
    contexts = b"".join(
        item(0x20, bytes([number, 0, 0, 0]) + item(0x30, abstract) + item(0x40, transfer))
        for number, abstract, transfer in ((1, VERIFICATION, IMPLICIT), (3, CT_IMAGE, EXPLICIT))
    )
    user = item(0x51, pack(">L", 16384)) + item(0x52, b"1.2.3") + item(0x55, b"SECRET")
    titles = called.ljust(16)[:16] + calling.ljust(16)[:16]
    head = pack(">HH", 1, 0) + titles + bytes(32)
    return pdu(1, head + item(0x10, APPLICATION_CONTEXT) + contexts + item(0x50, user))


def command(**values: bytes | int) -> bytes:
    """Write a command set (PS3.7, 6.3): implicit, little endian."""
    elements = b""
    for name, value in values.items():
        data = pack("<H", value) if isinstance(value, int) else value + b"\0" * (len(value) % 2)
        elements += pack("<HHL", 0, _COMMANDS[name], len(data)) + data
    return pack("<HHLL", 0, 0, 4, len(elements)) + elements


def store(instance: bytes) -> bytes:
    """Write the command of a C-STORE request."""
    return command(**{"class": CT_IMAGE, "field": C_STORE, "message": 1, "priority": 0,
                      "dataset": WITH_DATASET, "instance": instance})  # fmt: skip


def fragment(context: int, control: int, data: bytes, length: int | None = None) -> bytes:
    """Write a presentation data value (PS3.8, 9.3.5.1), whose length may be a lie."""
    size = len(data) + 2 if length is None else length
    return pack(">LBB", size, context, control) + data


def mutated(rng: np.random.Generator, data: bytes) -> bytes:
    """Change some bytes, cut, repeat or insert a piece, or write another length somewhere."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(changed) + 1))
        size = int(rng.integers(1, 40))
        match int(rng.integers(5)):
            case 0:
                changed[at : at + size] = rng.bytes(len(changed[at : at + size]))
            case 1:
                del changed[at : at + size]
            case 2:
                changed[at:at] = changed[at : at + size]
            case 3:
                changed[at:at] = rng.bytes(size)
            case _:
                lie = int(rng.choice([0, 1, 2, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
                changed[at : at + 4] = pack(">L", lie)
    return bytes(changed)
