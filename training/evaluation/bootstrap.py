"""Intervals about other patients: whole patients are drawn, because their lesions share a scan."""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from training import seeds
from training.evaluation.metrics import Interval

RESAMPLES = 10_000
_PER_BATCH = 1_000_000  # drawn patients held at once


def bootstrap_mean(
    values: Float[np.ndarray, " n"],
    patients: Shaped[np.ndarray, " n"],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean of one figure of each lesion with its 95 % percentile interval.

    Patients are drawn with all their lesions (Field and Welsh 2007). Raise `ValueError` for fewer
    than two patients.
    """
    sums = _per_patient(patients, values, np.ones(len(values)))
    total, lesions = _drawn(sums, seed=seed, resamples=resamples)
    return _interval(float(values.mean()), total / lesions)


def bootstrap_gain(
    gain: Float[np.ndarray, " n"],
    patients: Shaped[np.ndarray, " n"],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean of each lesion's gain in [-1, 1] with its 95 % interval, for two classifiers.

    As `bootstrap_mean`, of two patients more: one who gains all, one who loses all, as Bonett and
    Price (2012) add one to either cell of what changed. Without them the interval of four lesions
    gained and none lost lies above 0, and that of none changed is a point: no draw holds what
    happens not to have been seen.
    """
    sums = _per_patient(patients, gain, np.ones(len(gain)))
    usual = len(gain) / len(sums)
    added = np.array([[usual, usual], [-usual, usual]])
    total, lesions = _drawn(np.concatenate([sums, added]), seed=seed, resamples=resamples)
    return _interval(float(gain.mean()), total / lesions)


def bootstrap_between(
    values: Float[np.ndarray, " n"],
    first: Bool[np.ndarray, " n"],
    second: Bool[np.ndarray, " n"],
    patients: Shaped[np.ndarray, " n"],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean over one group of lesions less that over another, with its 95 % interval.

    As `bootstrap_mean`; for example the sensitivity of cysts less that of metastases. Draws without
    any lesion of a group say nothing and are left out. Raise `ValueError` for an empty group.
    """
    if not (first.any() and second.any()):
        raise ValueError(f"found groups of {first.sum()} and {second.sum()} lesions")
    sums = _per_patient(patients, values * first, first, values * second, second)
    drawn = _drawn(sums, seed=seed, resamples=resamples)
    total, lesions, other_total, others = drawn[:, (drawn[1] > 0) & (drawn[3] > 0)]
    value = float(values[first].mean() - values[second].mean())
    return _interval(value, total / lesions - other_total / others)


def bootstrap_balanced(
    values: Float[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"],
    patients: Shaped[np.ndarray, " n"],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean of the groups' means, whatever their sizes, with its 95 % interval.

    As `bootstrap_mean`; for example a coverage that is measured in each class. Draws without any
    lesion of a group say nothing and are left out.
    """
    masks = [groups == group for group in np.unique(groups)]
    figures = [figure for mask in masks for figure in (values * mask, mask)]
    drawn = _drawn(_per_patient(patients, *figures), seed=seed, resamples=resamples)
    totals, lesions = drawn[::2], drawn[1::2]
    whole = (lesions > 0).all(axis=0)
    value = float(np.mean([values[mask].mean() for mask in masks]))
    return _interval(value, (totals[:, whole] / lesions[:, whole]).mean(axis=0))


def _per_patient(patients: Shaped[np.ndarray, " n"], *figures: np.ndarray) -> np.ndarray:
    """Sum each figure over the lesions of each patient: [patients, figures]."""
    names, patient = np.unique(patients, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"found {len(names)} patients, expected at least 2")
    return np.stack([np.bincount(patient, figure) for figure in figures], axis=1)


def _drawn(sums: Float[np.ndarray, "p s"], *, seed: int, resamples: int) -> np.ndarray:
    """Return the sums of as many patients as there are, drawn with replacement: [s, resamples]."""
    rng, patients = seeds.generator(seed, "bootstrap"), len(sums)
    batch = max(1, _PER_BATCH // patients)
    parts = [
        sums[rng.integers(patients, size=(min(batch, resamples - start), patients))].sum(axis=1)
        for start in range(0, resamples, batch)
    ]
    return np.concatenate(parts).T


def _interval(value: float, drawn: Float[np.ndarray, " resamples"]) -> Interval:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(value, float(low), float(high))
