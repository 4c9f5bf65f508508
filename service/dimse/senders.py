"""The settings of each sender, and when an annotation is due by them."""

import math
import time
from collections.abc import Callable, Collection

from service.dimse.match import Match
from service.dimse.peers import Peers
from service.dimse.settings import ListenerSettings


class Senders:
    """The senders by their AE titles, as the peers' file and the settings have them.

    `active_at` tells when an object was last arriving from one of several (`pdu.Held.active_at`).
    """

    def __init__(
        self,
        peers: Peers,
        settings: ListenerSettings,
        active_at: Callable[[Collection[str]], float],
    ) -> None:
        self._peers, self._active_at = peers, active_at
        self._quiet_s, self._message_s = settings.quiet_s, settings.message_timeout_s
        self._began_at = time.time()

    def select_of(self, ae_title: str) -> str | None:
        """Return what is read of a sender's annotations; None where that is all."""
        return self._peers.of(ae_title).select

    def due_at(self, found: Match) -> float:
        """Return when an annotation is to be classified; infinity where never as things stand."""
        own = (self._peers.of(ae_title).quiet_s for ae_title in found.senders)
        quiet_s = max(self._quiet_s if one is None else one for one in own)
        active_at = self._active_at(found.senders)
        at = found.due_at(quiet_s, active_at=active_at, most_s=self._message_s)
        if at is None:
            return math.inf
        # Nobody could send while the process was down: that was no quiet.
        return at if found.whole else max(at, self._began_at + quiet_s)
