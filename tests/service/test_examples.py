"""The description's examples are what the default bundle answers to the README's files.

`EXAMPLES=write pytest tests/service/test_examples.py` writes them anew.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from lesion.errors import TooLargeError
from service import examples, problems
from service.problems import (
    BusyError,
    InternalError,
    PacsConnectionError,
    PacsTimeoutError,
    SlowBodyError,
)
from service.synthesize import HEADERS

ROOT = Path(__file__).parents[2]
FILE = Path(examples.__file__).with_name("examples.json")

#: What a test cannot provoke without a clock, a PACS or a crowd: the messages as they are raised.
RARE = (
    SlowBodyError("body: found 524288 bytes after 30 s, expected all of it"),
    TooLargeError("body: found 41943040 bytes or more, expected at most 33554432"),
    InternalError("the fault is ours, and is in the server's log"),
    PacsConnectionError("PACS archive: found no connection, expected one"),
    PacsTimeoutError("PACS archive: found no whole answer after 20 s, expected one"),
    BusyError("requests: found 256 running, expected fewer"),
)


@pytest.fixture(scope="module")
def default(serve_here):
    """The service with the bundle that the examples are of."""
    with serve_here(bundle=ROOT / "models" / "default") as client:
        yield client


@pytest.fixture(scope="module")
def answered(default):
    """Everything that is shown, as it is answered now."""
    files = {name: (ROOT / "examples" / name).read_bytes() for name in ("slice.dcm", "seg.dcm")}
    image, annotation = files["slice.dcm"], files["seg.dcm"]
    classify = lambda query="", **request: default.post(f"/classify{query}", **request)  # noqa: E731
    found = {
        "Alive": default.get("/livez").json(),
        "Ready": default.get("/readyz").json(),
        "Models": default.get("/models").json(),
        "Classification": classify(files={"image": image, "annotation": annotation}).json(),
        "metrics": "".join(
            line + "\n"
            for line in default.get("/metrics").text.splitlines()
            if re.match(r"(# (HELP|TYPE) )?hepatica_(ready|model_info)\b", line)
        ),
        "synthesize": {
            name: default.get("/synthesize?class=cyst&seed=7").headers[name] for name in HEADERS
        },
    }
    dicom = {"Content-Type": "application/dicom"}
    refused = (
        classify("?salency=true", content=image, headers=dicom),
        classify(content=image, headers=dicom | {"Origin": "https://elsewhere.example"}),
        classify(content=image, headers=dicom | {"Accept": "text/html"}),
        classify(content=b"GIF89a", headers={"Content-Type": "image/gif"}),
        classify(content=image, headers=dicom),
    )
    for problem in [*(r.json() for r in refused), *map(problems.details, RARE)]:
        found[str(problem["status"])] = problem
    return found


def test_they_are_what_is_answered(answered):
    if os.environ.get("EXAMPLES") == "write":
        FILE.write_text(json.dumps(answered, indent=1) + "\n")
    shown = json.loads(FILE.read_text())
    assert set(shown) == set(answered)
    for name, answer in answered.items():
        assert rounded(shown[name]) == rounded(answer), name


def rounded(value, digits=2):
    """Let go of the digits that another processor may compute otherwise."""
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    return round(value, digits) if isinstance(value, float) else value


def test_every_operation_shows_a_request_that_works(default, tmp_path):
    """The commands of the descriptions run as they stand, but for the port."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    described = default.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for operation in operations.values():
            scripts = re.findall(r"```bash\n(.*?)```", operation["description"], flags=re.DOTALL)
            assert scripts, path
            for script in scripts:
                command = script.replace("http://127.0.0.1:3000", str(default.base_url))
                words = ["bash", "-euo", "pipefail", "-c", command]
                subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)


def test_every_answer_shows_an_example_that_its_schema_allows(default, validate):
    described = default.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                contents = {
                    media_type: content
                    for media_type, content in answer["content"].items()
                    if content.get("schema", {}).get("format") != "binary"
                }
                assert contents or answer["headers"], (path, status)
                for content in contents.values():
                    validate(described, content.get("schema", {}), content["example"])
                for header in answer.get("headers", {}).values():
                    validate(described, header["schema"], header["example"])
    bodies = described["paths"]["/classify"]["post"]["requestBody"]["content"]
    validate(described, bodies["application/json"]["schema"], bodies["application/json"]["example"])
