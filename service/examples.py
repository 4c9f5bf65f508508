"""Answers as the default bundle gives them, for the OpenAPI description.

`examples.json` is written by `tests/service/test_examples.py`, which compares it with what is
answered.
"""

import json
from pathlib import Path
from typing import Any

#: By the name of the answer's model; those of refusals by their status, as text.
EXAMPLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("examples.json").read_text(encoding="utf-8")
)
