"""Settings, typed, from the environment: each field is `HEPATICA_` and its name in capitals."""

import re
from collections.abc import Callable
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from service.pacs.config import load

MIB = 1024 * 1024
#: Longer than proxies keep a connection in their pools: one of the two must be the first to close
#: it, and a proxy that finds it closed as it sends a request answers 502.
KEEP_ALIVE_S = 75.0

# As browsers write them: in small letters, without a default port. No wildcard, and no `null`.
_NAME = r"[a-z0-9._-]+"
_ORIGIN = r"(http(?!.*:80$)|https(?!.*:443$))://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?"


def _split(value: object) -> object:
    """Return a list as an environment variable holds it: separated by commas, none if empty."""
    return value.replace(",", " ").split() or None if isinstance(value, str) else value


def _each(holds: Callable[[str], bool], expected: str) -> AfterValidator:
    """Refuse a list with an entry of another form."""

    def check(entries: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for entry in entries or ():
            if not holds(entry):
                raise ValueError(f"found {entry!r}, expected {expected}")
        return entries

    return AfterValidator(check)


def _is_origin(text: str) -> bool:
    return re.fullmatch(_ORIGIN, text) is not None


def _is_host(text: str) -> bool:
    return re.fullmatch(_NAME, text) is not None or _is_ipv6(text)


_Listed = Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_split)]
Origins = Annotated[_Listed, _each(_is_origin, "origins: https://viewer.example:8443")]
Hosts = Annotated[_Listed, _each(_is_host, "names without a port: hepatica.example")]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """What an operator can choose. A value out of its range stops the server at its start.

    A bound that is reached answers 413 (sizes) or 503 with Retry-After (what is full).
    """

    model_config = SettingsConfigDict(env_prefix="HEPATICA_", frozen=True)

    #: Folder of the model bundle.
    bundle: Path = Path("models/default")
    #: Where the networks run. Where `cuda` does not work, `cpu` does not take its place.
    provider: Literal["cpu", "cuda"] = "cpu"

    #: File that names the PACS to pull from and to store at (see `service.pacs.config`).
    pacs: Path | None = None

    #: Refuse files that deviate from the DICOM standard, instead of reading them with a warning.
    strict: bool = False

    #: Web pages of these origins may ask for everything, and read the answers.
    allowed_origins: Origins = None
    #: Names by which the service may be called; any, where there are none.
    allowed_hosts: Hosts = None

    #: Where probes and scrapers are answered apart from requests: nowhere, without a port.
    probe_host: str = "127.0.0.1"
    probe_port: Port | None = None

    #: Bytes of one request's body, and of all bodies held at once.
    max_body_bytes: PositiveInt = 32 * MIB
    max_held_bytes: PositiveInt = 128 * MIB
    #: Requests at once, /synthesize answers at once, patches that wait for the classifier.
    max_requests: PositiveInt = 256
    max_downloads: PositiveInt = 8
    max_queued: PositiveInt = 256
    #: Lesions in one request, images in one answer of /synthesize.
    max_lesions: PositiveInt = 32
    max_images: PositiveInt = 10_000

    #: Patches in one inference, at most. Twice as many are no faster, and hold 30 MB more.
    batch_size: PositiveInt = 16
    #: Images that are decoded or encoded at once.
    work_threads: PositiveInt = 2

    #: A request's body must arrive, and an answer be made, within this.
    receive_timeout_s: Seconds = 30.0
    answer_timeout_s: Seconds = 30.0
    #: A reader of an answer may pause no longer than this.
    send_timeout_s: Seconds = 30.0
    #: A connection without a request stays open for this.
    keep_alive_s: Seconds = KEEP_ALIVE_S
    #: Seconds that a 503 asks to wait.
    retry_after_s: NonNegativeInt = 1

    @field_validator("pacs")
    @classmethod
    def _sound(cls, pacs: Path | None) -> Path | None:
        load(pacs)  # its `ValueError` says what is wrong
        return pacs

    @model_validator(mode="after")
    def _room_for_one(self) -> "Settings":
        if self.max_lesions > self.max_queued or self.max_body_bytes > self.max_held_bytes:
            raise ValueError("the largest request must fit: max_queued, max_held_bytes")
        return self


def _is_ipv6(host: str) -> bool:
    try:
        return str(IPv6Address(host)) == host  # as a browser writes it
    except ValueError:
        return False
