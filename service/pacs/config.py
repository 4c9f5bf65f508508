"""The PACS that a request may name: a TOML file, read and checked when the service starts.

    [archive]
    url = "https://pacs.example/dicom-web"
    ca_bundle = "/etc/hepatica/ca.pem"
    username = "hepatica"
    password = {file = "/run/secrets/archive"}
    store = true

No secret stands in it: it names the environment variable or the mounted file that holds one.
"""

import os
import re
import ssl
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    field_validator,
    model_validator,
)

from service import tls, toml_file

Seconds = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(_Strict):
    """Where a secret is kept: in an environment variable or in a mounted file."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _is_there(self) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("expected one of 'env' and 'file'")
        try:
            found = self.read()
        except (KeyError, OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the secret cannot be read ({type(error).__name__})") from None
        if not found or not found.isprintable():
            raise ValueError("found an empty or unprintable secret")
        return self

    def read(self) -> str:
        """Return the secret as it is now: whoever mounts a file may renew it."""
        if self.file is not None:
            return self.file.read_text().rstrip("\r\n")
        return os.environ[self.env or ""]


class Pacs(_Strict):
    """How one PACS is reached, and how patiently."""

    #: Of its DICOMweb service: /studies stands below it.
    url: str
    #: Basic authentication, or a bearer token.
    username: Annotated[str, StringConstraints(pattern=r"^[^:\s]+$")] | None = None
    password: Secret | None = None
    token: Secret | None = None
    #: Certificates to trust in place of the system's; our own, where the PACS asks for one.
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    #: Credentials over plain HTTP can be read on the way.
    plain_http_credentials: bool = False

    connect_timeout_s: Seconds = 3.0
    read_timeout_s: Seconds = 10.0
    #: Of one object that is pulled, or of all that is stored of one answer, with all attempts and
    #: pauses.
    deadline_s: Seconds = 20.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    #: The pause before the first retry; it doubles up to the other.
    backoff_s: Seconds = 0.2
    backoff_cap_s: Seconds = 2.0

    #: Whether reports may be stored there.
    store: bool = False

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        if not whole or "@" in parts.netloc or not re.fullmatch(r"[!-~]+", url):
            raise ValueError("expected http(s)://host[:port]/path, with no credentials in it")
        if parts.query or parts.fragment:
            raise ValueError("expected no query and no fragment")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> "Pacs":
        if (self.username is None) != (self.password is None):
            raise ValueError("expected both or none of 'username' and 'password'")
        if self.password and self.token:
            raise ValueError("expected one of 'password' and 'token'")
        if self.client_key and not self.client_certificate:
            raise ValueError("expected 'client_certificate' beside 'client_key'")
        secret = self.password or self.token
        if secret and self.url.startswith("http:") and not self.plain_http_credentials:
            raise ValueError("expected https for credentials, or plain_http_credentials = true")
        self.tls()
        return self

    def tls(self) -> ssl.SSLContext | bool:
        """Return whom to trust, and who we are; nothing is to be verified over plain HTTP."""
        if self.url.startswith("http:"):
            return True
        return tls.context(self.ca_bundle, self.client_certificate, self.client_key)


_CONFIGURATION: TypeAdapter[dict[Name, Pacs]] = TypeAdapter(dict[Name, Pacs])


def load(path: Path | None) -> dict[str, Pacs]:
    """Read the file; no file, no PACS. Raise `ValueError` for what it cannot mean."""
    return {} if path is None else toml_file.read(path, _CONFIGURATION.validate_python)
