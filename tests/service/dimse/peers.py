"""Peers of the listener: a storage SCU that sends whatever it is given, and a target AE."""

import socket
import ssl
import struct
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from queue import Empty, Queue
from threading import Event

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID, Comprehensive3DSRStorage, SecondaryCaptureImageStorage
from pynetdicom import AE, Association, build_context, evt
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

SENDER = "SENDER"


@contextmanager
def associated(port: int, *files: bytes, calling: str = SENDER, called: str = "HEPATICA"):
    """Associate with the listener, to send such files; established or not."""
    ae = AE(calling)
    # A refused peer learns of it soon; a busy one waits.
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    announced = {announcement(data)[::2] for data in files} or {("1.2.840.10008.1.1", None)}
    contexts = [build_context(*([uid, syntax] if syntax else [uid])) for uid, syntax in announced]
    assoc = ae.associate("127.0.0.1", port, contexts=contexts, ae_title=called)
    try:
        yield assoc
    finally:
        if assoc.is_established:
            assoc.release()
            assoc.join(20)
        if assoc.dul.socket and assoc.dul.socket.socket:
            assoc.dul.socket.socket.close()  # pynetdicom does not, where the other was the first


def send(port: int, *files: bytes, **titles: str) -> list[int]:
    """Send files over one association; return the status of each."""
    with associated(port, *files, **titles) as assoc:
        assert assoc.is_established
        return [store(assoc, data) for data in files]


def announcement(data: bytes) -> tuple[UID, str, UID]:
    """Return the SOP class, instance and transfer syntax of a file, by its meta information."""
    file = BytesIO(data)
    file.seek(132)
    meta = read_dataset(file, False, True, stop_when=lambda tag, *_: tag >> 16 != 2)
    return (
        UID(meta.MediaStorageSOPClassUID),
        str(meta.MediaStorageSOPInstanceUID),
        UID(meta.TransferSyntaxUID),
    )


def dataset_of(data: bytes) -> bytes:
    """Return what follows the meta information of a file, as it is."""
    length = struct.unpack_from("<L", data, 140)[0]
    return data[144 + length :]


def store(assoc: Association, data: bytes, **changed: str) -> int:
    """Send a file's dataset as it is; return the status, -1 where the association is aborted."""
    sop_class, instance, syntax = announcement(data)
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.DataSet = BytesIO(dataset_of(data))
    context = assoc._get_valid_context(sop_class, syntax, "scu", allow_conversion=False)
    pause_reactor(assoc)
    with warnings.catch_warnings(action="ignore"):
        request.AffectedSOPClassUID = changed.get("sop_class", sop_class)
        request.AffectedSOPInstanceUID = changed.get("instance", instance)
        assoc.dimse.send_msg(request, context.context_id)
        status = answered(assoc)
    assoc._reactor_checkpoint.set()
    return status


def pause_reactor(assoc: Association) -> None:
    """Leave what arrives to us: pynetdicom's own thread would take it, too, now and then."""
    assoc._reactor_checkpoint.clear()
    while not assoc._is_paused:
        Event().wait(0.0005)


def fragments(assoc: Association, data: bytes, pdu_bytes: int) -> list[P_DATA]:
    """Return the PDUs of a C-STORE request, of so many bytes; the first holds its command."""
    sop_class, instance, syntax = announcement(data)
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = sop_class, instance
    request.DataSet = BytesIO(dataset_of(data))
    context = assoc._get_valid_context(sop_class, syntax, "scu", allow_conversion=False)
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    return list(message.encode_msg(context.context_id, pdu_bytes))


def answered(assoc: Association, seconds: float = 20) -> int:
    """Wait for the status of a request; -1 where the association is aborted."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(Empty):
            _, answer = assoc.dimse.msg_queue.get(timeout=0.02)
            return -1 if answer is None else answer.Status
        if not assoc.dul.is_alive() or assoc.acse.is_aborted():
            return -1
    raise AssertionError("neither an answer nor an end")


class TargetAE:
    """An AE that takes reports, or answers what it is told to; `received` are those it took."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.received: Queue[Dataset] = Queue()
        self.asked: Queue[int] = Queue()
        self.hold = Event()  # cleared: it does not answer
        self.hold.set()
        self.pause_s = 0.0  # before each answer
        self.callers: list[str] = []
        self._server = None
        self._ae = AE("TARGET")
        for uid in (Comprehensive3DSRStorage, SecondaryCaptureImageStorage):
            self._ae.add_supported_context(uid)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self, tls: ssl.SSLContext | None = None) -> None:
        handlers = [(evt.EVT_C_STORE, self._store)]
        self._server = self._ae.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=handlers, ssl_context=tls
        )

    def stop(self) -> None:
        self.hold.set()
        if self._server is not None:
            self._server.shutdown()
            self._server = None

    def _store(self, event: evt.Event) -> int:
        self.callers.append(event.assoc.requestor.ae_title)
        status = self.statuses.pop(0) if self.statuses else 0x0000
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        if status in {0x0000, 0xB000, 0x0111}:
            self.received.put(dataset)
        self.asked.put(status)
        self.hold.wait(20)
        time.sleep(self.pause_s)
        return status

    def report_of(self, study: str, seconds: float = 60) -> Dataset:
        """Wait for the report of a study; others are let go."""
        until = time.monotonic() + seconds
        while True:
            report = self.received.get(timeout=max(until - time.monotonic(), 0.01))
            if report.StudyInstanceUID == study:
                return report


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Connect, and say nothing yet."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


def eventually(holds, seconds=30):
    """Ask again and again, for what another process does in its own time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
    return True
