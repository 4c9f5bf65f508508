"""Reports that were made -> confirmed, however often that takes. What has had its time goes."""

import asyncio
import logging
import math
import time

from lesion.errors import InputError
from service.dimse.faults import tell
from service.dimse.match import match
from service.dimse.metrics import ListenerMetrics
from service.dimse.outbox import Outbox
from service.dimse.peers import Target
from service.dimse.send import deliver
from service.dimse.settings import ListenerSettings
from service.dimse.spool import Spool
from service.dimse.waiting import first
from service.pacs.directory import Directory
from service.problems import PASSING

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 60.0


class Outgoing:
    """Delivers one report after another, on the event loop's thread."""

    def __init__(
        self,
        pacs: Directory,
        target: Target,
        settings: ListenerSettings,
        *,
        spool: Spool,
        outbox: Outbox,
        metrics: ListenerMetrics,
    ) -> None:
        self._pacs, self._target, self._settings = pacs, target, settings
        self._spool, self._outbox, self._metrics = spool, outbox, metrics
        #: Of each report: attempts that failed, and before when there is to be none.
        self._failures: dict[str, int] = {}
        self._later: dict[str, float] = {}
        #: Of the target: attempts since it was last there, and before when there is to be none.
        self._absent, self._back_at = 0, 0.0
        self._tidy_at = 0.0
        for key in outbox.waiting():  # confirmed, and then the process ended
            if outbox.confirmed(key):
                outbox.drop(key)
        for annotation in spool.annotations():
            if outbox.confirmed(annotation.key):
                spool.remove(annotation.key)

    async def run(self, made: asyncio.Event, stopping: asyncio.Event) -> None:
        """Deliver what is due until `stopping`; `made` is set when there is more."""
        while not stopping.is_set():
            made.clear()
            try:
                await self._tidy(time.time())
            except OSError as error:
                tell("the spool could not be tidied", error)
            for key in self._due(time.time()):
                if stopping.is_set() or not await self._deliver(key):
                    break  # the target is not there: not for the next one either
            waiting = [self._later.get(key, 0.0) for key in self._outbox.waiting()]
            next_at = max(min(waiting, default=math.inf), self._back_at)
            await first(made, stopping, seconds=min(next_at, self._tidy_at) - time.time())

    def _due(self, now: float) -> list[str]:
        """Return the reports to attempt now, those that failed most often last."""
        if now < self._back_at:
            return []
        due = [key for key in self._outbox.waiting() if self._later.get(key, 0.0) <= now]
        return sorted(due, key=lambda key: self._failures.get(key, 0))

    async def _deliver(self, key: str) -> bool:
        """Attempt to deliver a report; return whether the target was there."""
        outcome, there = "confirmed", True
        try:
            await deliver(
                self._outbox.read(key),
                self._target,
                ae_title=self._settings.ae_title,
                pacs=self._pacs,
                timeout_s=self._settings.target_timeout_s,
                deadline_s=self._settings.target_deadline_s,
            )
            self._confirm(key)
        except InputError as error:
            outcome, there = error.slug, not isinstance(error, PASSING)
            logger.warning({"problem": error.slug, "message": str(error)})
            self._failed(key, there=there)
        except Exception as error:
            outcome = "internal"
            tell("a report could not be delivered", error)
            self._failed(key, there=True)
        self._metrics.deliveries.labels(outcome).inc()
        return there

    def _confirm(self, key: str) -> None:
        self._outbox.confirm(key)
        self._spool.remove(key)
        self._forget(key)
        self._absent = 0
        self._metrics.jobs.labels("reported").inc()
        logger.info({"message": "report confirmed"})

    def _failed(self, key: str, *, there: bool) -> None:
        """Try again: ever later where the target was not there; at the slowest where it said no."""
        settings = self._settings
        self._failures[key] = self._failures.get(key, 0) + 1
        if there:
            self._later[key] = time.time() + settings.retry_cap_s
            return
        pause = min(settings.retry_s * 2 ** min(self._absent, 30), settings.retry_cap_s)
        self._absent += 1
        self._back_at = time.time() + pause

    def _forget(self, key: str) -> None:
        self._failures.pop(key, None)
        self._later.pop(key, None)

    async def _tidy(self, now: float) -> None:
        """Drop what has had its time, but not what an annotation waits with."""
        settings = self._settings
        if now < self._tidy_at:
            return
        self._tidy_at = now + min(_LONGEST_PAUSE_S, settings.retention_s / 4)
        before = now - settings.retention_s
        for key, made_at in self._outbox.waiting().items():
            if made_at < before:
                self._outbox.drop(key)
                self._drop(key, "undelivered", "no target confirmed its report")
        for annotation in self._spool.annotations():
            if annotation.arrived < before and not self._outbox.reported(annotation.key):
                if settings.full(self._outbox):
                    self._drop(annotation.key, "undelivered", "others' reports wait for the target")
                else:
                    self._drop(annotation.key, "unmatched", "no images came that it fits")
        images = [kept for kept in self._spool.all() if kept.identity.kind == "ct"]
        old = {kept.key for kept in images if kept.arrived < before}
        for annotation in self._spool.annotations():
            if old and not self._outbox.reported(annotation.key):
                old.difference_update(kept.key for kept in match(annotation, self._spool).awaited)
                await asyncio.sleep(0)  # thousands may wait: others have their turn
        for key in old:
            self._spool.remove(key)
        self._outbox.tidy(before=now - settings.remember_s, most=settings.max_remembered)

    def _drop(self, key: str, problem: str, why: str) -> None:
        self._spool.remove(key)
        self._forget(key)
        self._metrics.jobs.labels(problem).inc()
        logger.error(
            {
                "problem": problem,
                "message": "an annotation was dropped without a report",
                "why": why,
            }
        )
