"""Which of the images that are there an annotation is about, and whether it must wait for more."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.dimse import files
from service.dimse.identity import Identity
from service.dimse.spool import Kept, Spool


@dataclass(frozen=True, slots=True)
class Match:
    """The images that an annotation is about, as far as they are there.

    `whole` where it names its images and all of them are. `quiet_since` is when the last object of
    theirs and of its study arrived, in seconds of the clock.
    """

    images: tuple[Kept, ...]
    whole: bool
    quiet_since: float

    def due_at(self, quiet_s: float) -> float | None:
        """Return when it is to be classified: at once, later, or never as things stand (None)."""
        if not self.images:
            return None
        # A clock that was set back would have it wait, though there is nothing to wait for.
        return 0.0 if self.whole else self.quiet_since + quiet_s


def match(annotation: Kept, spool: Spool) -> Match:
    """Find the images of an annotation."""
    of_study = spool.of_study(annotation.identity.study)
    named = annotation.identity.references
    images = _named(named, spool) if named else _of_its_kind(annotation.identity, of_study)
    images.sort(key=lambda kept: kept.identity.instance)  # whichever came first
    arrived = [kept.arrived for kept in (annotation, *of_study, *images)]
    return Match(tuple(images), bool(named) and len(images) == len(named), max(arrived))


def _named(references: Sequence[str], spool: Spool) -> list[Kept]:
    """Return the images that are named, of whichever study."""
    found = (spool.get(files.key_of(instance)) for instance in references)
    return [kept for kept in found if kept and kept.identity.kind == "ct"]


def _of_its_kind(annotation: Identity, of_study: Sequence[Kept]) -> list[Kept]:
    """Return the images on which an annotation may lie that names none."""
    return [
        kept
        for kept in of_study
        if kept.identity.kind == "ct"
        and kept.identity.series in (annotation.series_named or {kept.identity.series})
        and annotation.frame_of_reference in ("", kept.identity.frame_of_reference)
    ]
