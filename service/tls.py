"""Whom to trust over TLS, and who we are."""

import ssl
from pathlib import Path


def context(
    ca_bundle: Path | None, client_certificate: Path | None, client_key: Path | None
) -> ssl.SSLContext:
    """Trust the authorities of a file, or the system's; show our certificate where one is named.

    Raise `ValueError` where they cannot be read.
    """
    try:
        made = ssl.create_default_context(cafile=ca_bundle)
        if client_certificate:
            made.load_cert_chain(client_certificate, client_key)
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(f"certificates cannot be read ({type(error).__name__})") from None
    return made
