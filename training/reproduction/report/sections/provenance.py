"""How the run was made: what was smaller than in the paper, what was not run, and on what."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from training.html.blocks import Content, Section, Table
from training.pipeline.origin import NOT_RECORDED
from training.presets import FURTHER, PAPER_GRID
from training.reproduction.analyses.catalogue import ANALYSES

#: What a smoke run leaves out before all else.
_TRAINING = "training worth the name: this is a smoke run, whose figures and verdicts mean nothing"
#: Never part of a run.
_PEOPLE = "radiologists reading (Table 4's human rows): no person took part"


def section(results: Mapping[str, Any]) -> Section:
    """Return the section."""
    run = results["run"]
    here = tuple((name, _word(value)) for name, value in _facts(run))
    origin = Table("made", "This run.", ("", ""), here)
    smaller = Table(
        "settings",
        "Settings that differ from the full grid (the preset `paper`).",
        ("setting", "here", "full grid"),
        tuple(differences(run["resolved"])),
    )
    words = (
        "Everything that was set, every number before rounding, and the digests of the results "
        "behind each part are in results.json. The same settings and seed give the same numbers "
        "on the same kind of machine.",
    )
    blocks = (origin, smaller) if smaller.rows else (origin,)
    return Section("provenance", "How it was made", words, blocks)


def not_run(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which parts are missing, or smaller than they should be to count."""
    if results["run"]["preset"] == "smoke":
        return (_TRAINING, *_left_out(results))
    return _left_out(results)


def _left_out(results: Mapping[str, Any]) -> tuple[str, ...]:
    missing = [
        analysis.missing
        for analysis in ANALYSES
        if analysis.missing and not results.get(analysis.name)
    ]
    if not results.get("claims"):
        missing.append("verdicts on the claims")
    resolved, full = results["run"]["resolved"], asdict(PAPER_GRID)
    for name, noun in (("classic", "classic groups"), ("synthetic", "synthetic groups")):
        left = [size for size in full[name] if size not in resolved[name]]
        if left:
            missing.append(f"{noun} of {', '.join(map(str, left))} per fold")
    cohorts, wanted = resolved["cohorts"]["count"], full["cohorts"]["count"]
    if cohorts < wanted:
        missing.append(f"{wanted - cohorts} of the {wanted} cohorts of the primary claim")
    arms = [name for name in FURTHER if name not in resolved["cohorts"]["further"]]
    if results.get("cohorts") and arms:
        missing.append(
            f"over the cohorts, arms that the primary claim can do without: {', '.join(arms)}"
        )
    return (*missing, _PEOPLE)


def differences(resolved: Mapping[str, Any]) -> Iterator[tuple[Content, ...]]:
    """Yield the settings that differ from the paper's preset: name, here, there."""
    full = dict(_flat(asdict(PAPER_GRID)))
    for name, value in _flat(resolved):
        there = full.get(name)
        if name != "name" and _word(value) != _word(there):
            yield name, _word(value), _word(there)


def _facts(run: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    cohort = run["cohort"]
    lesions = ", ".join(f"{count} {name}" for name, count in cohort["lesions"].items())
    yield "cohort", cohort["name"]
    yield "lesions", f"{sum(cohort['lesions'].values())}: {lesions}; {cohort['patients']} patients"
    yield "preset, seed", f"{run['preset']}, {run['seed']}"
    yield "date", run["date"]
    yield "machine", run["machine"]
    yield "versions", ", ".join(f"{name} {found}" for name, found in run["versions"].items())
    hours = sum(run["seconds"].values()) / 3600
    longest = sorted(run["seconds"].items(), key=lambda found: -found[1])
    yield (
        "processor time of the results",
        f"{hours:.1f} h: " + ", ".join(f"{kind} {s / 60:.0f} min" for kind, s in longest),
    )
    yield "results behind the numbers", f"{sum(map(len, run['tasks'].values()))} tasks"
    origin = run.get("made_on", {})  # absent from results that are older than it
    for name, words in (
        ("device", "made on"),
        ("torch", "made by torch"),
        ("precision", "trained in"),
    ):
        found = origin.get(name, {}).items()
        yield words, "; ".join(f"{one} ({count} tasks)" for one, count in found) or NOT_RECORDED


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, found in value.items():
        if isinstance(found, Mapping):
            yield from _flat(found, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", found


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_word, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)
