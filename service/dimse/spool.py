"""Received objects on disk, until what they are for is done; an index of them in memory.

An object is answered for only once it is on the disk. The index is rebuilt from the files, so that
a crash loses nothing but what no sender was told had arrived.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock

from service.dimse import files
from service.dimse.faults import tell
from service.dimse.identity import Identity

FOLDER = "objects"

#: Images and series that all annotations together name: each takes some 120 bytes of memory, and of
#: an object that is deflated hardly any of the disk.
MOST_NAMED = 1_000_000

#: Of the room, what images may fill. The rest is for annotations: CT that nobody annotates must not
#: keep out what is about CT that is here.
IMAGES_SHARE = 0.9


class SpoolFullError(Exception):
    """The spool holds as much as it may, or the disk does."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An object on disk: its key, who it is, when it arrived (seconds of the clock), its bytes.

    `sender` is the AE title that it came from; empty where an older release kept it.
    """

    key: str
    identity: Identity
    arrived: float
    size: int
    sender: str = ""


class Spool:
    """The folder and its index. Any thread may call it."""

    def __init__(self, folder: Path, *, max_bytes: int, max_objects: int) -> None:
        self._folder = folder / FOLDER
        self._max_bytes, self._max_objects = max_bytes, max_objects
        self._lock = RLock()
        self._kept: dict[str, Kept] = {}
        self._annotations: dict[str, Kept] = {}
        self._of_study: dict[str, dict[str, Kept]] = {}
        self.bytes = self._named = 0
        for name in files.names(self._folder):
            self._load(name)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def keep(
        self, identity: Identity, data: Iterable[bytes], *, arrived: float, sender: str = ""
    ) -> bool:
        """Put an object on the disk; return whether it was not there already.

        Raise `SpoolFullError` where there is no room.
        """
        key, parts = files.key_of(identity.instance), tuple(data)
        with self._lock:
            if key in self._kept:
                return False
            if not self._room_for(identity, sum(map(len, parts))):
                raise SpoolFullError
            head = {"arrived": arrived, "sender": sender, **asdict(identity)}
            try:
                size = files.write(self._folder / key, head, *parts)
            except OSError as error:
                tell("spool: cannot be written", error)
                raise SpoolFullError from None
            self._add(Kept(key, identity, arrived, size, sender))
            return True

    def read(self, kept: Kept) -> bytes:
        """Return an object: a Part 10 file."""
        return files.read_body(self._folder / kept.key)

    def read_head(self, kept: Kept) -> bytes:
        """Return an image without its pixels; whole, where they cannot be told apart."""
        return files.read_body(self._folder / kept.key, kept.identity.head or -1)

    def remove(self, key: str) -> None:
        """Forget an object, if it is there."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return
            files.remove(self._folder / key)
            del self._kept[key]
            self._annotations.pop(key, None)
            self.bytes -= kept.size
            self._named -= _named(kept.identity)
            of_study = self._of_study[kept.identity.study]
            del of_study[key]
            if not of_study:
                del self._of_study[kept.identity.study]

    def get(self, key: str) -> Kept | None:
        """Return what is known of an object, if it is there."""
        return self._kept.get(key)

    def of_study(self, study: str) -> list[Kept]:
        """Return the objects of a study, in the order of their arrival."""
        with self._lock:
            return list(self._of_study.get(study, {}).values())

    def all(self) -> list[Kept]:
        """Return all objects."""
        with self._lock:
            return list(self._kept.values())

    def annotations(self) -> list[Kept]:
        """Return the annotations, in the order of their arrival."""
        with self._lock:
            return sorted(self._annotations.values(), key=lambda kept: kept.arrived)

    def _room_for(self, identity: Identity, size: int) -> bool:
        share = IMAGES_SHARE if identity.kind == "ct" else 1.0
        return (
            len(self) + 1 <= share * self._max_objects
            and self.bytes + size <= share * self._max_bytes
            and self._named + _named(identity) <= MOST_NAMED
        )

    def _add(self, kept: Kept) -> None:
        self._kept[kept.key] = kept
        if kept.identity.kind != "ct":
            self._annotations[kept.key] = kept
        self._of_study.setdefault(kept.identity.study, {})[kept.key] = kept
        self.bytes += kept.size
        self._named += _named(kept.identity)

    def _load(self, name: str) -> None:
        path = self._folder / name
        try:
            head = files.read_head(path)
            arrived, sender = float(head.pop("arrived")), str(head.pop("sender", ""))
            for field in ("references", "series_named"):
                head[field] = tuple(head[field])
            self._add(Kept(name, Identity(**head), arrived, path.stat().st_size, sender))
        except (KeyError, TypeError, ValueError) as error:
            tell("spool: found a file of another kind, expected an object", error)


def _named(identity: Identity) -> int:
    return len(identity.references) + len(identity.series_named)
