"""python -m service.dimse: settings from the environment, a listener until SIGTERM."""

import asyncio
import logging
import sys

from pydantic import ValidationError

from lesion.errors import InputError
from service import logs
from service.dimse.faults import keep_out_of_sight
from service.dimse.listener import run
from service.dimse.settings import ListenerSettings
from service.settings import Settings

logger = logging.getLogger("service.dimse")


def main() -> int:
    """Run the listener; return its exit status."""
    logs.configure()
    keep_out_of_sight()
    try:
        shared, settings = Settings(), ListenerSettings()  # type: ignore[call-arg]  # the environment's
    except ValidationError as error:  # less its inputs: one may be a secret in the wrong place
        for wrong in error.errors(include_url=False, include_input=False, include_context=False):
            name = ".".join(map(str, wrong["loc"]))
            logger.critical({"message": f"settings: {name}: {wrong['msg']}"})
        return 2
    try:
        asyncio.run(run(shared, settings))
    except (OSError, InputError) as error:
        logger.critical({"message": f"cannot start: {type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
