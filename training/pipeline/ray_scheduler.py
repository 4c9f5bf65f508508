"""Compute the tasks that the store lacks on a Ray cluster (the extra `ray`).

Ray schedules: every task is handed in at once, with the results that it needs as references. The
machines share no disk: inputs go out from this machine's store, and every result comes back to it.
Where a worker or a machine dies, Ray computes again what was lost with it.
"""

import hashlib
import logging
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import lesion
import training
from lesion.errors import RunError
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.origin import Origin
from training.pipeline.scheduler import WORKER_ENVIRONMENT, Scheduler, failed, pending, run_timed
from training.pipeline.tasks import Arrays, Task, TaskKind

if TYPE_CHECKING:
    from ray import ObjectRef

#: The address that stands for a cluster of this machine alone.
LOCAL_CLUSTER = "local"
#: How often a task is begun again after its worker died.
_RETRIES = 3
#: Nobody is told that something was started, nor that tasks ended which a failure cut off.
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
#: Only this machine's user may compute here: otherwise Ray takes an outer address, even if it is
#: told 127.0.0.1, and leaves a token for the next time in the home folder.
_SETTINGS_HERE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}


@contextmanager
def ray_cluster(address: str, *, workers: int) -> Iterator[Scheduler]:
    """Join the cluster at `address`, from one of its machines; give the scheduler of it.

    `LOCAL_CLUSTER` starts one on this machine, with as many `workers`, that hears this machine's
    user alone and is gone when the block ends. Raise `RunError` without a Ray or a cluster.
    """
    os.environ |= _SETTINGS
    if address == LOCAL_CLUSTER:
        os.environ |= {**_SETTINGS_HERE, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    try:
        import ray  # noqa: PLC0415 - optional; and it reads its settings as it is imported
    except ImportError as error:
        raise RunError("found no Ray, expected the extra: pip install 'hepatica[ray]'") from error
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        how: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if address == LOCAL_CLUSTER:
            how |= {"num_cpus": workers, "include_dashboard": False, "_temp_dir": folder}
        try:
            ray.init(address, runtime_env={"env_vars": WORKER_ENVIRONMENT}, **how)
        except (ConnectionError, ValueError) as error:
            raise RunError(f"{address}: found no Ray cluster to join ({error})") from error
        try:
            yield partial(_compute, code=None if address == LOCAL_CLUSTER else _code())
        finally:
            ray.shutdown()


def _compute(
    tasks: Iterable[Task],
    store: ArtifactStore,
    *,
    on_done: Callable[[Task], None],
    deadline: float | None,
    code: str | None,
) -> None:
    """Compute what is missing; start nothing after `deadline`, as far as the clocks agree.

    Raise `RunError` that names the task which failed; what was done is kept.
    """
    import ray  # noqa: PLC0415 - see ray_cluster

    until = None if deadline is None else time.time() + deadline - time.monotonic()
    submitted = _submit(pending(tasks, store), store, until=until, code=code)
    while submitted:
        (took,), _ = ray.wait(list(submitted), fetch_local=False)
        task, result = submitted.pop(took)
        try:
            origin = ray.get(took)
            arrays = ray.get(result)
        except ray.exceptions.RayTaskError as error:
            raise failed(task, error.cause) from error
        except ray.exceptions.RayError as error:
            raise failed(task, error) from error
        if arrays is not None:
            store.save(task, arrays, origin)
            on_done(task)


def _submit(
    todo: Iterable[Task], store: ArtifactStore, *, until: float | None, code: str | None
) -> dict["ObjectRef[Origin | None]", tuple[Task, "ObjectRef[Arrays | None]"]]:
    """Hand every task in; return each with its result, by the reference of how it was made.

    Ray holds what an unfinished task needs, and no longer: too much for memory goes to disk.
    """
    import ray  # noqa: PLC0415 - see ray_cluster

    # A worker is kept for its next task, though Ray would start one for each that uses a GPU.
    remote = ray.remote(max_retries=_RETRIES, max_calls=0, num_returns=2)(_work)
    gpus = _gpus_of_each()
    results: dict[Task, ObjectRef[Any]] = {}
    submitted = {}
    for task in todo:
        for needed in task.inputs.values():
            if needed not in results:
                arrays = store.load(needed)
                results[needed] = ray.put({name: np.asarray(arrays[name]) for name in arrays})
        result, took = remote.options(name=task.name, num_gpus=gpus if task.kind.gpu else 0).remote(
            task.kind, task.config, tuple(task.inputs), until, code,
            *(results[needed] for needed in task.inputs.values()),
        )  # fmt: skip
        results[task] = result
        submitted[took] = task, result
    return submitted


def _gpus_of_each() -> float:
    """Return a worker's share of the GPUs: small networks run well side by side on one."""
    import ray  # noqa: PLC0415 - see ray_cluster

    found = ray.cluster_resources()
    return min(1.0, found.get("GPU", 0.0) / found["CPU"])


def _work(
    kind: TaskKind,
    config: Any,
    roles: tuple[str, ...],
    until: float | None,
    code: str | None,
    *inputs: Arrays | None,
) -> tuple[Arrays | None, Origin | None]:
    """Compute a task in a worker; nothing after `until` (of `time.time`), nor from nothing."""
    if code is not None and code != _code():
        raise RunError("found another version of this project's code than the run's, on a machine")
    known = {role: arrays for role, arrays in zip(roles, inputs, strict=True) if arrays is not None}
    if len(known) < len(roles) or (until is not None and time.time() >= until):
        return None, None
    return run_timed(kind, config, known)


@cache
def _code() -> str:
    """Return a digest of this machine's copy of the code that tasks are computed with."""
    digest = hashlib.sha256()
    for package in (lesion, training):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
