"""Content negotiation (RFC 9110, 12.5.1)."""

from starlette.datastructures import Headers

from lesion.numerals import number
from service.problems import NotAcceptableError


def check(headers: Headers, offered: str) -> None:
    """Raise `NotAcceptableError` unless the Accept headers allow the one media type offered."""
    accept = ",".join(headers.getlist("accept"))
    if not accept.strip():
        return
    ranked = [_ranked(entry, offered) for entry in accept.split(",")]
    _, quality = max(ranked, default=(0, 0.0))
    if not quality > 0:  # NaN neither
        raise NotAcceptableError(f"Accept: found {accept[:100]!r}, expected {offered}")


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
