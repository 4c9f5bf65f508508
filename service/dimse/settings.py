"""Settings of the listener: each field is `HEPATICA_DIMSE_` and its name in capitals.

The bundle, the processor and the PACS are those of `service.settings`.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveInt, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.dimse.outbox import Outbox
from service.dimse.peers import AE_TITLE, load
from service.dimse.spool import IMAGES_SHARE
from service.settings import MIB, Port, Seconds


class ListenerSettings(BaseSettings):
    """What an operator can choose. A value out of its range stops the listener at its start."""

    model_config = SettingsConfigDict(env_prefix="HEPATICA_DIMSE_", frozen=True)

    #: File that says who may send, and where reports go (see `service.dimse.peers`).
    peers: Path
    #: Folder of what was received and is not reported on yet.
    spool: Path = Path("spool")

    #: Where associations are accepted, and by which AE title we are called.
    host: str = "127.0.0.1"
    port: Port = 11112
    ae_title: Annotated[str, StringConstraints(pattern=AE_TITLE)] = "HEPATICA"
    #: Where /metrics, /livez and /readyz are answered.
    http_host: str = "127.0.0.1"
    http_port: Port = 11113

    #: Whether pictures are sent beside each report.
    capture: bool = False

    #: Associations at once; then more are rejected for the moment.
    max_associations: Annotated[int, Field(ge=1, le=256)] = 8
    #: Bytes of one object, and of all that are arriving; then they are refused.
    max_object_bytes: PositiveInt = 64 * MIB
    max_held_bytes: PositiveInt = 128 * MIB
    #: Bytes and objects on disk; then nothing more is taken (status A700).
    max_spool_bytes: PositiveInt = 10 * 1024 * MIB
    max_spool_objects: PositiveInt = 20_000
    #: Bytes that are read for one report; an annotation that needs more is refused.
    max_job_bytes: PositiveInt = 128 * MIB

    #: A peer may be silent no longer than this, within a PDU and between messages.
    idle_timeout_s: Seconds = 60.0
    #: An association must be asked for within this, once connected.
    associate_timeout_s: Seconds = 10.0
    #: A message must have arrived whole within this.
    message_timeout_s: Seconds = 300.0
    #: The target AE must answer within this, and have stored all of a report within the other.
    target_timeout_s: Seconds = 30.0
    target_deadline_s: Seconds = 120.0

    #: An annotation that lacks some of its slices waits until its study has been quiet so long.
    quiet_s: Seconds = 10.0
    #: What is not reported on by then is dropped.
    retention_s: Seconds = 86_400.0
    #: Reports, and about as many bytes of them, that wait for the target; then no more are made.
    max_reports: PositiveInt = 1_000
    max_report_bytes: PositiveInt = 2 * 1024 * MIB
    #: So long, and so many, annotations are known as reported on.
    remember_s: Seconds = 2_592_000.0
    max_remembered: PositiveInt = 100_000
    #: The pause before a failed report is tried again; it doubles up to the other.
    retry_s: Seconds = 5.0
    retry_cap_s: Seconds = 300.0

    def full(self, outbox: Outbox) -> bool:
        """Tell whether as many reports wait for the target as may."""
        return outbox.full(most=self.max_reports, most_bytes=self.max_report_bytes)

    @field_validator("peers")
    @classmethod
    def _sound(cls, peers: Path) -> Path:
        load(peers)  # its `ValueError` says what is wrong
        return peers

    @model_validator(mode="after")
    def _room_for_one(self) -> "ListenerSettings":
        for_images = IMAGES_SHARE * self.max_spool_bytes
        bounds = (self.max_held_bytes, self.max_job_bytes, for_images)
        if self.max_object_bytes > min(bounds):
            raise ValueError(
                "max_object_bytes: the largest object must fit in max_held_bytes, max_job_bytes "
                "and nine tenths of max_spool_bytes"
            )
        return self
