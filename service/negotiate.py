"""Content negotiation (RFC 9110, 12.5.1)."""

from starlette.datastructures import Headers

from lesion.numerals import number
from service.problems import NotAcceptableError


def check(headers: Headers, offered: str) -> None:
    """Raise `NotAcceptableError` unless the Accept headers allow the one media type offered."""
    choose(headers, (offered,))


def choose(headers: Headers, offered: tuple[str, ...]) -> str:
    """Return the media type that the Accept headers like best; of several, the first offered.

    Raise `NotAcceptableError` if they allow none. Parameters of a media type are not compared.
    """
    accept = ",".join(headers.getlist("accept"))
    if not accept.strip():
        return offered[0]
    qualities = [
        max(_ranked(entry, media_type) for entry in accept.split(","))[1] for media_type in offered
    ]
    best = max(quality if quality > 0 else 0.0 for quality in qualities)  # NaN is none
    if not best:
        expected = offered[0] if len(offered) == 1 else f"one of {list(offered)}"
        raise NotAcceptableError(f"Accept: found {accept[:100]!r}, expected {expected}")
    return offered[qualities.index(best)]


def _ranked(entry: str, offered: str) -> tuple[int, float]:
    """Return how closely one media range names the offer (0: not at all), and its quality."""
    essence, *parameters = (part.strip().lower() for part in entry.split(";"))
    closeness = {offered: 3, offered.split("/", maxsplit=1)[0] + "/*": 2, "*/*": 1}
    rank = next((value for name, value in closeness.items() if name == essence), 0)
    quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return rank, number(quality) if rank else 0.0
    except ValueError:
        return rank, 0.0
