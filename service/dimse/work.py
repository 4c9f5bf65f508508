"""An annotation whose slices are there -> its report, made as /classify makes it."""

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from lesion.annotation.lesions import read_lesions
from lesion.errors import InputError, TooLargeError
from lesion.series import open_series
from service.answers import Classification
from service.classify import answered, count, score
from service.deliver import make, seen
from service.dimse.faults import tell
from service.dimse.fit import NoSeriesError, fitting_series
from service.dimse.match import Match, match
from service.dimse.metrics import ListenerMetrics
from service.dimse.outbox import Outbox
from service.dimse.senders import Senders
from service.dimse.settings import ListenerSettings
from service.dimse.spool import Kept, Spool
from service.dimse.waiting import first
from service.options import Options
from service.parse import Order
from service.problems import InternalError, NotReadyError, ServiceError
from service.report.objects import Made
from service.runtime import Runtime

logger = logging.getLogger(__name__)

#: So often is a classification begun that ends in a fault of ours, or ends the process.
MOST_TIMES = 3

#: Objects come by the hundred: the annotations that wait are looked at no more often than this.
_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 60.0
#: While the bundle loads, or where it was refused; while as many reports wait as may.
_LOADING_S = 0.5


class Work:
    """Classifies one annotation after another, on the event loop's thread."""

    def __init__(
        self,
        runtime: Runtime,
        settings: ListenerSettings,
        senders: Senders,
        *,
        spool: Spool,
        outbox: Outbox,
        metrics: ListenerMetrics,
    ) -> None:
        self._runtime, self._settings, self._senders = runtime, settings, senders
        self._spool, self._outbox, self._metrics = spool, outbox, metrics
        self._later: dict[str, float] = {}
        #: Of annotations that lie on no series of their study: when its last object had arrived.
        self._unfit: dict[str, float] = {}
        self._was_full = False
        self.woken = asyncio.Event()

    async def run(self, made: asyncio.Event, stopping: asyncio.Event) -> None:
        """Classify what is due until `stopping`; set `made` when there is a report to deliver."""
        while not stopping.is_set():
            if not self._ready() or self._full():
                await first(stopping, seconds=_LOADING_S)
                continue
            self.woken.clear()
            due_at = time.time() + _LONGEST_PAUSE_S
            for annotation in self._spool.annotations():
                if stopping.is_set() or self._full():
                    due_at = 0.0
                    break
                if annotation.key in self._spool and not self._outbox.reported(annotation.key):
                    due_at = min(due_at, await self._done(annotation, made))
                    await asyncio.sleep(0)  # thousands may wait: others have their turn
            self._unfit = {key: at for key, at in self._unfit.items() if key in self._spool}
            await asyncio.sleep(_PAUSE_S)
            await first(self.woken, stopping, seconds=due_at - time.time())

    async def _done(self, annotation: Kept, made: asyncio.Event) -> float:
        """Make the report of an annotation if it is due; return when to look at it again."""
        found = match(annotation, self._spool)
        if self._unfit.get(annotation.key) == found.quiet_since:
            return math.inf
        at = self._senders.due_at(found)
        at = max(at, self._later.get(annotation.key, at))
        if at > time.time():
            return at
        self._later.pop(annotation.key, None)
        try:
            await self._do(annotation, found)
        except OSError as error:
            tell("an annotation's state could not be written", error)
            self._wait(annotation.key)
            with suppress(OSError):  # the disk is at fault, not the annotation
                self._outbox.ended(annotation.key)
        made.set()
        return self._later.get(annotation.key, math.inf)

    async def _do(self, annotation: Kept, found: Match) -> None:
        """Make the report of an annotation, or say why there is none."""
        key = annotation.key
        if self._outbox.begin(key) >= MOST_TIMES:
            self._refuse(annotation, InternalError("a fault of ours"))
            return
        try:
            answer, objects = await self._report(annotation, found)
        except ServiceError as error:
            logger.warning({"problem": error.slug, "message": str(error)})
            self._wait(key)
        except NoSeriesError as error:  # its images, or another series, may still come
            logger.warning({"problem": error.slug, "message": str(error)})
            self._unfit[key] = found.quiet_since
        except InputError as error:
            self._refuse(annotation, error)
        except Exception as error:
            tell("an annotation could not be classified", error)
            self._wait(key)
            return  # it stays begun: it is not tried for ever
        else:
            self._outbox.add(key, objects)
            count(self._runtime, answer)
            logger.info({"kind": annotation.identity.kind, "message": "report made"})
        self._outbox.ended(key)

    async def _report(self, annotation: Kept, found: Match) -> tuple[Classification, list[Made]]:
        runtime, settings = self._runtime, self._settings
        model = runtime.model
        select = self._senders.select_of(annotation.sender)
        images: Sequence[Kept] = found.images
        if not images:
            fit = partial(fitting_series, select=select, max_bytes=settings.max_job_bytes)
            images = await runtime.work(fit, annotation, found.candidates, self._spool)
        order = await runtime.work(
            partial(
                read_order,
                annotation,
                images,
                self._spool,
                max_bytes=settings.max_job_bytes,
                max_lesions=runtime.settings.max_lesions,
                options=Options(select=select, capture=settings.capture),
            )
        )
        prepared, scored = await score(runtime, model, order)
        answer = answered(model, prepared, scored, saliency=False)
        lesions = seen(order, answer, prepared, scored)
        return answer, await runtime.work(
            partial(
                make,
                answer,
                lesions,
                model.manifest.codes,
                decode=runtime.sandbox,
                capture=settings.capture,
            )
        )

    def _ready(self) -> bool:
        try:
            return self._runtime.model is not None
        except NotReadyError:
            return False

    def _full(self) -> bool:
        """Tell whether reports must be delivered before more are made; log when that begins."""
        was_full, self._was_full = self._was_full, self._settings.full(self._outbox)
        if self._was_full and not was_full:
            logger.warning({"problem": "full", "message": "reports wait: no more are made"})
        return self._was_full

    def _refuse(self, annotation: Kept, error: InputError) -> None:
        """Make no report of an annotation, now or later."""
        self._outbox.refuse(annotation.key, error.slug)
        self._spool.remove(annotation.key)
        self._outbox.ended(annotation.key)
        self._metrics.jobs.labels(error.slug).inc()
        kind = annotation.identity.kind
        logger.warning({"kind": kind, "problem": error.slug, "message": str(error)})

    def _wait(self, key: str) -> None:
        self._later[key] = time.time() + self._settings.retry_s


def read_order(
    annotation: Kept,
    images: Sequence[Kept],
    spool: Spool,
    *,
    max_bytes: int,
    max_lesions: int,
    options: Options,
) -> Order:
    """Read an annotation and its images, whole only where it marks a lesion.

    The others are there without their pixels, which nobody looks at: what is answered is the same,
    and a long series takes no memory. Raise `TooLargeError` where even so it is more than
    `max_bytes`, or the `InputError` that names what is wrong.
    """
    heads = sum(kept.identity.head or kept.size for kept in images)
    _check_bytes(annotation.size + heads, max_bytes, len(images))
    data = spool.read(annotation)
    files = [spool.read_head(kept) for kept in images]
    series = open_series(files)
    marked = read_lesions(data, series.places, select=options.select, most=max_lesions).marked
    chosen = {series.origins[lesion.slice_index][0] for lesion in marked}
    del series
    pixels = sum(images[at].size for at in chosen)
    _check_bytes(annotation.size + heads + pixels, max_bytes, len(images))
    for at in chosen:
        files[at] = spool.read(images[at])
    return Order(
        image=files[0],
        image_format="dicom",
        mask=None,
        annotation=data,
        options=options,
        series=tuple(files[1:]),
    )


def _check_bytes(found: int, most: int, images: int) -> None:
    if found > most:
        raise TooLargeError(
            f"annotation: found {found} bytes to read of it and of {images} images, "
            f"expected at most {most}"
        )
