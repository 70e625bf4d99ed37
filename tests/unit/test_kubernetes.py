"""The manifests in docker/k8s agree with one another and with the images; `make check` has Kubernetes' schemas."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.worker.spec import Rules

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker" / "k8s"
OVERLAYS = sorted((FOLDER / "overlays").iterdir())
USER = 10001


def _documents() -> Iterator[dict[str, Any]]:
    for file in sorted((FOLDER / "base").glob("*.yaml")):
        if file.name != "kustomization.yaml":
            yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


def _one(kind: str, name: str) -> dict[str, Any]:
    found = [each for each in _documents() if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1
    return found[0]


def _kustomization(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8")))


def _pods() -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each["spec"]["template"] for each in _documents() if "template" in each["spec"]}


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    return dict(container)


def _labels(component: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "sweeper", "app.kubernetes.io/component": component}


def test_the_base_lists_every_manifest() -> None:
    """A file that is not listed would be applied by nobody."""
    files = {file.name for file in (FOLDER / "base").iterdir()} - {"kustomization.yaml"}
    assert set(_kustomization(FOLDER / "base")["resources"]) == files


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.name)
def test_an_overlay_changes_what_the_base_has(overlay: Path) -> None:
    """It has no file of its own, and each of its patches meets a manifest."""
    told = _kustomization(overlay)
    assert [(overlay / place).resolve() for place in told["resources"]] == [FOLDER / "base"]
    assert [file.name for file in overlay.iterdir()] == ["kustomization.yaml"]
    for patch in told["patches"]:
        spec: Any = _one(patch["target"]["kind"], patch["target"]["name"])
        for step in yaml.safe_load(patch["patch"]):
            *way, last = [part.replace("~1", "/") for part in step["path"].split("/")[1:]]
            place = spec
            for part in way:
                place = place[int(part) if isinstance(place, list) else part]
            assert (last in place) is (step["op"] == "remove")


@pytest.mark.parametrize("folder", [FOLDER / "base", *OVERLAYS], ids=lambda folder: folder.name)
def test_kustomize_renders_it(folder: Path) -> None:
    """Where kubectl is here: it takes no cluster to render."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not here")
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    job = next(each for each in yaml.safe_load_all(done.stdout) if each["kind"] == "Job")
    limits = job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert ("nvidia.com/gpu" in limits) is (folder.name != "cpu")
    assert job["metadata"]["labels"].get("kueue.x-k8s.io/queue-name") == ("sweeper" if folder.name == "kueue" else None)


def test_service_and_network_policies_mean_these_pods() -> None:
    """By the labels that the pods have, and at the port that the server listens on."""
    server, worker = _pods()["sweeper-server"], _pods()["sweeper-worker"]
    assert server["metadata"]["labels"] == _labels("server")
    assert worker["metadata"]["labels"] == _labels("worker")
    service = _one("Service", "sweeper")["spec"]
    assert service["selector"] == _one("StatefulSet", "sweeper-server")["spec"]["selector"]["matchLabels"]
    assert service["selector"] == _labels("server")
    (listens,) = _container(server)["ports"]
    assert service["ports"] == [{"name": "http", "port": listens["containerPort"], "targetPort": listens["name"]}]
    assert f"--port={listens['containerPort']}" in _container(server)["args"]
    inwards = _one("NetworkPolicy", "sweeper-server")["spec"]
    assert inwards["podSelector"]["matchLabels"] == _labels("server")
    assert inwards["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": _labels("worker")}}], "ports": [{"port": listens["name"]}]}
    ]
    outwards = _one("NetworkPolicy", "sweeper-worker")["spec"]
    assert outwards["podSelector"]["matchLabels"] == _labels("worker")
    to_server, to_names = outwards["egress"]
    assert to_server["to"] == [{"podSelector": {"matchLabels": _labels("server")}}]
    assert to_server["ports"] == [{"port": listens["containerPort"]}]
    assert {port["port"] for port in to_names["ports"]} == {53}


def test_workers_call_the_server_by_a_name_that_it_answers_to() -> None:
    """The service's; any other is refused, as a defence against DNS rebinding."""
    service = _one("Service", "sweeper")
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    told = {each["name"]: each.get("value") for each in _container(_pods()["sweeper-worker"])["env"]}
    assert told["SWEEPER_SERVER"] == f"http://{name}:{port}"
    assert f"--allow-host={name}" in _container(_pods()["sweeper-server"])["args"]
    assert _one("StatefulSet", "sweeper-server")["spec"]["serviceName"] == name


@pytest.mark.parametrize("name", ["sweeper-server", "sweeper-worker"])
def test_pods_are_restricted(name: str) -> None:
    """What the Pod Security Standard `restricted` asks for, a root that is read-only, and the images' user."""
    pod, container = _pods()[name]["spec"], _container(_pods()[name])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == USER
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert f"--uid {USER}" in (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert {"/data", "/tmp"} <= {mount["mountPath"] for mount in container["volumeMounts"]}  # noqa: S108 a path there


@pytest.mark.parametrize("name", ["sweeper-server", "sweeper-worker"])
def test_every_mount_has_its_volume(name: str) -> None:
    """And both pods read the key from one secret, which no manifest holds."""
    pod = _pods()[name]["spec"]
    there = {volume["name"] for volume in pod["volumes"]}
    there |= {
        claim["metadata"]["name"]
        for each in _documents()
        if each["metadata"]["name"] == name
        for claim in each["spec"].get("volumeClaimTemplates", [])
    }
    assert {mount["name"] for mount in _container(_pods()[name])["volumeMounts"]} == there
    secrets = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    assert secrets == [{"secretName": "sweeper", "defaultMode": 0o440}]
    assert not [each for each in _documents() if each["kind"] == "Secret"]


def test_the_server_has_its_health_asked() -> None:
    """At an address that needs no key; and one pod at a time writes its database."""
    container = _container(_pods()["sweeper-server"])
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert _one("StatefulSet", "sweeper-server")["spec"]["replicas"] == 1


def test_workers_have_time_to_save() -> None:
    """SIGTERM preempts: the pod is killed only after --grace, which is at least that of a launch, and some more."""
    pod, container = _pods()["sweeper-worker"]["spec"], _container(_pods()["sweeper-worker"])
    (grace,) = [int(word.partition("=")[2]) for word in container["args"] if word.startswith("--grace=")]
    assert grace >= Rules().grace_s
    assert pod["terminationGracePeriodSeconds"] >= grace + 30
