"""Debian's Chromium over the W3C WebDriver protocol: no package and no download is needed."""

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

PROGRAMS = ("chromium", "chromedriver")

_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    # It speaks to the page's own server and to nobody else.
    *("--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps"),
]
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name for a reference to one
_PATIENCE_S = 60.0


class Browser:
    """One window. What is looked for is waited for, until the test's own time is up."""

    def __init__(self, http: httpx.Client, session: str) -> None:
        self._http = http
        self._session = session

    def open(self, url: str) -> None:
        self._do("url", url=url)

    def find(self, css: str) -> str:
        """Return the element that is shown first."""
        until = time.monotonic() + _PATIENCE_S
        while not (found := self.all(css)):
            assert time.monotonic() < until, (
                f"{css} is not there: {self.run('return document.body.innerText')}"
            )
            time.sleep(0.05)
        return found[0]

    def all(self, css: str) -> list[str]:
        found = self._do("elements", using="css selector", value=css)
        return [element[_ELEMENT] for element in found]

    def click(self, css: str) -> None:
        element = self.find(css)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        self._do(f"element/{element}/click")

    def type(self, css: str, text: str) -> None:
        """Type into a field; into one for a file, its path."""
        self._do(f"element/{self.find(css)}/value", text=text)

    def text(self, css: str) -> str:
        return self.run("return arguments[0].innerText", self.find(css))

    def run(self, script: str, *elements: str) -> Any:
        return self._do("execute/sync", script=script, args=[{_ELEMENT: one} for one in elements])

    def log(self) -> list[str]:
        """Return what the console said since the last call: refused scripts, missing files."""
        return [entry["message"] for entry in self._do("se/log", type="browser")]

    def screenshot(self, path: Path) -> None:
        answer = self._http.get(f"/session/{self._session}/screenshot")
        path.write_bytes(base64.b64decode(answer.json()["value"]))

    def _do(self, command: str, **arguments: object) -> Any:
        answer = self._http.post(f"/session/{self._session}/{command}", json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


@contextmanager
def start(folder: Path) -> Iterator[Browser]:
    """Start a browser with an empty profile in a folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "chromedriver.log").open("wb") as log:
        driver = subprocess.Popen(
            [shutil.which("chromedriver"), f"--port={port}"], stdout=log, stderr=subprocess.STDOUT
        )
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE_S) as http:
            try:
                session = _session(http, folder / "profile")
                try:
                    yield Browser(http, session)
                finally:
                    http.delete(f"/session/{session}")
            finally:
                driver.terminate()
                driver.wait(30)


def _session(http: httpx.Client, profile: Path) -> str:
    options = {
        "binary": shutil.which("chromium"),
        "args": [*_FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1600"],
    }
    asked = {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            answer = http.post("/session", json={"capabilities": {"alwaysMatch": asked}})
            break
        except httpx.ConnectError:
            assert time.monotonic() < until
            time.sleep(0.05)
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]["sessionId"]
