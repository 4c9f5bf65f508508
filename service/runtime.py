"""What lives as long as the process: the bundle, its networks, and the threads that run them."""

import asyncio
import gc
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float

from lesion import roi
from lesion.bundle.manifest import Manifest
from lesion.bundle.read import read
from lesion.errors import BundleError
from lesion.image.sandbox import Sandbox
from lesion.outline import from_box
from service.batcher import Batcher
from service.engine import Engine, load
from service.metrics import Metrics
from service.pacs.config import load as load_pacs
from service.pacs.directory import Directory
from service.problems import NotReadyError
from service.settings import Settings

T = TypeVar("T")
logger = logging.getLogger(__name__)

#: Generation yields the core to classification: somebody waits for that.
_GENERATOR_NICE = 10


class Patch(NamedTuple):
    """One lesion for the classifier."""

    hu: Float[np.ndarray, "64 64"]
    saliency: bool


class Scored(NamedTuple):
    """What the classifier says of one lesion."""

    probabilities: Float[np.ndarray, " classes"]
    out_of_distribution: float
    saliency: Float[np.ndarray, "classes h w"] | None


class Noise(NamedTuple):
    """One tile for a generator."""

    lesion_class: str
    z: Float[np.ndarray, "n 100"]


@dataclass(frozen=True, slots=True)
class Model:
    """A bundle that passed its tests, and the queues in front of its networks."""

    manifest: Manifest
    digest: str
    classifier: Batcher[Patch, Scored]
    generator: Batcher[Noise, Float[np.ndarray, "n 64 64"]]


class Runtime:
    """The state of one server process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.downloads = asyncio.Semaphore(settings.max_downloads)
        self.sandbox = Sandbox()
        self.pacs = Directory(load_pacs(settings.pacs))
        self._threads = ThreadPoolExecutor(settings.work_threads, thread_name_prefix="work")
        #: Whether something keeps this process from ever being ready; the log says what.
        self.failed = False
        self._draining = False
        self._model: Model | None = None
        self.metrics.ready.set_function(lambda: self.ready)
        self._state = "found the bundle still loading, expected it loaded and tested"
        self._loading: asyncio.Task[None] | None = None

    @property
    def model(self) -> Model:
        """The model that answers. Raise `NotReadyError` until it is loaded and tested."""
        if self._model is None:
            raise NotReadyError(f"model: {self._state}")
        return self._model

    @property
    def ready(self) -> bool:
        """Whether requests can be answered, and new ones are welcome."""
        return self._model is not None and not self._draining

    def start(self) -> None:
        """Begin to load the bundle; the process is alive meanwhile, but not ready."""
        self._loading = asyncio.create_task(self._load())

    def fail(self, state: str, why: object, *, trace: bool = False) -> None:
        """Log why this process will never be ready; tell callers its state."""
        self.failed = True
        self._state = state
        logger.critical("not ready: %s", why, exc_info=trace)

    def drain(self) -> None:
        """Be ready no more, while what is in flight is answered. A signal's handler may call it."""
        self._draining = True

    async def close(self) -> None:
        """Refuse new work, finish what is queued, end the threads."""
        if self._loading:
            await self._loading
        self._state = "found the service shutting down, expected it running"
        model, self._model = self._model, None
        if model:
            await self.work(model.classifier.close)
            await self.work(model.generator.close)
        await self.pacs.close()
        self._threads.shutdown()
        self.sandbox.close()

    async def work(self, job: Callable[..., T], *arguments: object) -> T:
        """Run a job on one of the few worker threads.

        A caller who is cancelled leaves only when the thread has let go of what it was given.
        """
        running = self._threads.submit(job, *arguments)
        result = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(result)
        except asyncio.CancelledError:
            if not running.cancel():
                await asyncio.wait([result])
            raise

    async def _load(self) -> None:
        try:
            self._model = model = await self.work(_load, self.settings, self.metrics)
        except Exception as error:
            state = "found no bundle that can be trusted; the server's log says why"
            self.fail(state, error, trace=not isinstance(error, BundleError))
            return
        # What is loaded by now stays: a collection need not walk through it while requests wait.
        gc.collect()
        gc.freeze()
        manifest = model.manifest
        self.metrics.watch_queue("classify", lambda: model.classifier.depth)
        self.metrics.watch_queue("synthesize", lambda: model.generator.depth)
        self.metrics.show_model(name=manifest.name, version=manifest.version, digest=model.digest)
        logger.info("ready: %s %s %s", manifest.name, manifest.version, model.digest)


def _load(settings: Settings, metrics: Metrics) -> Model:
    bundle = read(settings.bundle)
    engine = load(bundle, settings.provider, largest_batch=settings.batch_size)
    # The first cut imports half of scikit-image: not while a request waits.
    roi.cut(np.zeros((8, 8), np.float32), (1, 1), from_box(2, 2, 6, 6, shape=(8, 8)))
    return Model(
        bundle.manifest,
        bundle.digest,
        Batcher(
            _classify(engine, metrics),
            name="classify",
            largest_batch=settings.batch_size,
            capacity=settings.max_queued,
        ),
        Batcher(
            lambda tiles: [engine.generate(tile.lesion_class, tile.z) for tile in tiles],
            name="synthesize",
            largest_batch=1,
            capacity=2 * settings.max_downloads,
            nice=_GENERATOR_NICE,
        ),
    )


def _classify(engine: Engine, metrics: Metrics) -> Callable[[list[Patch]], list[Scored]]:
    def run(patches: list[Patch]) -> list[Scored]:
        metrics.batch.observe(len(patches))
        scores = engine.classify(
            np.stack([patch.hu for patch in patches]),
            saliency=any(patch.saliency for patch in patches),
        )
        maps = scores.saliency
        return [
            Scored(p, float(score), maps[i] if maps is not None else None)
            for i, (p, score) in enumerate(
                zip(scores.probabilities, scores.out_of_distribution, strict=True)
            )
        ]

    return run
