"""Settings come from the environment, typed; what cannot be meant is refused at the start."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings


def test_defaults_and_environment(monkeypatch):
    monkeypatch.delenv("HEPATICA_BUNDLE", raising=False)
    assert Settings().bundle == Path("models/default")
    assert Settings().max_body_bytes == 32 * 1024 * 1024
    monkeypatch.setenv("HEPATICA_BUNDLE", "/elsewhere")
    monkeypatch.setenv("HEPATICA_MAX_IMAGES", "50")
    assert (Settings().bundle, Settings().max_images) == (Path("/elsewhere"), 50)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROVIDER", "tpu"),
        ("BATCH_SIZE", "0"),
        ("MAX_IMAGES", "many"),
        ("SEND_TIMEOUT_S", "-1"),
        ("SEND_TIMEOUT_S", "nan"),
        ("ANSWER_TIMEOUT_S", "inf"),
        ("MAX_BODY_BYTES", "0x10"),
        ("MAX_BODY_BYTES", "٣"),
        ("BATCH_SIZE", "1.5"),
        ("MAX_QUEUED", "31"),
        ("MAX_HELD_BYTES", "1000"),
    ],
)
def test_what_cannot_be_meant(monkeypatch, name, value):
    monkeypatch.setenv(f"HEPATICA_{name}", value)
    with pytest.raises(ValidationError):
        Settings()
