"""What tests of the listener share: its process, a target for reports, and studies to send."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread

import httpx
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, RTStructureSetStorage, generate_uid

from .peers import SENDER, TargetAE, eventually, send

ROOT = Path(__file__).parents[3]
ROWS, COLS = 96, 112
Y, X = np.mgrid[:ROWS, :COLS]
NOISE = np.random.default_rng(5).normal(0, 10, (ROWS, COLS)).round()
RADII = (6, 14, 9)

#: Of patients and their names, in every object that is sent here.
PRIVATE = ("Secret", "SECRET", "Geheim")


@dataclass
class Listener:
    """The process, and what it said."""

    process: subprocess.Popen[bytes]
    lines: list[bytes] = field(default_factory=list)
    heard: Condition = field(default_factory=Condition)
    port: int = 0
    url: str = ""

    def read(self) -> None:
        for line in self.process.stdout:
            with self.heard:
                self.lines.append(line)
                self.heard.notify_all()

    def said(self) -> list[dict]:
        return [json.loads(line) for line in list(self.lines)]

    def wait(self, message: str, count: int = 1, seconds: float = 60, **members: object) -> dict:
        """Wait until a line of the log says so, as often as that; return the last."""

        def found() -> list[dict]:
            wanted = members if not message else {"message": message} | members
            return [line for line in self.said() if wanted.items() <= line.items()]

        with self.heard:
            there = self.heard.wait_for(
                lambda: len(found()) >= count or self.process.poll() is not None, seconds
            )
        assert there, f"not said in time: {message} {members}: {self.lines}"
        assert len(found()) >= count, f"never said: {message} {members}: {self.lines}"
        return found()[count - 1]

    def times(self, message: str) -> int:
        """Return how often a line of the log has said so."""
        return sum(line.get("message") == message for line in self.said())

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's values that have these labels."""
        text = httpx.get(self.url + "/metrics").text
        assert not [word for word in PRIVATE if word in text]
        found = [line.rpartition(" ")[::2] for line in text.splitlines()]
        return sum(
            float(value)
            for key, value in found
            if key.partition("{")[0] == f"hepatica_listener_{name}"
            and all(f'{label}="{one}"' in key for label, one in labels.items())
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture(scope="session")
def spawn(bundle_folder, tmp_path_factory) -> Callable[..., object]:
    """Start the command that operators start, on free ports of this machine alone."""

    @contextmanager
    def start(
        peers: str, *, await_ready: bool = True, environment=None, **settings: object
    ) -> Iterator[Listener]:
        folder = tmp_path_factory.mktemp("listener")
        (folder / "peers.toml").write_text(peers)
        settings = {
            "peers": folder / "peers.toml",
            "spool": folder / "spool",
            "port": 0,
            "http_port": 0,
            "quiet_s": 0.3,
            "retry_s": 0.1,
            "retry_cap_s": 0.3,
            **settings,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "service.dimse"],
            cwd=ROOT,
            env={
                **os.environ,
                "HEPATICA_BUNDLE": str(bundle_folder),
                **{f"HEPATICA_DIMSE_{k.upper()}": str(v) for k, v in settings.items()},
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        listener = Listener(process)
        reader = Thread(target=listener.read)
        reader.start()
        try:
            if await_ready:
                listener.port = listener.wait("listening", seconds=120)["port"]
                listener.url = f"http://127.0.0.1:{listener.wait('answering')['port']}"
                await_200(listener)
            yield listener
            if process.poll() is None:
                assert listener.stop() == 0
        finally:
            if process.poll() is None:
                listener.kill()
            reader.join(20)
            process.stdout.close()
            said = b"".join(listener.lines).decode()
            assert not [word for word in PRIVATE if word in said]
            listener.said()  # JSON, every line

    return start


def await_200(listener: Listener) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and listener.process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(listener.url + "/readyz").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"never ready: {listener.lines}")


def peers_file(port: int, senders: str = f"[senders.{SENDER}]") -> str:
    return f'{senders}\n[target]\nae_title = "TARGET"\nhost = "127.0.0.1"\nport = {port}\n'


@pytest.fixture
def target() -> Iterator[TargetAE]:
    """Return an AE that takes reports, up and well."""
    ae = TargetAE()
    ae.start()
    yield ae
    ae.stop()


@pytest.fixture(scope="session")
def shared_target() -> Iterator[TargetAE]:
    ae = TargetAE()
    ae.start()
    yield ae
    ae.stop()


@pytest.fixture(scope="session")
def shared_listener(spawn, shared_target) -> Iterator[Listener]:
    with spawn(peers_file(shared_target.port)) as listener:
        yield listener


@pytest.fixture
def listener(shared_listener, shared_target) -> Listener:
    """Return a listener that all tests share, whose target has nothing yet."""
    with shared_target.received.mutex:
        shared_target.received.queue.clear()
    shared_listener.target = shared_target
    return shared_listener


def item(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


@dataclass
class Study:
    """A cyst on three slices of 3 mm, the largest in the middle; what marks it."""

    images: list[Dataset]
    seg: Dataset
    rtstruct: Dataset
    sr: Dataset

    @property
    def uid(self) -> str:
        return str(self.images[0].StudyInstanceUID)


@pytest.fixture
def make_study(make_ct, make_seg) -> Callable[..., Study]:
    """Build a study that nobody has seen."""

    def make() -> Study:
        uids = {
            keyword: generate_uid()
            for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
        }
        images = [
            make_ct(
                np.where(np.hypot(X - 56, Y - 48) < radius, 15.0, 105.0) + NOISE,
                **uids,
                PixelSpacing=[0.7, 0.7],
                ImagePositionPatient=[-40, -35, 3.0 * at],
            )
            for at, radius in enumerate(RADII)
        ]
        shared = {
            "StudyInstanceUID": uids["StudyInstanceUID"],
            "FrameOfReferenceUID": uids["FrameOfReferenceUID"],
            "PatientName": "Secret^Patient",
            "PatientID": "SECRET-1",
        }
        return Study(
            images, _seg(images, make_seg, shared), _rtstruct(images, shared), _sr(images, shared)
        )

    return make


@pytest.fixture
def is_well(make_study, encode) -> Callable[[Listener, TargetAE], None]:
    """Send a study, and see that its report comes."""

    def check(listener: Listener, target: TargetAE) -> None:
        study = make_study()
        files = [encode(made) for made in (*study.images, study.seg)]
        assert send(listener.port, *files) == [0] * 4
        target.report_of(study.uid)
        eventually(lambda: listener.metric("annotations_waiting") == 0)

    return check


@pytest.fixture
def study(make_study) -> Study:
    return make_study()


def _seg(images, make_seg, shared) -> Dataset:
    masks = [(1, np.hypot(X - 56, Y - 48) < radius) for radius in RADII]
    made = make_seg(images[0], masks, SeriesInstanceUID=generate_uid(), **shared)
    for frame, image in zip(made.PerFrameFunctionalGroupsSequence, images, strict=True):
        frame.DerivationImageSequence = [item(SourceImageSequence=[_referenced(image)])]
        frame.PlanePositionSequence = [item(ImagePositionPatient=image.ImagePositionPatient)]
    return made


def _referenced(image) -> Dataset:
    return item(
        ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID
    )


def _rtstruct(images, shared) -> Dataset:
    x, y, z = images[1].ImagePositionPatient
    corners = [(30, 24), (48, 24), (48, 42), (30, 42)]
    contour = item(
        ContourImageSequence=[_referenced(images[1])],
        ContourGeometricType="CLOSED_PLANAR",
        ContourData=[value for dx, dy in corners for value in (x + dx, y + dy, z)],
    )
    frame = shared["FrameOfReferenceUID"]
    return item(
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID=generate_uid(),
        SeriesInstanceUID=generate_uid(),
        Modality="RTSTRUCT",
        StructureSetROISequence=[
            item(ROINumber=4, ROIName="Geheim", ReferencedFrameOfReferenceUID=frame)
        ],
        ROIContourSequence=[item(ReferencedROINumber=4, ContourSequence=[contour])],
        **shared,
    )


def _sr(images, shared) -> Dataset:
    def named(code: str) -> list[Dataset]:
        return [item(CodeValue=code, CodingSchemeDesignator="DCM", CodeMeaning="x")]

    image = item(ValueType="IMAGE", ReferencedSOPSequence=[_referenced(images[1])])
    image.RelationshipType = "SELECTED FROM"
    region = item(
        ValueType="SCOORD",
        RelationshipType="CONTAINS",
        ConceptNameCodeSequence=named("111030"),
        GraphicType="POLYLINE",
        GraphicData=[42.0, 34, 70, 34, 70, 62, 42, 62, 42, 34],
        ContentSequence=[image],
    )
    group = item(
        ValueType="CONTAINER",
        RelationshipType="CONTAINS",
        ConceptNameCodeSequence=named("125007"),
        ContentSequence=[region],
    )
    container = item(
        ValueType="CONTAINER",
        RelationshipType="CONTAINS",
        ConceptNameCodeSequence=named("126010"),
        ContentSequence=[group],
    )
    rest = {name: value for name, value in shared.items() if name != "FrameOfReferenceUID"}
    return item(
        SOPClassUID=Comprehensive3DSRStorage,
        SOPInstanceUID=generate_uid(),
        SeriesInstanceUID=generate_uid(),
        Modality="SR",
        Manufacturer="Another",
        ContentSequence=[container],
        **rest,
    )
