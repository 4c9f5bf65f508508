"""The manifests, rendered: each name that is used exists, and each pod is bound hand and foot.

A schema alone catches few faults, so what points from one object to another is followed here.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lesion import __version__
from service.app import create
from service.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    kubectl = Path(sys.executable).with_name("kubectl")
    text = subprocess.run(
        [kubectl, "kustomize", ROOT / "k8s/base"], check=True, capture_output=True
    ).stdout
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="module")
def deployment(manifests: list[Manifest]) -> Manifest:
    (found,) = of_kind(manifests, "Deployment")
    return found


@pytest.fixture(scope="module")
def pod(deployment: Manifest) -> Manifest:
    return deployment["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    return only


@pytest.fixture(scope="module")
def service(manifests: list[Manifest]) -> Manifest:
    (found,) = of_kind(manifests, "Service")
    return found


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def probes(container: Manifest) -> dict[str, Manifest]:
    return {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
    }


def test_each_object_fits_its_schema_to_the_letter(manifests: list[Manifest]) -> None:
    assert manifests
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.36", strict=True)


def test_each_object_says_what_it_is_not(manifests: list[Manifest]) -> None:
    templates = [m["spec"]["template"] for m in manifests if "template" in m["spec"]]
    assert templates
    for found in [*manifests, *templates]:
        words = found["metadata"]["annotations"]["hepatica/intended-use"]
        assert words == "Research use only. Not for diagnosis."


def test_selectors_find_the_pods(deployment: Manifest, service: Manifest) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in (deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]):
        assert selector
        assert selector.items() <= labels.items()


def test_each_port_that_is_named_exists(service: Manifest, container: Manifest) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    targets = [port["targetPort"] for port in service["spec"]["ports"]]
    asked = [probe["port"] for probe in probes(container).values()]
    assert targets
    assert set(targets + asked) <= set(ports)


def test_probes_and_scrapers_queue_behind_no_request(
    deployment: Manifest, service: Manifest, container: Manifest
) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    asked = {ports[probe["port"]] for probe in probes(container).values()}
    assert asked == {int(annotations["prometheus.io/port"])}
    assert not asked & {ports[port["targetPort"]] for port in service["spec"]["ports"]}


def test_the_ports_are_those_that_the_image_serves(container: Manifest) -> None:
    (exposed,) = re.findall(r"^EXPOSE (.+)$", DOCKERFILE, re.MULTILINE)
    assert [str(port["containerPort"]) for port in container["ports"]] == exposed.split()


def test_each_volume_that_is_mounted_exists(pod: Manifest, container: Manifest) -> None:
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounted) == {volume["name"] for volume in pod["volumes"]}
    assert mounted["tmp"] == "/tmp"


def test_each_setting_exists(container: Manifest) -> None:
    known = {f"HEPATICA_{name.upper()}" for name in Settings.model_fields}
    assert {variable["name"] for variable in container.get("env", [])} <= known


def test_the_image_is_the_one_that_make_builds(container: Manifest) -> None:
    command = ["make", "--dry-run", "--no-print-directory", "image", "ENGINE=docker"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    words = shlex.split(done.stdout.replace("\\\n", " "))
    assert container["image"] == words[words.index("--tag") + 1] == f"hepatica:{__version__}"


def test_no_image_moves(manifests: list[Manifest]) -> None:
    images = re.findall(r'"image": "([^"]+)"', json.dumps(manifests))
    assert images
    for image in images:
        assert re.fullmatch(r"[^:@]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})", image), image


def test_a_pod_lives_and_is_ready_by_different_questions(container: Manifest) -> None:
    asked = {name: probe["path"] for name, probe in probes(container).items()}
    assert asked == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}


def test_each_route_that_is_asked_for_exists(deployment: Manifest, container: Manifest) -> None:
    routes = {route.path for route in create(Settings()).routes}
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    asked = [probe["path"] for probe in probes(container).values()]
    assert {annotations["prometheus.io/path"], *asked} <= routes


def test_a_pod_is_slow_to_die_and_takes_no_new_work(pod: Manifest, container: Manifest) -> None:
    """Endpoints first forget the pod; then the requests in flight have time to end."""
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause >= 5
    assert pod["terminationGracePeriodSeconds"] >= pause + 30


def test_each_container_has_bounds(container: Manifest) -> None:
    resources = container["resources"]
    assert set(resources["limits"]) >= {"cpu", "memory"}
    assert set(resources["requests"]) >= {"cpu", "memory"}


def test_each_volume_has_bounds(pod: Manifest) -> None:
    assert all(v["emptyDir"]["sizeLimit"] for v in pod["volumes"] if "emptyDir" in v)


def test_each_pod_fits_the_restricted_profile(pod: Manifest) -> None:
    """Pod Security Standards, profile "restricted", and a read-only root besides."""
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"} | {
        "persistentVolumeClaim", "projected", "secret"
    }  # fmt: skip
    assert set(chain.from_iterable(pod["volumes"])) - {"name"} <= allowed
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert not {"privileged", "procMount", "runAsUser", "seccompProfile"} & context.keys()
        assert not any("hostPort" in port for port in container["ports"])


def test_a_pod_holds_no_key_to_the_cluster(pod: Manifest) -> None:
    assert pod["automountServiceAccountToken"] is False


def test_no_link_of_the_cluster_looks_like_a_setting(pod: Manifest) -> None:
    """A Service "hepatica" would put HEPATICA_PORT=tcp://... into each pod of its namespace."""
    assert pod["enableServiceLinks"] is False


def test_the_pod_runs_as_the_image_does(pod: Manifest) -> None:
    (user,) = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    context = pod["securityContext"]
    assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user


@pytest.fixture
def run_pod(tmp_path: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Run the script, where only what a test adds is installed, until it leaves the network."""
    (tmp_path / "k8s").mkdir()
    shutil.copy(ROOT / "k8s/run-pod", tmp_path / "k8s")
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "realpath", "env"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    program(tmp_path / "bin" / "unshare", "exit 42")

    def run() -> subprocess.CompletedProcess[str]:
        command = [tmp_path / "bin" / "bash", tmp_path / "k8s" / "run-pod", "a.dcm", "1,1,9,9"]
        environment = {"PATH": str(tmp_path / "bin")}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
        )

    return run


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("where", ["bin", ".venv/bin"])
def test_the_pod_runs_with_the_kubectl_there_is(
    run_pod: Callable[[], subprocess.CompletedProcess[str]], tmp_path: Path, where: str
) -> None:
    program(tmp_path / where / "kubectl", "exit 0")
    assert run_pod().returncode == 42


def test_without_kubectl_no_pod_is_begun(
    run_pod: Callable[[], subprocess.CompletedProcess[str]],
) -> None:
    done = run_pod()
    assert done.returncode == 1
    assert "found no kubectl on the PATH nor in .venv" in done.stderr
