"""Settings from the environment: a wrong value ends the start, an unknown name gets a warning.

Names are quoted, values never: one may be a secret in the wrong place.
"""

import logging
import os
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=BaseSettings)

_PREFIX = "HEPATICA_"
#: The settings of `service.dimse` begin so. The HTTP service, which is run without that package,
#: leaves them to the listener.
_LISTENER_PREFIX = "HEPATICA_DIMSE_"
#: Read by this repository's scripts, tests and recipes.
_ELSEWHERE = frozenset(
    {"HEPATICA_LUA", "HEPATICA_MUTATIONS", "HEPATICA_POD_NETWORK", "HEPATICA_TEST_DATA"}
)

#: What Kubernetes puts into a pod for each Service of its namespace, after the Service's name.
_LINK = r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?"
#: The Services of `k8s`. Another one is known by its HEPATICA_..._SERVICE_HOST.
_SERVICES = frozenset({"HEPATICA", "HEPATICA_LISTENER"})


def read(kind: type[S]) -> S:
    """Return settings from the environment; end with status 1 and a line for each that is wrong."""
    try:
        return kind()
    except SettingsError as error:  # a list or a table that is none; it names the field alone
        logger.critical({"message": f"settings: {error}"})
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False, include_context=False):
            name = "".join(f"{_name(kind, str(field))}: " for field in wrong["loc"][:1])
            what = wrong["msg"].removeprefix("Value error, ")
            logger.critical({"message": f"settings: {name}{what}"})
    raise SystemExit(1)


def warn_of_unknown(*kinds: type[BaseSettings]) -> None:
    """Log each variable with our prefix that is no setting, with the nearest name that is one."""
    known = {_name(kind, field) for kind in kinds for field in kind.model_fields}
    for name, nearest in unknown(os.environ, known).items():
        message = f"settings: found {name}, which means nothing; the nearest name is {nearest}"
        logger.warning({"message": message})


def unknown(environ: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """Return the variables with our prefix that are not known, each with the nearest known name."""
    names = {name.upper() for name in environ}  # pydantic reads them in any case
    services = _SERVICES | {
        name.removesuffix("_SERVICE_HOST") for name in names if name.endswith("_SERVICE_HOST")
    }
    links = re.compile(f"({'|'.join(map(re.escape, services))})_({_LINK})")
    listens = any(name.startswith(_LISTENER_PREFIX) for name in known)
    return {
        name: get_close_matches(name, known, n=1, cutoff=0)[0]
        for name in sorted(names - set(known) - _ELSEWHERE)
        if name.startswith(_PREFIX)
        and not links.fullmatch(name)
        and (listens or not name.startswith(_LISTENER_PREFIX))
    }


def _name(kind: type[BaseSettings], field: str) -> str:
    return f"{kind.model_config['env_prefix']}{field}".upper()
