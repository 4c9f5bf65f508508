"""/docs in a real browser: people classify and synthesize with nothing but the page."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from . import browser as chromium

EXAMPLES = Path(__file__).parents[2] / "examples"
CLASSIFY, SYNTHESIZE = "#operations-classify-classify", "#operations-synthesize-synthesize"
ANSWER = ".live-responses-table"


#: The darkest and the brightest value of a picture.
GREY = """
const canvas = document.createElement("canvas"), picture = arguments[0];
[canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
const pen = canvas.getContext("2d");
pen.drawImage(picture, 0, 0);
const grey = pen.getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 == 0);
return [Math.min(...grey), Math.max(...grey)];
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    missing = [program for program in chromium.PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"found no {missing} (Debian: chromium, chromium-driver)")
    with chromium.start(tmp_path_factory.mktemp("browser")) as started:
        yield started


@contextmanager
def below_a_path(prefix: str, url: str) -> Iterator[str]:
    """Serve what is at `url` below a path, as a proxy does that says nothing of it."""

    class Proxy(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            if not self.path.startswith(prefix + "/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {
                key: self.headers[key] for key in ("Content-Type", "Accept") if key in self.headers
            }
            answer = httpx.request(
                self.command, url + self.path.removeprefix(prefix), content=body, headers=headers
            )
            self.send_response(answer.status_code)
            for key in ("Content-Type", "Content-Security-Policy", "Location"):
                if key in answer.headers:
                    self.send_header(key, answer.headers[key])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = _pass  # noqa: N815  # as http.server looks them up

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}{prefix}"
        finally:
            proxy.shutdown()
            thread.join()


@pytest.fixture(
    scope="module", params=["", "/radiology/hepatica"], ids=["at-the-root", "below-a-path"]
)
def address(client, request):
    url = str(client.base_url).rstrip("/")
    if not request.param:
        yield url
        return
    with below_a_path(request.param, url) as address:
        yield address


@pytest.fixture
def page(browser, address):
    """The page, freshly opened by way of the service's root."""
    browser.open(f"{address}/")
    return browser


def unfold(page, operation):
    page.click(f"{operation} .opblock-summary")


def execute(page, operation):
    """Return the status that the page shows; what it showed before is cleared away."""
    if page.all(f"{operation} {ANSWER}"):
        page.click(f"{operation} button.btn-clear")
    page.click(f"{operation} button.execute")
    return page.text(f"{operation} {ANSWER} .response .response-col_status").split()[0]


def classified(page):
    """Return the answer that the page shows."""
    assert execute(page, CLASSIFY) == "200"
    return json.loads(page.text(f"{CLASSIFY} {ANSWER} .response .microlight"))


def choose(page, part, path):
    page.type(f'{CLASSIFY} [data-property-name="{part}"] input[type=file]', str(path))


def test_the_examples_are_classified_by_box_and_by_annotation(page, client):
    unfold(page, CLASSIFY)
    choose(page, "image", EXAMPLES / "slice.dcm")
    page.click(f'{CLASSIFY} [data-param-name="roi"] .json-schema-form-item-add')  # the example's
    by_box = classified(page)
    assert by_box["lesions"][0]["roi"] == {"x0": 216, "y0": 268, "x1": 241, "y1": 293}

    page.click(f'{CLASSIFY} [data-param-name="roi"] .json-schema-form-item-remove')
    choose(page, "annotation", EXAMPLES / "seg.dcm")
    by_annotation = classified(page)
    files = {
        name: (EXAMPLES / file).read_bytes()
        for name, file in {"image": "slice.dcm", "annotation": "seg.dcm"}.items()
    }
    assert by_annotation == client.post("/classify", files=files).json()
    assert by_annotation["lesions"][0]["annotation_number"] == 1
    assert not page.log()


def test_an_archive_of_synthetic_lesions_is_had(page):
    unfold(page, SYNTHESIZE)
    page.click(f'{SYNTHESIZE} [data-param-name="format"] option[value="zip"]')
    assert execute(page, SYNTHESIZE) == "200"
    assert "content-type: application/zip" in page.text(f"{SYNTHESIZE} {ANSWER}")


def test_a_synthetic_lesion_is_seen(page):
    unfold(page, SYNTHESIZE)
    assert execute(page, SYNTHESIZE) == "200"
    picture = f"{SYNTHESIZE} {ANSWER} img"
    page.find(picture)
    until = time.monotonic() + 60
    while not (width := page.run("return arguments[0].naturalWidth", page.find(picture))):
        assert time.monotonic() < until, page.log()
        time.sleep(0.05)
    assert width == 64
    darkest, brightest = page.run(GREY, page.find(picture))
    assert darkest < 100 < 150 < brightest  # a lesion in its liver, not 16 bits shown as black
    assert not page.log()
