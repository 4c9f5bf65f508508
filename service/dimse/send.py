"""Reports -> the target: an AE by C-STORE (PS3.4, B), or a PACS by STOW-RS.

What is raised says what failed, in words of ours: never a name, a UID or a word of the target's.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from threading import Event, Timer

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.association import Association

from service.dimse.peers import Target
from service.pacs.directory import Directory
from service.problems import (
    PacsBusyError,
    PacsConnectionError,
    PacsError,
    PacsRefusedError,
    PacsStoreError,
    PacsTimeoutError,
)
from service.report.objects import Made
from service.report.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

logger = logging.getLogger(__name__)

#: Stored, stored with a change, or there already: its UID follows from what it says.
_STORED = {0x0000, 0xB000, 0xB006, 0xB007, 0x0111}
_OUT_OF_RESOURCES = 0xA7

#: The result of a rejection that is of the moment: too many associations (PS3.8, 9.3.4).
_TRANSIENT = 2


async def deliver(
    objects: Sequence[Made],
    target: Target,
    *,
    ae_title: str,
    pacs: Directory,
    timeout_s: float,
    deadline_s: float,
) -> None:
    """Have the target store all objects of a report. Raise the `PacsError` that says what failed.

    To store them twice changes nothing. One deadline holds for all of them; a PACS has its own.
    """
    if target.pacs is not None:
        client = pacs.client(target.pacs, to_store=True)
        until = client.deadline()
        for made in objects:
            with _refusal_tolerated(made):
                await client.store(made.data, until=until)
    else:
        await asyncio.to_thread(
            store,
            objects,
            target,
            ae_title=ae_title,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
        )


def store(
    objects: Sequence[Made], target: Target, *, ae_title: str, timeout_s: float, deadline_s: float
) -> None:
    """Store objects at an AE, in one association.

    It may be silent for `timeout_s`, and must have stored all of them within `deadline_s`.
    """
    began = time.monotonic()
    datasets = [dcmread(BytesIO(made.data)) for made in objects]
    with (
        _associated(datasets, target, ae_title, timeout_s) as assoc,
        _in_time(assoc, deadline_s, began),
    ):
        for made, dataset in zip(objects, datasets, strict=True):
            with _refusal_tolerated(made):
                _check(_sent(assoc, dataset))


@contextmanager
def _in_time(assoc: Association, deadline_s: float, began: float) -> Iterator[None]:
    """Break off once it took so long, though each answer came soon enough."""
    late = Event()

    def break_off() -> None:
        late.set()
        connection = assoc.dul.socket.socket if assoc.dul.socket else None
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(began + deadline_s - time.monotonic(), 0), break_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    except PacsError:
        if late.is_set():
            raise PacsTimeoutError(
                f"target: found not all of a report stored after {deadline_s:g} s, expected it"
            ) from None
        raise
    finally:
        timer.cancel()


@contextmanager
def _refusal_tolerated(made: Made) -> Iterator[None]:
    """Log that a picture is refused, and go on: the report is stored, a retry changes nothing."""
    try:
        yield
    except PacsStoreError as error:
        if made.kind == "report":
            raise
        logger.warning({"problem": error.slug, "message": f"a picture was refused: {error}"})


@contextmanager
def _associated(
    datasets: Sequence[Dataset], target: Target, ae_title: str, timeout_s: float
) -> Iterator[Association]:
    """Associate with the target; end that whatever happens."""
    ae = AE(ae_title)
    ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = timeout_s
    ae.connection_timeout = timeout_s
    syntaxes = {dataset.SOPClassUID: dataset.file_meta.TransferSyntaxUID for dataset in datasets}
    context = target.context()

    def limit_reads(event: evt.Event) -> None:
        """Wait for the rest of a PDU no longer than that: pynetdicom would wait for ever."""
        connection = event.assoc.dul.socket
        if connection is not None and connection.socket is not None:
            connection.socket.settimeout(timeout_s)

    assoc = ae.associate(
        target.host or "",
        target.port or 0,
        contexts=[build_context(uid, syntax) for uid, syntax in syntaxes.items()],
        ae_title=target.ae_title or "",
        tls_args=(context, target.host or "") if context else None,
        evt_handlers=[(evt.EVT_CONN_OPEN, limit_reads)],
    )
    try:
        if assoc.is_rejected:
            if getattr(assoc.acceptor.primitive, "result", None) == _TRANSIENT:
                raise PacsBusyError("target: found an association put off, expected it accepted")
            raise PacsRefusedError("target: found an association rejected, expected it accepted")
        if not assoc.is_established:
            raise PacsConnectionError("target: found no association, expected one")
        yield assoc
    finally:
        if assoc.is_established:
            assoc.release()
        left = assoc.dul.socket.socket if assoc.dul.socket else None
        if left is not None:
            left.close()  # one that the target ended is not closed otherwise


def _sent(assoc: Association, dataset: Dataset) -> int:
    """Send an object; return the status that the target answers."""
    try:
        answer = assoc.send_c_store(dataset)
    except ValueError:
        raise PacsStoreError(
            f"target: found no presentation context for {dataset.SOPClassUID.name}, expected one"
        ) from None
    except RuntimeError:
        raise PacsConnectionError("target: found the association ended, expected it open") from None
    if "Status" not in answer:
        raise PacsTimeoutError("target: found no answer in time, expected a status")
    return int(answer.Status)


def _check(status: int) -> None:
    if status in _STORED:
        return
    kind: type[PacsError] = PacsBusyError if status >> 8 == _OUT_OF_RESOURCES else PacsStoreError
    raise kind(f"target: found status {status:04X}H, expected the report stored")
