"""What arrives -> the spool, and the status that its sender is answered (PS3.4, B.2.3)."""

import logging
import struct
import time
from collections.abc import Callable
from threading import Lock

from pydicom.uid import UID

from lesion.errors import InputError
from lesion.image import part10
from service.dimse import files
from service.dimse.identity import KINDS, Identity, identify, refusal_status
from service.dimse.metrics import ListenerMetrics
from service.dimse.outbox import Outbox
from service.dimse.spool import Spool, SpoolFullError
from service.report.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

logger = logging.getLogger(__name__)

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000


class Intake:
    """Takes one object at a time, so that only one is parsed; `woken` is called when one is kept.

    Any thread may call it.
    """

    def __init__(
        self,
        spool: Spool,
        outbox: Outbox,
        metrics: ListenerMetrics,
        *,
        woken: Callable[[], None],
    ) -> None:
        self._spool, self._outbox, self._metrics, self._woken = spool, outbox, metrics, woken
        self._lock = Lock()

    def take(
        self, dataset: bytes, *, sop_class: UID, instance: str, transfer_syntax: UID, sender: str
    ) -> int:
        """Keep an object, encoded as its presentation context says; return the status."""
        kind = KINDS[sop_class]
        if not part10.uid(instance).is_valid:
            return self.refuse(kind, "identity", CANNOT_UNDERSTAND)
        key = files.key_of(instance)
        head = file_head(sop_class, instance, transfer_syntax)
        try:
            with self._lock:
                if key in self._spool:
                    return self._taken(kind, "duplicate")
                if self._outbox.reported(key):
                    return self._taken(kind, "reported")
                identity = identify(head + dataset, sop_class=sop_class, instance=instance)
                return self._keep(identity, head, dataset, sender)
        except InputError as error:
            logger.warning({"kind": kind, "problem": error.slug, "message": str(error)})
            return self.refuse(kind, error.slug, refusal_status(error))
        except SpoolFullError:
            logger.warning({"kind": kind, "problem": "full"})
            return self.refuse(kind, "full", OUT_OF_RESOURCES)

    def refuse(self, kind: str, problem: str, status: int) -> int:
        """Count a refusal; return its status."""
        self._metrics.objects.labels(kind, problem).inc()
        return status

    def _keep(self, identity: Identity, head: bytes, dataset: bytes, sender: str) -> int:
        if identity.ignored:
            return self._taken(identity.kind, identity.ignored)
        new = self._spool.keep(identity, (head, dataset), arrived=time.time(), sender=sender)
        if new:
            self._woken()
        return self._taken(identity.kind, "kept" if new else "duplicate")

    def _taken(self, kind: str, outcome: str) -> int:
        self._metrics.objects.labels(kind, outcome).inc()
        return SUCCESS


def file_head(sop_class: UID, instance: str, transfer_syntax: UID) -> bytes:
    """Return the preamble and the file meta information of a dataset (PS3.10, 7.1)."""
    elements = b"".join(
        (
            struct.pack("<HH2sHL", 2, 1, b"OB", 0, 2) + b"\0\1",
            _element(0x02, b"UI", sop_class),
            _element(0x03, b"UI", instance),
            _element(0x10, b"UI", transfer_syntax),
            _element(0x12, b"UI", IMPLEMENTATION_CLASS_UID),
            _element(0x13, b"SH", IMPLEMENTATION_VERSION_NAME),
        )
    )
    length = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(elements))
    return bytes(128) + b"DICM" + length + elements


def _element(number: int, vr: bytes, text: str) -> bytes:
    value = text.encode("ascii")
    if len(value) % 2:
        value += b" " if vr == b"SH" else b"\0"
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value
