"""python -m service.dimse: settings from the environment, a listener until SIGTERM."""

import asyncio
import logging
import sys

from lesion.errors import InputError
from service import environment, logs
from service.dimse.faults import keep_out_of_sight
from service.dimse.listener import run
from service.dimse.settings import ListenerSettings
from service.settings import Settings

logger = logging.getLogger("service.dimse")


def main() -> int:
    """Run the listener; return its exit status."""
    logs.configure()
    keep_out_of_sight()
    shared, settings = environment.read(Settings), environment.read(ListenerSettings)
    environment.warn_of_unknown(Settings, ListenerSettings)
    try:
        asyncio.run(run(shared, settings))
    except (OSError, InputError) as error:
        logger.critical({"message": f"cannot start: {type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
