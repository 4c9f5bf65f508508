"""Which of the images that are there an annotation is about, and whether it must wait for more."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.dimse import files
from service.dimse.identity import Identity
from service.dimse.spool import Kept, Spool


@dataclass(frozen=True, slots=True)
class Match:
    """The images that an annotation is about, as far as they are there.

    `images` are those; where none of those that it names is there, or it names none and several
    series are, `candidates` are the images of each series that may be meant: of its study and frame
    of reference. `whole` where it names its images and all of them are there. `quiet_since` is when
    the last object of theirs and of its study arrived, in seconds of the clock, `senders` the AE
    titles that these objects came from.
    """

    images: tuple[Kept, ...]
    candidates: tuple[tuple[Kept, ...], ...]
    whole: bool
    quiet_since: float
    senders: frozenset[str]

    def due_at(
        self, quiet_s: float, *, active_at: float = 0.0, most_s: float = 0.0
    ) -> float | None:
        """Return when it is to be classified: at once, later, or never as things stand (None).

        `active_at` is when an object of these senders was last arriving. It may be one of these
        images, so that it counts as they do, until `most_s` after the last that is known to be.
        """
        if not self.images and not self.candidates:
            return None
        if self.whole:  # a clock that was set back would have it wait, though for nothing
            return 0.0
        return max(self.quiet_since, min(active_at, self.quiet_since + most_s)) + quiet_s

    @property
    def awaited(self) -> list[Kept]:
        """All images that it may be about."""
        return [*self.images, *(kept for series in self.candidates for kept in series)]


def match(annotation: Kept, spool: Spool) -> Match:
    """Find the images of an annotation."""
    identity = annotation.identity
    of_study = spool.of_study(identity.study)
    images = _named(identity.references, spool)
    candidates = [] if images else _candidates(identity, of_study)
    if not identity.references and len(candidates) == 1:
        images, candidates = candidates[0], []
    images = sorted(images, key=lambda kept: kept.identity.instance)  # whichever came first
    objects = [annotation, *of_study, *images]
    return Match(
        tuple(images),
        tuple(map(tuple, candidates)),
        bool(images) and len(images) == len(identity.references),
        max(kept.arrived for kept in objects),
        frozenset(kept.sender for kept in objects),
    )


def _named(references: Sequence[str], spool: Spool) -> list[Kept]:
    """Return the images that are named, of whichever study."""
    found = (spool.get(files.key_of(instance)) for instance in references)
    return [kept for kept in found if kept and kept.identity.kind == "ct"]


def _candidates(annotation: Identity, of_study: Sequence[Kept]) -> list[list[Kept]]:
    """Return the series on which an annotation may lie by its geometry, the images of each.

    Those that it names; where none of them is there, all: their UIDs may have been rewritten. What
    names images that are not there must share their frame of reference (PS3.3, C.7.4.1).
    """
    frame = annotation.frame_of_reference
    if annotation.references and not frame:
        return []
    series: dict[str, list[Kept]] = {}
    for kept in sorted(of_study, key=lambda kept: kept.identity.instance):
        if kept.identity.kind == "ct" and frame in ("", kept.identity.frame_of_reference):
            series.setdefault(kept.identity.series, []).append(kept)
    named = [series[uid] for uid in annotation.series_named if uid in series]
    return named or list(series.values())
