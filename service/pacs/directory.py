"""The PACS of the configuration, and a client for each that is asked for."""

from service.pacs.client import Client
from service.pacs.config import Pacs
from service.problems import UnknownPacsError


class Directory:
    """Clients by the names of the configuration: no request can name another address."""

    def __init__(self, pacs: dict[str, Pacs]) -> None:
        self._pacs = pacs
        self._clients: dict[str, Client] = {}

    def client(self, name: str, *, to_store: bool = False) -> Client:
        """Return the client of a PACS. Raise `UnknownPacsError` for what is not configured."""
        names = sorted(key for key, pacs in self._pacs.items() if pacs.store or not to_store)
        if name not in names:
            raise UnknownPacsError(
                f"{'store' if to_store else 'pacs'}: found {name[:40]!a}, expected one of {names}"
            )
        if name not in self._clients:
            self._clients[name] = Client(name, self._pacs[name])
        return self._clients[name]

    async def close(self) -> None:
        """End the connections."""
        for client in self._clients.values():
            await client.close()
