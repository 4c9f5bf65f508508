"""python -m service.dimse: settings from the environment, a listener until SIGTERM."""

import asyncio
import logging
import sys

from service.shutdown import end_on_signals

logger = logging.getLogger("service.dimse")


def main() -> int:
    """Run the listener; return its exit status."""
    end_on_signals()
    from lesion.errors import InputError  # noqa: PLC0415  # seconds, with the signals in force
    from service import environment, logs  # noqa: PLC0415
    from service.dimse.faults import keep_out_of_sight  # noqa: PLC0415
    from service.dimse.listener import run  # noqa: PLC0415
    from service.dimse.settings import ListenerSettings  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

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
