"""Who may send, and where reports go: a TOML file, read and checked when the listener starts.

    [senders."CT ROOM 1"]
    hosts = ["192.0.2.10", "192.0.2.64/26"]

    [senders.WORKSTATION]
    select = "Tumor"
    quiet_s = 60

    [target]
    ae_title = "ARCHIVE"
    host = "pacs.example"
    port = 104

A target is an AE, or `pacs = NAME`, one of those that HEPATICA_PACS names to store at.
"""

import ssl
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from service import tls, toml_file
from service.pacs.config import Name
from service.settings import Seconds

#: 1 to 16 characters, no backslash, no control character, no space at an end (PS3.5, 6.2, AE).
AE_TITLE = r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$"
AETitle = Annotated[str, StringConstraints(pattern=AE_TITLE)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sender(_Strict):
    """One AE that may send: from these addresses alone, or from any where none is named."""

    hosts: tuple[IPv4Network | IPv6Network, ...] = ()
    #: Of its annotations, the one segment, ROI or measurement group to read; all without it.
    select: Annotated[str, StringConstraints(pattern=r"\S")] | None = None
    #: How long a study must be quiet that it sends, in place of HEPATICA_DIMSE_QUIET_S.
    quiet_s: Seconds | None = None

    def may_send_from(self, host: str) -> bool:
        """Tell whether it may connect from an address."""
        return not self.hosts or any(_plain(host) in network for network in self.hosts)


class Target(_Strict):
    """Where reports go: an AE by C-STORE, or a PACS by STOW-RS."""

    ae_title: AETitle | None = None
    host: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    #: TLS to the AE; certificates to trust in place of the system's; our own, where it asks.
    tls: bool = False
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None

    #: Of HEPATICA_PACS, with `store = true` there.
    pacs: Name | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Target":
        an_ae = [self.ae_title, self.host, self.port]
        if (self.pacs is None) != all(an_ae) or (self.pacs is not None and any(an_ae)):
            raise ValueError("expected 'ae_title', 'host' and 'port', or 'pacs'")
        if not self.tls and (self.ca_bundle or self.client_certificate or self.client_key):
            raise ValueError("expected tls = true beside certificates")
        self.context()
        return self

    def context(self) -> ssl.SSLContext | None:
        """Return whom to trust and who we are; None where there is no TLS."""
        if not self.tls:
            return None
        return tls.context(self.ca_bundle, self.client_certificate, self.client_key)


class Peers(_Strict):
    """Who may send, by AE title, and where reports go."""

    senders: dict[AETitle, Sender] = Field(min_length=1)
    target: Target

    def may_connect(self, host: str) -> bool:
        """Tell whether any sender may connect from an address, whatever it calls itself."""
        return any(sender.may_send_from(host) for sender in self.senders.values())

    def may_send(self, ae_title: str, host: str) -> bool:
        """Tell whether an AE may send from an address."""
        sender = self.senders.get(ae_title)
        return sender is not None and sender.may_send_from(host)

    def of(self, ae_title: str) -> Sender:
        """Return what is set for an AE; the defaults where the file names it no more."""
        return self.senders.get(ae_title, Sender())


def load(path: Path) -> Peers:
    """Read the file. Raise `ValueError` for what it cannot mean."""
    return toml_file.read(path, Peers.model_validate)


def _plain(host: str) -> IPv4Address | IPv6Address:
    """Return an address; that of IPv4 where IPv6 merely wraps it."""
    address = ip_address(host.partition("%")[0])
    wrapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return wrapped or address
