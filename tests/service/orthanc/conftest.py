"""A site in a network of its own: Debian's Orthanc by our recipe, the listener and the service."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RECIPE = ROOT / "docs" / "pacs" / "orthanc"
_PROGRAMS = ("Orthanc", "storescu", "curl", "unshare", "nsenter", "ip")
_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")

ORTHANC = "http://127.0.0.1:8042"
LISTENER = "http://127.0.0.1:11113"
HEPATICA = "http://127.0.0.1:3000"


@dataclass(frozen=True)
class Site:
    """Three servers on the ports of the recipe; nothing outside their network can reach them."""

    holder: int
    folder: Path

    def command(self, *words: object) -> list[str]:
        return ["nsenter", "--net", f"--target={self.holder}", *map(str, words)]

    def run(self, *words: object, ok: bool = True) -> bytes:
        done = subprocess.run(
            self.command(*words), cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0 or not ok, (words[0], done.returncode, done.stderr, done.stdout)
        return done.stdout

    def curl(self, url: str, *options: object, ok: bool = True) -> bytes:
        return self.run("curl", "-sS", *(["--fail-with-body"] if ok else []), *options, url, ok=ok)

    def series(self, study: str, modality: str) -> list[dict]:
        """Return what Orthanc holds of a study, over DICOMweb."""
        url = f"{ORTHANC}/dicom-web/studies/{study}/instances?Modality={modality}"
        found = self.curl(url, "-H", "Accept: application/dicom+json")
        return json.loads(found) if found else []

    def wait_for(self, study: str, modality: str, seconds: float = 60) -> dict:
        until = time.monotonic() + seconds
        while not (found := self.series(study, modality)):
            assert time.monotonic() < until, self.logs()
            time.sleep(0.2)
        (only,) = found
        return only

    def file(self, instance: dict) -> bytes:
        """Fetch an instance as the PACS keeps it."""
        uid = instance["00080018"]["Value"][0]
        (found,) = json.loads(self.curl(f"{ORTHANC}/tools/lookup", "-d", uid))
        return self.curl(f"{ORTHANC}/instances/{found['ID']}/file")

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


def _printed(pattern: str) -> str:
    """Return what the recipe's page prints, as a shell in the repository's root takes it."""
    (found,) = re.findall(pattern, (RECIPE / "README.md").read_text(encoding="utf-8"))
    return found.replace("$PWD", str(ROOT))


@pytest.fixture(scope="package")
def site(bundle_folder, tmp_path_factory) -> Iterator[Site]:
    """Start exactly what docs/pacs/orthanc says, or skip."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing or not _PLUGIN.exists():
        pytest.skip(f"found no {missing or _PLUGIN} (Debian: orthanc, orthanc-dicomweb, dcmtk)")
    if os.geteuid() != 0:
        pytest.skip("a network of its own needs root")
    folder = tmp_path_factory.mktemp("site")
    pacs = folder / "pacs.toml"
    pacs.write_text(f'[orthanc]\nurl = "{ORTHANC}/dicom-web"\nstore = true\n')
    environment = {
        **os.environ,
        "ORTHANC_STORAGE": str(folder / "storage"),
        "HEPATICA_LUA": _printed(r"HEPATICA_LUA=(\S+)"),
        "HEPATICA_BUNDLE": str(bundle_folder),
        "HEPATICA_PACS": str(pacs),
        "HEPATICA_DIMSE_PEERS": str(RECIPE / "peers.toml"),
        "HEPATICA_DIMSE_CAPTURE": _printed(r"HEPATICA_DIMSE_CAPTURE=(\S+) \\"),
        "HEPATICA_DIMSE_SPOOL": str(folder / "spool"),
    }
    hold = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 900"]
    with ExitStack() as stack:
        holder = stack.enter_context(_process(hold, environment, stdout=subprocess.PIPE))
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        site = Site(holder.pid, folder)
        for name, words in {
            "orthanc": ("Orthanc", _printed(r"Orthanc (\S+\.json)")),
            "listener": (sys.executable, "-m", "service.dimse"),
            "service": (sys.executable, "-m", "service", "--port", 3000),
        }.items():
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            stack.enter_context(_process(site.command(*words), environment, stdout=log))
        for url in (f"{ORTHANC}/system", f"{LISTENER}/readyz", f"{HEPATICA}/readyz"):
            _await(partial(site.curl, url, "-o", "/dev/null", "-w", "%{http_code}", ok=False))
        yield site


@contextmanager
def _process(
    command: list[str], environment: dict[str, str], **pipes: object
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.STDOUT, **pipes
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout:
            process.stdout.close()


def _await(status: Callable[[], bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while status() != b"200":
        assert time.monotonic() < until, status()
        time.sleep(0.1)
