"""The listener's manifests are held to the rules of the service's, and to the listener's code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lesion import __version__
from service.dimse.peers import load
from service.dimse.settings import ListenerSettings
from service.settings import MIB, Settings

from .test_kubernetes import (  # noqa: F401  # fixtures, and tests that hold for every pod
    Manifest,
    container,
    deployment,
    of_kind,
    pod,
    probes,
    service,
    test_a_pod_holds_no_key_to_the_cluster,
    test_a_pod_lives_and_is_ready_by_different_questions,
    test_each_container_has_bounds,
    test_each_object_fits_its_schema_to_the_letter,
    test_each_pod_fits_the_restricted_profile,
    test_each_port_that_is_named_exists,
    test_each_volume_has_bounds,
    test_each_volume_that_is_mounted_exists,
    test_no_image_moves,
    test_no_link_of_the_cluster_looks_like_a_setting,
    test_probes_and_scrapers_queue_behind_no_request,
    test_selectors_find_the_pods,
    test_the_pod_runs_as_the_image_does,
)

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "k8s/listener"


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    kubectl = Path(sys.executable).with_name("kubectl")
    text = subprocess.run([kubectl, "kustomize", FOLDER], check=True, capture_output=True).stdout
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="module")
def environment(container: Manifest) -> dict[str, str]:  # noqa: F811
    return {variable["name"]: variable["value"] for variable in container["env"]}


def test_each_object_says_what_it_is_not(manifests: list[Manifest]) -> None:
    for found in manifests:
        words = found["metadata"]["annotations"]["hepatica/intended-use"]
        assert words == "Research use only. Not for diagnosis."


def test_no_pod_is_one_of_the_http_services(deployment: Manifest) -> None:  # noqa: F811
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "hepatica-listener"


def test_each_setting_exists(environment: dict[str, str]) -> None:
    known = {f"HEPATICA_DIMSE_{name.upper()}" for name in ListenerSettings.model_fields}
    known |= {f"HEPATICA_{name.upper()}" for name in Settings.model_fields}
    assert environment.keys() <= known


def test_the_ports_are_those_that_the_listener_opens(container: Manifest) -> None:  # noqa: F811
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    fields = ListenerSettings.model_fields
    assert ports == {"dicom": fields["port"].default, "http": fields["http_port"].default}


def test_the_spool_is_on_a_volume_that_stays_and_has_room(
    manifests: list[Manifest],
    pod: Manifest,  # noqa: F811
    container: Manifest,  # noqa: F811
    environment: dict[str, str],
) -> None:
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (claimed,) = [one for one in pod["volumes"] if "persistentVolumeClaim" in one]
    assert environment["HEPATICA_DIMSE_SPOOL"].startswith(mounted[claimed["name"]] + "/")
    (claim,) = of_kind(manifests, "PersistentVolumeClaim")
    assert claim["metadata"]["name"] == claimed["persistentVolumeClaim"]["claimName"]
    room = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) * 1024 * MIB
    assert room > ListenerSettings.model_fields["max_spool_bytes"].default


def test_a_full_spool_has_the_time_to_be_read(container: Manifest) -> None:  # noqa: F811
    """Each object and what is remembered is looked at: some milliseconds each on a slow volume."""
    probe, fields = container["startupProbe"], ListenerSettings.model_fields
    names = fields["max_spool_objects"].default + 2 * fields["max_remembered"].default
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 0.0025 * names


def test_one_process_has_the_spool(deployment: Manifest) -> None:  # noqa: F811
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_the_peers_are_mounted_and_can_be_meant(
    manifests: list[Manifest],
    pod: Manifest,  # noqa: F811
    container: Manifest,  # noqa: F811
    environment: dict[str, str],
) -> None:
    (config,) = of_kind(manifests, "ConfigMap")
    (volume,) = [one for one in pod["volumes"] if "configMap" in one]
    assert volume["configMap"]["name"] == config["metadata"]["name"]
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    path = Path(environment["HEPATICA_DIMSE_PEERS"])
    assert str(path.parent) == mounted[volume["name"]]
    assert path.name in config["data"]
    assert load(FOLDER / path.name).senders


def test_the_command_is_the_listener_where_the_image_keeps_it(
    container: Manifest,  # noqa: F811
) -> None:
    assert container["command"] == ["python3", "-m", "service.dimse"]
    assert (ROOT / "service/dimse/__main__.py").exists()
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"/bento$", dockerfile, re.MULTILINE)
    assert container["workingDir"] == "/bento/src"
    assert container["image"] == f"hepatica:{__version__}"


def test_each_route_that_is_asked_for_exists(
    deployment: Manifest,  # noqa: F811
    container: Manifest,  # noqa: F811
) -> None:
    code = (ROOT / "service/probes.py").read_text()
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    asked = [probe["path"] for probe in probes(container).values()]
    for path in {annotations["prometheus.io/path"], *asked}:
        assert f'"{path}"' in code
