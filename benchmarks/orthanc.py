"""Debian's Orthanc as a PACS, in a network of its own: it listens on every interface."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom import dcmread

from benchmarks.client import HOST, Request, ask

PORT = 8042
ROOT = "/dicom-web"
#: What a PACS is asked for: one object, as it keeps it.
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_PROGRAMS = ("Orthanc", "unshare", "ip")
_PATIENCE_S = 60
_POLL_S = 0.05


def check() -> None:
    """Exit unless what is needed is installed."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    missing += [] if _PLUGIN.exists() else [str(_PLUGIN)]
    if missing:
        raise SystemExit(
            f"found no {missing}, expected Debian's orthanc, orthanc-dicomweb, iproute2"
        )


def enter(module: str, arguments: Sequence[str]) -> int:
    """Run a module of this project in a network that holds nothing but itself; return its status.

    Raise `SystemExit` where this may not be done: it needs root, or CAP_SYS_ADMIN.
    """
    within = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run([*within, "true"], capture_output=True, check=False).returncode:  # noqa: S603
        raise SystemExit("network: found no right to make one, expected root or CAP_SYS_ADMIN")
    command = [*within, sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=False).returncode  # noqa: S603  # our own interpreter


@contextmanager
def orthanc() -> Iterator[None]:
    """Start an empty Orthanc; stop it in the end."""
    with TemporaryDirectory() as folder:
        configuration = Path(folder) / "orthanc.json"
        configuration.write_text(json.dumps(_configuration(folder)), encoding="utf-8")
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # Debian's own program
                ["Orthanc", str(configuration)],  # noqa: S607
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _await(process)
            yield
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


def store(file: bytes) -> dict[str, str]:
    """Store a file; return the UIDs by which it can be asked for."""
    ask(PORT, Request("/instances", file, "application/dicom"))
    found = dcmread(BytesIO(file), stop_before_pixels=True)
    return {
        "study": str(found.StudyInstanceUID),
        "series": str(found.SeriesInstanceUID),
        "instance": str(found.SOPInstanceUID),
    }


def wado(reference: dict[str, str]) -> Request:
    """Return the request for one instance (WADO-RS, PS3.18, 10.4)."""
    path = "/studies/{study}/series/{series}/instances/{instance}".format(**reference)
    return Request(ROOT + path, accept=ACCEPT)


def _configuration(folder: str) -> dict[str, object]:
    return {
        "StorageDirectory": folder,
        "IndexDirectory": folder,
        "HttpPort": PORT,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "KeepAlive": True,
        "Plugins": [str(_PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": f"{ROOT}/"},
    }


def _await(process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        try:
            ask(PORT, Request("/system"))
        except OSError:  # no socket yet
            time.sleep(_POLL_S)
        else:
            return
    raise RuntimeError(f"Orthanc: found it never ready on {HOST}:{PORT}")
