"""The storage SCP: who may associate, what is agreed on, and each object handed to the intake.

Nothing that is logged here is a peer's own word: an AE title of a stranger could be anything.
"""

import logging
import sys
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, cast

from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_ECHO, C_STORE
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time
from pynetdicom.transport import AssociationServer, RequestHandler

from service.dimse.faults import tell
from service.dimse.identity import KINDS, TRANSFER_SYNTAXES
from service.dimse.intake import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, SUCCESS, Intake
from service.dimse.metrics import ListenerMetrics
from service.dimse.pdu import (
    ASKED_PDU_BYTES,
    BoundedMessages,
    BoundedSocket,
    EndingProvider,
    Held,
)
from service.dimse.peers import Peers
from service.dimse.settings import ListenerSettings
from service.report.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

logger = logging.getLogger(__name__)

# It logs what peers say, tracebacks of it included.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
_config.LOG_HANDLER_LEVEL = "none"

#: Rejections (PS3.8, 9.3.4): result, source, reason.
CALLING_UNKNOWN, CALLED_UNKNOWN = (1, 1, 3), (1, 1, 7)

#: An association whose connection is closed ends within this.
_STOP_S = 5.0


class Server(AssociationServer):
    """Accepts connections: of hosts that may send, and only so many."""

    #: Connections that wait to be accepted; of more, each would wait for whole seconds (SYN again).
    request_queue_size = 128

    peers: Peers
    held: Held
    metrics: ListenerMetrics

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Tell whether a connection may stay, before anything of it is read."""
        if not self.peers.may_connect(client_address[0]):
            self.metrics.associations.labels("unknown-host").inc()
            logger.warning(
                {
                    "problem": "unknown-host",
                    "message": "connection refused",
                    "host": client_address[0],
                }
            )
            return False
        # Some more than associations, so that those are told to come again; not without end.
        if len(self.active_associations) >= 2 * self.ae.maximum_associations:
            self.metrics.associations.labels("too-many").inc()
            return False
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log a fault, where socketserver would print it."""
        if (error := sys.exception()) is not None:
            tell("a connection could not be served", error)


class _Handler(RequestHandler):
    """Makes a connection an association, within our bounds."""

    server: Server

    def _create_association(self) -> Association:
        assoc = super()._create_association()
        held = self.server.held
        assoc.dul = EndingProvider(assoc)
        # Timers of the provider are set by way of the association.
        assoc.acse_timeout, assoc.network_timeout = assoc.acse_timeout, assoc.network_timeout
        assoc.set_socket(BoundedSocket(assoc, self.request, held.bounds))
        assoc.dimse = BoundedMessages(assoc, held)
        return assoc


def start(
    settings: ListenerSettings, peers: Peers, intake: Intake, held: Held, metrics: ListenerMetrics
) -> Callable[[], None]:
    """Begin to accept associations; return what ends them all."""
    ae = AE(settings.ae_title)
    ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    ae.maximum_pdu_size = ASKED_PDU_BYTES
    ae.maximum_associations = settings.max_associations
    ae.acse_timeout = settings.associate_timeout_s
    ae.dimse_timeout = ae.network_timeout = settings.idle_timeout_s
    ae.add_supported_context(Verification)
    for sop_class, kind in KINDS.items():
        ae.add_supported_context(sop_class, _preferred(TRANSFER_SYNTAXES[kind]))
    count = metrics.associations.labels
    handlers: list[Any] = [
        (evt.EVT_REQUESTED, partial(_requested, peers, settings.ae_title, metrics)),
        (evt.EVT_ACCEPTED, lambda _: count("accepted").inc()),
        (evt.EVT_ABORTED, lambda _: count("aborted").inc()),
        (evt.EVT_REJECTED, lambda _: count("too-many").inc()),  # by pynetdicom: ours it does not
        (evt.EVT_C_ECHO, _echo),
        (evt.EVT_C_STORE, partial(_store, intake)),
    ]
    server = Server(
        ae,
        (settings.host, settings.port),
        settings.ae_title,
        ae.supported_contexts,
        evt_handlers=handlers,
        request_handler=_Handler,
    )
    server.peers, server.metrics = peers, metrics
    server.held = held
    metrics.watch("held_bytes", "Bytes of objects that are arriving", server.held.total)
    ae._servers.append(server)  # type: ignore[arg-type]  # that is where it looks when it ends
    Thread(target=server.serve_forever, args=(0.1,), name="dicom", daemon=True).start()
    logger.info({"message": "listening", "port": server.server_address[1]})
    return partial(_stop, server)


def _stop(server: Server) -> None:
    """Refuse new associations, end those there are: what was not answered is sent again.

    Their connections are closed first: an abort would wait for whoever is in the midst of a PDU.
    """
    server.shutdown()
    for assoc in server.active_associations:
        if isinstance(assoc.dul.socket, BoundedSocket):
            assoc.dul.socket.shut()
        assoc.join(_STOP_S)


def _preferred(syntaxes: tuple[UID, ...]) -> list[UID]:
    """Return transfer syntaxes in the order of choice: explicit before implicit (PS3.5, 10.1)."""
    return [
        ExplicitVRLittleEndian,
        *(syntax for syntax in syntaxes if syntax != ExplicitVRLittleEndian),
    ]


def _requested(peers: Peers, ae_title: str, metrics: ListenerMetrics, event: evt.Event) -> None:
    """Reject whoever may not send, or means another AE."""
    asked = cast("A_ASSOCIATE", event.assoc.requestor.primitive)
    host = event.assoc.requestor.address
    rejection, outcome = None, ""
    if asked.called_ae_title.strip() != ae_title:
        rejection, outcome = CALLED_UNKNOWN, "unknown-called"
    elif not peers.may_send(asked.calling_ae_title.strip(), host):
        rejection, outcome = CALLING_UNKNOWN, "unknown-calling"
    if rejection:
        metrics.associations.labels(outcome).inc()
        logger.warning({"problem": outcome, "message": "association rejected", "host": host})
        event.assoc.acse.send_reject(*rejection)
        event.assoc.kill()


def _echo(event: evt.Event) -> int:
    """Answer a C-ECHO request; not an object that was announced as one."""
    _messages(event).served()
    return SUCCESS if isinstance(event.request, C_ECHO) else CANNOT_UNDERSTAND


def _store(intake: Intake, event: evt.Event) -> int | Dataset:
    """Answer a C-STORE request."""
    request, messages = cast("C_STORE", event.request), _messages(event)
    try:
        sop_class = UID(request.AffectedSOPClassUID or "")
        if sop_class != event.context.abstract_syntax or sop_class not in KINDS:
            return intake.refuse("other", "identity", CANNOT_UNDERSTAND)
        kind = KINDS[sop_class]
        if messages.dropped:
            passing = messages.dropped == "full"
            return intake.refuse(
                kind, messages.dropped, OUT_OF_RESOURCES if passing else CANNOT_UNDERSTAND
            )
        received, request.DataSet = request.DataSet, None
        return intake.take(
            received.getvalue() if received else b"",
            sop_class=sop_class,
            instance=str(request.AffectedSOPInstanceUID),
            sender=messages.sender,
            transfer_syntax=UID(event.context.transfer_syntax),
        )
    except Exception as error:
        tell("an object could not be taken", error)
        return intake.refuse("other", "internal", CANNOT_UNDERSTAND)
    finally:
        messages.served()


def _messages(event: evt.Event) -> BoundedMessages:
    messages = event.assoc.dimse
    if not isinstance(messages, BoundedMessages):
        raise TypeError("expected bounded messages")
    return messages
