"""Serve over HTTP in one process. Settings come from the environment (docs/operations.md).

What keeps it from serving is a line of the log and status 1, not a process that lives and answers
nothing: a wrong setting, a port that is taken, a bundle that is not there or fails its tests.
SIGTERM and SIGINT end it with status 0, once requests in flight are answered; a second one at once.
"""

import argparse
import logging
import socket
import sys

from service.shutdown import end_on_signals

logger = logging.getLogger("service")


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; return the exit status."""
    end_on_signals()
    args = _parser().parse_args(arguments)
    # What takes longest to import comes last: what can fail at once, does.
    from service import environment, logs  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    logs.configure()
    environment.read(Settings)
    try:
        listener = _listen(args.host, args.port)
    except OSError as error:
        logger.critical({"message": f"cannot listen at {args.host}:{args.port}: {_reason(error)}"})
        return 1
    logger.info({"message": "listening", "port": listener.getsockname()[1]})
    from service import server  # noqa: PLC0415

    return server.run(listener)


def _listen(host: str, port: int) -> socket.socket:
    """Listen; where the address means every one, over both versions of IP."""
    if ":" not in host:
        return socket.create_server((host, port))
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=both)


def _reason(error: OSError) -> str:
    """Say what the system says, without the address that Python adds to it."""
    return (error.strerror or str(error)).partition(" (while ")[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at [%(default)s]")
    parser.add_argument("--port", default=3000, type=_port, help="port to listen at [%(default)s]")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
