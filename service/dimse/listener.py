"""The listener, put together: it receives, classifies and delivers until it is told to stop."""

import asyncio
import fcntl
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from service import probes
from service.dimse import files, peers, receive
from service.dimse.intake import Intake
from service.dimse.metrics import ListenerMetrics
from service.dimse.outbox import Outbox
from service.dimse.outgoing import Outgoing
from service.dimse.pdu import Bounds, Held
from service.dimse.senders import Senders
from service.dimse.settings import ListenerSettings
from service.dimse.spool import Spool
from service.dimse.work import Work
from service.runtime import Runtime
from service.settings import Settings

logger = logging.getLogger(__name__)


async def run(shared: Settings, settings: ListenerSettings) -> None:
    """Run until SIGTERM or SIGINT. What is not confirmed by then is on the disk."""
    stopping, made = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    known = peers.load(settings.peers)
    with ExitStack() as stack:
        stack.enter_context(locked(settings.spool))
        runtime, metrics = Runtime(shared), ListenerMetrics()
        if known.target.pacs is not None:
            runtime.pacs.client(known.target.pacs, to_store=True)  # or say that there is none
        outbox = Outbox(settings.spool)
        spool = Spool(
            settings.spool,
            max_bytes=settings.max_spool_bytes,
            max_objects=settings.max_spool_objects,
        )
        held = Held(
            Bounds(
                settings.max_object_bytes,
                settings.max_held_bytes,
                settings.idle_timeout_s,
                settings.message_timeout_s,
                settings.associate_timeout_s,
            )
        )
        work = Work(
            runtime,
            settings,
            Senders(known, settings, held.active_at),
            spool=spool,
            outbox=outbox,
            metrics=metrics,
        )
        outgoing = Outgoing(
            runtime.pacs, known.target, settings, spool=spool, outbox=outbox, metrics=metrics
        )
        _watch(metrics, spool, outbox)
        runtime.start()
        with _listening("HEPATICA_DIMSE_HTTP_PORT", settings.http_host, settings.http_port):
            answering = probes.serve(
                settings.http_host,
                settings.http_port,
                ready=lambda: runtime.ready,
                metrics=lambda: runtime.metrics.text() + metrics.text(),
            )
        stack.callback(answering)

        def woken() -> None:
            loop.call_soon_threadsafe(work.woken.set)

        intake = Intake(spool, outbox, metrics, woken=woken)
        with _listening("HEPATICA_DIMSE_PORT", settings.host, settings.port):
            stop_receiving = receive.start(settings, known, intake, held, metrics)
        ending = asyncio.gather(work.run(made, stopping), outgoing.run(made, stopping))
        try:
            await ending
        finally:
            await asyncio.to_thread(stop_receiving)
            await runtime.close()
    logger.info({"message": "stopped"})


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep the spool to this process alone. Raise `BlockingIOError` where another has it."""
    files.make(folder)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                f"HEPATICA_DIMSE_SPOOL: found another process at {folder}, expected none"
            ) from None
        yield


@contextmanager
def _listening(setting: str, host: str, port: int) -> Iterator[None]:
    """Name the setting of an address where nothing can listen."""
    try:
        yield
    except OSError as error:
        why = error.strerror or "no such address"
        raise OSError(f"{setting}: cannot listen at {host}:{port} ({why})") from None


def _watch(metrics: ListenerMetrics, spool: Spool, outbox: Outbox) -> None:
    """Show what is on the disk."""

    def oldest_s() -> float:
        arrived = [kept.arrived for kept in spool.annotations()]
        return time.time() - min(arrived) if arrived else 0.0

    metrics.watch("spool_bytes", "Bytes of received objects", lambda: spool.bytes)
    metrics.watch("spool_objects", "Received objects", lambda: len(spool))
    metrics.watch(
        "annotations_waiting",
        "Annotations without a confirmed report",
        lambda: len(spool.annotations()),
    )
    metrics.watch(
        "reports_waiting", "Reports that are not confirmed", lambda: len(outbox.waiting())
    )
    metrics.watch("report_bytes", "Bytes of reports that are not confirmed", outbox.report_bytes)
    metrics.watch("oldest_annotation_seconds", "Age of the annotation that waits longest", oldest_s)
