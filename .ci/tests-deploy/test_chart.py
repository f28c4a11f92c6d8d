"""The chart: what it renders for each choice is what a cluster takes, is closed as promised, and fits together."""

import base64
import json
import re
import shutil
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from conftest import CHART, ROOT, answered_by, read_by, run
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SHAPES = yaml.safe_load((Path(__file__).parent / "shapes.yaml").read_text())
# The oldest that Chart.yaml allows, and the newest that the validator knows.
VERSIONS = ("1.30", "1.37")

EXTERNAL_DATABASE = ["database.bundled.enabled=false"]
EXTERNAL_STORAGE = ["storage.bundled.enabled=false", "storage.url=s3://bucket?region=r"]
EXISTING = ["secrets.generate=false", "secrets.existing=kept"]
KEYS = {
    "LUNA_DATABASE_URL": "postgres://luna:x@db/luna",
    "LUNA_JWT_SECRET": "x" * 32,
    "LUNA_IDENTITY_KEY": "0" * 64,
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
    "admin-password": "x" * 12,
}
VALUES = ["secrets.generate=false", *[f"secrets.values.{key}={value}" for key, value in KEYS.items()]]
VAULT = [
    "secrets.generate=false",
    "secrets.external.enabled=true",
    "secrets.external.store.name=vault",
    *[f"secrets.external.keys.{key}.key=luna/{key}" for key in KEYS],
]
OUTSIDE = [*EXTERNAL_DATABASE, *EXTERNAL_STORAGE]
INGRESS = ["ingress.enabled=true", "ingress.kong.enabled=true"]
KEDA = ["worker.autoscaling.enabled=false", "worker.keda.enabled=true"]

# Each part that can be left out: what it needs, how it is turned on and off, and what is there for it alone.
PARTS: dict[str, tuple[list[str], list[str], list[str], set[str]]] = {
    "HPA of the API": ([], ["api.autoscaling.enabled=true"], ["api.autoscaling.enabled=false"],
                       {"HorizontalPodAutoscaler/luna-http"}),
    "HPA of workers": ([], ["worker.autoscaling.enabled=true"], ["worker.autoscaling.enabled=false"],
                       {"HorizontalPodAutoscaler/luna-worker"}),
    "KEDA": (["worker.autoscaling.enabled=false"], ["worker.keda.enabled=true"], ["worker.keda.enabled=false"],
             {"ScaledObject/luna-worker"}),
    "PDB of the API": ([], ["api.podDisruptionBudget.enabled=true"], ["api.podDisruptionBudget.enabled=false"],
                       {"PodDisruptionBudget/luna-http"}),
    "PDB of workers": ([], ["worker.podDisruptionBudget.enabled=true"], ["worker.podDisruptionBudget.enabled=false"],
                       {"PodDisruptionBudget/luna-worker"}),
    "migration": ([], ["migration.enabled=true"], ["migration.enabled=false"], {"Job/luna-migrate"}),
    "migration with a vault": ([*OUTSIDE, *VAULT], ["migration.enabled=true"], ["migration.enabled=false"],
                               {"Job/luna-migrate", "ExternalSecret/luna-migrate"}),
    "migration with values": ([*OUTSIDE, *VALUES], ["migration.enabled=true"], ["migration.enabled=false"],
                              {"Job/luna-migrate", "Secret/luna-migrate"}),
    "service account": ([], ["serviceAccount.create=true"], ["serviceAccount.create=false"], {"ServiceAccount/luna"}),
    "ingress": ([], ["ingress.enabled=true"], ["ingress.enabled=false"], {"Ingress/luna"}),
    "Kong's rate limit": (INGRESS, [], ["ingress.kong.rateLimiting.enabled=false"], {"KongPlugin/luna-rate-limiting"}),
    "Kong's CORS": ([*INGRESS, "api.corsOrigins={https://a.example}"], [], ["ingress.kong.cors.enabled=false"],
                    {"KongPlugin/luna-cors"}),
    "Kong's JWT": (INGRESS, ["ingress.kong.jwt.enabled=true"], [],
                   {"KongPlugin/luna-jwt", "Ingress/luna-keys", "Ingress/luna-open", "Ingress/luna-tokens"}),
    "generated secret": ([], [], EXISTING, {"Secret/luna"}),
    "secret of values": (OUTSIDE, VALUES, EXISTING, {"Secret/luna", "Secret/luna-migrate"}),
    "vault": (OUTSIDE, VAULT, EXISTING, {"ExternalSecret/luna", "ExternalSecret/luna-migrate"}),
    "database": (EXISTING, [], EXTERNAL_DATABASE,
                 {"StatefulSet/luna-postgres", "Service/luna-postgres", "NetworkPolicy/luna-postgres"}),
    "storage": (EXISTING, [], EXTERNAL_STORAGE,
                {"StatefulSet/luna-s3", "Service/luna-s3", "ConfigMap/luna-s3", "Job/luna-s3-cors",
                 "NetworkPolicy/luna-s3", "NetworkPolicy/luna-s3-cors"}),
    "network policies": ([], ["networkPolicy.enabled=true"], ["networkPolicy.enabled=false"],
                         {f"NetworkPolicy/luna{part}" for part in
                          ("", "-http", "-worker", "-migrate", "-test", "-postgres", "-s3", "-s3-cors")}),
    "service monitors": ([], ["monitoring.serviceMonitor.enabled=true"], [],
                         {"ServiceMonitor/luna-http", "ServiceMonitor/luna-worker"}),
    "rules": ([], ["monitoring.rules.enabled=true"], [], {"PrometheusRule/luna"}),
    "dashboard": ([], ["monitoring.dashboard.enabled=true"], [], {"ConfigMap/luna-dashboard"}),
}

# Everything that is rendered and looked at: values files, and each part on and off.
CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "default": ((), ()),
    "dev": (("values-dev.yaml",), ()),
    "prod": (("values-prod.yaml",), ()),
    "prod with JWT": (("values-prod.yaml",), ("ingress.kong.jwt.enabled=true",)),
    "KEDA by Prometheus": ((), (*KEDA, "worker.keda.prometheus=http://prometheus:9090")),
    "everything said": ((), (
        "image.registry=registry.example/luna", "image.pullSecrets={pull}", "image.http.digest=sha256:" + "0" * 64,
        "api.corsOrigins={https://a.example,https://b.example}", "api.trustedProxies={10.0.0.0/8,2001:db8::7}",
        "api.quota.files=1000000", "api.quota.bytes=99999999999",
        "api.quota.openUploads=3", "worker.threads=3", "worker.memory=2GiB", "storage.publicUrl=https://s3.example",
        "secrets.adminPassword=false", "api.nodeSelector.disk=fast", "worker.podAnnotations.a=b",
        "worker.tolerations[0].key=gpu", "service.annotations.a=b", "database.bundled.storageClass=fast",
        "storage.bundled.storageClass=fast",
    )),
    "a role instead of keys": ((), (*OUTSIDE, *EXISTING, "secrets.storageKeys=false")),
}
for part, (base, on, off, _) in PARTS.items():
    CASES[f"{part}, on"] = ((), (*base, *on))
    CASES[f"{part}, off"] = ((), (*base, *off))


@pytest.fixture(scope="session")
def render(helm: str):
    """Objects of a release `luna`, by kind and name."""

    @cache
    def rendered(values: tuple[str, ...], sets: tuple[str, ...]) -> dict[str, dict]:
        done = run(helm, "template", "luna", CHART, "--namespace", "luna",
                   *[f"--values={CHART / name}" for name in values], *[f"--set={it}" for it in sets])
        assert done.returncode == 0, done.stderr
        objects = [it for it in yaml.load_all(done.stdout, yaml.CSafeLoader) if it]
        named = {f"{it['kind']}/{it['metadata']['name']}": it for it in objects}
        assert len(named) == len(objects), "two objects have the same name"
        return named

    return rendered


@pytest.fixture(params=CASES)
def objects(request: pytest.FixtureRequest, render) -> dict[str, dict]:
    return render(*CASES[request.param])


def pods(objects: dict[str, dict]) -> Iterator[tuple[str, dict, dict]]:
    """Name, labels and specification of every pod."""
    for name, it in objects.items():
        if it["kind"] == "Pod":
            yield name, it["metadata"]["labels"], it["spec"]
        elif it["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield name, it["spec"]["template"]["metadata"]["labels"], it["spec"]["template"]["spec"]


def containers(objects: dict[str, dict]) -> Iterator[tuple[str, dict]]:
    for name, _, spec in pods(objects):
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            yield f"{name}/{container['name']}", container


def selected(objects: dict[str, dict], labels: dict[str, str]) -> list[dict]:
    return [spec for _, has, spec in pods(objects) if labels.items() <= has.items()]


def port_names(spec: dict) -> set[str]:
    return {port["name"] for container in spec["containers"] for port in container.get("ports", [])}


def program(container: dict) -> str | None:
    """Which of LUNA's programs a container runs, and as what."""
    image = container["image"].rpartition("/")[2]
    if image.startswith("luna-http"):
        return "luna-http"
    return f"luna {container['args'][0]}" if image.startswith("luna-worker") else None


@pytest.mark.parametrize("values", ["values.yaml", "values-dev.yaml", "values-prod.yaml"])
def test_helm_finds_nothing_to_complain_about(helm: str, values: str) -> None:
    done = run(helm, "lint", "--strict", "--values", CHART / values, CHART)
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("part", PARTS)
def test_a_part_brings_its_objects_and_no_others(render, part: str) -> None:
    base, on, off, brought = PARTS[part]
    with_it, without = render((), (*base, *on)), render((), (*base, *off))
    assert with_it.keys() - without.keys() == brought
    assert without.keys() <= with_it.keys()


@cache
def kubernetes(version: str, kind: str, api: str) -> Draft202012Validator:
    """Kubernetes' own description of a kind. The package's function reads all of it anew for each object."""
    folder = files("kubernetes_validate") / f"kubernetes-json-schema/v{version}.0-local-strict"
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    schema = json.loads((folder / f"{kind.lower()}-{group}.json").read_text())
    return Draft202012Validator(schema, registry=definitions(version))


@cache
def definitions(version: str) -> Registry:
    place = files("kubernetes_validate") / f"kubernetes-json-schema/v{version}.0-local-strict/_definitions.json"
    return (Resource.from_contents(json.loads(place.read_text())) @ Registry()).crawl()


def test_kubernetes_and_operators_take_every_object(render) -> None:
    # Most objects are the same whatever is chosen, and looked at once.
    different = {}
    for case in CASES:
        for name, it in render(*CASES[case]).items():
            # What is made up differs each time, and is text anyway.
            if it["kind"] == "Secret" and "data" in it:
                it = it | {"data": dict.fromkeys(it["data"], "")}
            different[json.dumps(it)] = (case, name, it)
    seen = set()
    for case, name, it in different.values():
        seen.add(it["kind"])
        shape = SHAPES.get(f"{it['apiVersion']}/{it['kind']}")
        if shape is None:
            validators = [kubernetes(version, it["kind"], it["apiVersion"]) for version in VERSIONS]
            own = it
        else:
            validators = [Draft202012Validator({**shape, "definitions": SHAPES["definitions"]})]
            assert set(it["metadata"]) <= {"name", "labels", "annotations"}, name
            own = it["spec"] if "spec" in it else {
                key: value for key, value in it.items() if key not in ("apiVersion", "kind", "metadata")}
        errors = [f"{error.json_path}: {error.message}" for each in validators for error in each.iter_errors(own)]
        assert not errors, (case, name, errors)
    assert len(seen) > 15, seen


def test_labels_and_annotations_are_text(objects: dict[str, dict]) -> None:
    for name, it in objects.items():
        for kind in ("labels", "annotations"):
            for key, value in it["metadata"].get(kind, {}).items():
                assert isinstance(value, str), (name, key)
        for label in it["metadata"]["labels"].values():
            assert re.fullmatch(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", label), (name, label)


def test_pods_meet_the_restricted_standard(objects: dict[str, dict]) -> None:
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected",
               "secret"}
    for name, _, spec in pods(objects):
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            assert not spec.get(field), name
        assert spec["automountServiceAccountToken"] is False, name
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] is True and pod["runAsUser"] > 0, name
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for volume in spec.get("volumes", []):
            assert len(volume.keys() - {"name"}) == 1 and volume.keys() - {"name"} <= allowed, (name, volume)
            assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"], (name, volume)
    for name, container in containers(objects):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, name
        assert context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name
        # Nothing that the pod forbids is allowed again.
        assert not context.keys() - {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"}, name
        assert not any("hostPort" in port for port in container.get("ports", [])), name
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
        assert "memory" in container["resources"]["limits"], name


def test_what_runs_for_long_is_probed(objects: dict[str, dict]) -> None:
    for name, container in containers(objects):
        if name.startswith(("Deployment", "StatefulSet")):
            assert {"startupProbe", "readinessProbe"} <= container.keys(), name


def test_programs_read_what_they_are_told(objects: dict[str, dict]) -> None:
    seen = set()
    for name, container in containers(objects):
        runs = program(container)
        told = {it["name"] for it in container.get("env", [])}
        assert len(told) == len(container.get("env", [])), f"{name} is told something twice"
        luna = {it for it in told if it.startswith("LUNA_")}
        if runs is None:
            assert not luna, name
            continue
        assert luna <= read_by()[runs], (name, luna - read_by()[runs])
        seen.add(runs)
        for variable in re.findall(r"\$\((\w+)\)", " ".join(container["args"])):
            assert re.fullmatch(r"LUNA_HTTP_SERVICE_(HOST|PORT)", variable), (name, variable)
            assert "Service/luna-http" in objects
    assert seen >= {"luna-http", "luna worker"}


def test_probes_ask_ports_and_paths_that_there_are(objects: dict[str, dict]) -> None:
    for name, container in containers(objects):
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        env = {it["name"]: it.get("value", "") for it in container.get("env", [])}
        bound = {int(env[key].rpartition(":")[2]) for key in ("LUNA_BIND", "LUNA_METRICS_BIND") if key in env}
        if program(container):
            assert set(ports.values()) == bound, name
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asks = container.get(probe, {})
            if "httpGet" in asks:
                where = asks["httpGet"]
                assert where["port"] in ports, (name, probe)
                assert where["path"] in answered_by(str(program(container))), (name, probe)
            if "tcpSocket" in asks:
                assert asks["tcpSocket"]["port"] in ports, (name, probe)


def test_commands_exist(render, programs: Path) -> None:
    asked = set()
    for case in ("default", "prod"):
        for name, container in containers(render(*CASES[case])):
            if runs := program(container):
                words = [it for it in container["args"] if not it.startswith(("-", "$"))]
                asked.add((runs.split()[0], *words))
    assert asked == {("luna-http", "serve"), ("luna-http", "healthcheck"), ("luna", "worker"),
                     ("luna", "admin", "migrate"), ("luna", "admin", "doctor")}
    for name, *words in asked:
        done = run(programs / name, *words, "--help")
        assert done.returncode == 0, done.stderr
        # The help of just that command, not of the one above it.
        assert f"Usage: {' '.join([name, *words])}" in done.stdout


def test_images_are_those_that_are_built() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.M))
    values = yaml.safe_load((CHART / "values.yaml").read_text())["image"]
    workflows = {}
    for name in ("images", "release"):
        text = (ROOT / f".github/workflows/{name}.yml").read_text()
        (workflows[name],) = set(re.findall(r"target: \[([\w, ]+)\]", text))
    for target in ("http", "worker"):
        assert target in stages
        assert values[target]["repository"] == f"luna-{target}"
    assert set(workflows.values()) == {"http, worker"}


def test_selectors_find_what_they_are_meant_for(objects: dict[str, dict]) -> None:
    for name, it in objects.items():
        spec = it.get("spec", {})
        match it["kind"]:
            case "Deployment" | "StatefulSet":
                assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items(), name
            case "PodDisruptionBudget":
                assert len(selected(objects, spec["selector"]["matchLabels"])) == 1, name
            case "Service":
                found = selected(objects, spec["selector"])
                assert len(found) == 1, name
                for port in spec["ports"]:
                    assert port["targetPort"] in port_names(found[0]), name
            case "ServiceMonitor":
                services = [other for other in objects.values() if other["kind"] == "Service" and
                            spec["selector"]["matchLabels"].items() <= other["metadata"]["labels"].items()]
                assert len(services) == 1, name
                for endpoint in spec["endpoints"]:
                    assert endpoint["port"] in {port["name"] for port in services[0]["spec"]["ports"]}, name
            case "HorizontalPodAutoscaler" | "ScaledObject":
                target = spec["scaleTargetRef"]
                scaled = objects[f"{target['kind']}/{target['name']}"]
                # What is scaled must not be set back at each upgrade.
                assert "replicas" not in scaled["spec"], name
            case "Ingress":
                for rule in spec["rules"]:
                    for path in rule["http"]["paths"]:
                        service = objects[f"Service/{path['backend']['service']['name']}"]
                        ports = {port["name"] for port in service["spec"]["ports"]}
                        assert path["backend"]["service"]["port"]["name"] in ports, name
                plugins = it["metadata"].get("annotations", {}).get("konghq.com/plugins", "")
                for plugin in filter(None, plugins.split(",")):
                    assert f"KongPlugin/{plugin}" in objects, name
            case "StatefulSet":
                assert f"Service/{spec['serviceName']}" in objects, name


def test_ways_between_pods_are_open_where_needed_and_nowhere_else(render) -> None:
    """What reaches what, by the labels and ports of the policies: the table of the README, as it were."""
    for case, choice in CASES.items():
        objects = render(*choice)
        policies = {name: it["spec"] for name, it in objects.items() if it["kind"] == "NetworkPolicy"}
        if not policies:
            continue
        closed = policies["NetworkPolicy/luna"]
        assert closed["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in closed
        for _, labels, _ in pods(objects):
            assert closed["podSelector"]["matchLabels"].items() <= labels.items()

        def opened(towards: str, rules: str, peers: str) -> set[tuple[str, str, object]]:
            ways = set()
            for policy in policies.values():
                own = policy["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
                for rule in policy.get(rules, []):
                    for peer in rule.get(peers, []):
                        other = peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/component")
                        if own and other:
                            for port in rule["ports"]:
                                way = (own, other) if towards == "out" else (other, own)
                                ways.add((*way, port["port"]))
            return ways

        numbers = {"postgres": 5432, "s3": 3900}
        out = {(a, b) for a, b, _ in opened("out", "egress", "to")}
        into = {(a, b) for a, b, _ in opened("in", "ingress", "from")}
        assert out == into, case
        expected = {("test", "http")}
        if "StatefulSet/luna-postgres" in objects:
            expected |= {(part, "postgres") for part in ("http", "worker", "test", "migrate")}
        if "StatefulSet/luna-s3" in objects:
            expected |= {(part, "s3") for part in ("http", "worker", "test", "s3-cors")}
        assert out == expected, case
        for _, server, port in opened("out", "egress", "to"):
            assert port == numbers.get(server, "http"), case
        # A named port must be one of the pods that the policy is for.
        for name, policy in policies.items():
            for rule in policy.get("ingress", []):
                for port in rule["ports"]:
                    for spec in selected(objects, policy["podSelector"]["matchLabels"]):
                        assert port["port"] in port_names(spec), (case, name)


def test_secrets_hold_what_is_read_from_them(objects: dict[str, dict]) -> None:
    holds: dict[str, set[str]] = {"kept": set(re.findall(r"^\| (`.*?) \|", (CHART / "README.md").read_text(), re.M))}
    holds["kept"] = {key for row in holds["kept"] for key in re.findall(r"`([\w-]+)`", row)}
    for it in objects.values():
        if it["kind"] == "Secret":
            holds[it["metadata"]["name"]] = set(it.get("data") or it["stringData"])
        if it["kind"] == "ExternalSecret":
            holds[it["spec"]["target"]["name"]] = {data["secretKey"] for data in it["spec"]["data"]}
    read: dict[str, set[str]] = {}
    for name, container in containers(objects):
        for variable in container.get("env", []):
            if ref := variable.get("valueFrom", {}).get("secretKeyRef"):
                assert ref["key"] in holds[ref["name"]], (name, ref)
                read.setdefault(ref["name"], set()).add(ref["key"])
    for name, _, spec in pods(objects):
        for volume in spec.get("volumes", []):
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"]["items"]}
                assert keys <= holds[volume["secret"]["secretName"]], name
                read.setdefault(volume["secret"]["secretName"], set()).update(keys)
            if "configMap" in volume:
                assert f"ConfigMap/{volume['configMap']['name']}" in objects, name
    for secret, keys in holds.items():
        assert secret == "kept" or read[secret] == keys, f"nobody reads {secret}: {keys - read.get(secret, set())}"


def test_the_readme_names_every_key(render) -> None:
    objects = render((), ())
    readme = (CHART / "README.md").read_text()
    for key in objects["Secret/luna"]["data"]:
        assert f"`{key}`" in readme


def test_generated_secrets_are_made_anew_and_are_what_programs_take(helm: str) -> None:
    made = []
    for _ in range(2):
        done = run(helm, "template", "luna", CHART, "--show-only", "templates/secrets.yaml")
        (secret,) = [it for it in yaml.safe_load_all(done.stdout) if it["kind"] == "Secret"]
        made.append({key: base64.b64decode(value).decode() for key, value in secret["data"].items()})
        assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    first, second = made
    assert not first.items() & second.items()
    assert re.fullmatch("[0-9a-f]{64}", first["LUNA_IDENTITY_KEY"])
    assert re.fullmatch("[0-9a-f]{64}", first["GARAGE_RPC_SECRET"])
    assert re.fullmatch("GK[0-9a-f]{24}", first["AWS_ACCESS_KEY_ID"])
    assert re.fullmatch("[0-9a-f]{64}", first["AWS_SECRET_ACCESS_KEY"])
    assert len(first["LUNA_JWT_SECRET"]) >= 32 and len(first["admin-password"]) >= 12
    assert first["LUNA_DATABASE_URL"] == f"postgres://luna:{first['POSTGRES_PASSWORD']}@luna-postgres:5432/luna"


def test_the_migration_comes_first(objects: dict[str, dict]) -> None:
    def wave(it: dict) -> int:
        return int(it["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))

    if "Job/luna-migrate" not in objects:
        return
    job = objects["Job/luna-migrate"]
    notes = job["metadata"]["annotations"]
    assert wave(job) == -1 and notes["argocd.argoproj.io/hook"] == "Sync"
    for name, it in objects.items():
        if it["kind"] == "Deployment":
            assert wave(it) > wave(job), name
        if it["kind"] in ("Secret", "ExternalSecret", "ServiceAccount", "NetworkPolicy") or name.endswith("-postgres"):
            assert wave(it) < wave(job), name
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (url,) = container["env"]
    secret = url["valueFrom"]["secretKeyRef"]["name"]
    if "StatefulSet/luna-postgres" in objects:
        assert notes["helm.sh/hook"] == "post-install,pre-upgrade"
        return
    # Before everything else there is only what is there anyway, or what comes along.
    assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
    if secret != "kept":
        brought = [it for it in objects.values() if it["kind"] in ("Secret", "ExternalSecret")
                   and it["metadata"]["name"] == secret]
        (brought_notes,) = [it["metadata"]["annotations"] for it in brought]
        assert brought_notes["helm.sh/hook"] == notes["helm.sh/hook"]
        assert int(brought_notes["helm.sh/hook-weight"]) < int(notes["helm.sh/hook-weight"])
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]


def test_rules_and_dashboard_are_those_of_deploy_monitoring(render) -> None:
    objects = render((), ("monitoring.rules.enabled=true", "monitoring.dashboard.enabled=true",
                          "monitoring.dashboard.datasource=own"))
    rules = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())
    assert objects["PrometheusRule/luna"]["spec"] == rules and rules["groups"]
    text = (ROOT / "deploy/monitoring/grafana/dashboards/luna.json").read_text()
    shown = json.loads(objects["ConfigMap/luna-dashboard"]["data"]["luna.json"])
    assert shown == json.loads(text.replace("luna-prometheus", "own")) and shown != json.loads(text)


def test_monitors_name_jobs_as_the_rules_do(render) -> None:
    objects = render((), ("monitoring.serviceMonitor.enabled=true",))
    jobs = {label["replacement"] for it in objects.values() if it["kind"] == "ServiceMonitor"
            for endpoint in it["spec"]["endpoints"] for label in endpoint["relabelings"]
            if label["targetLabel"] == "job"}
    asked = set(re.findall(r'job=~?"([\w|-]+)"', (ROOT / "deploy/monitoring/alerts.yaml").read_text()))
    assert jobs == {job for group in asked for job in group.split("|")}


def test_kong_answers_other_pages_as_luna_does(render) -> None:
    objects = render((), (*INGRESS, "api.corsOrigins={https://a.example}"))
    config = objects["KongPlugin/luna-cors"]["config"]
    source = (ROOT / "luna-http/src/limits.rs").read_text()
    body = source[source.index("pub(crate) fn cors("):]
    body = body[:body.index("\n}\n")]
    found = re.findall(r'"([a-z0-9-]+)"|\b([A-Z]+(?:_[A-Z]+)+|AUTHORIZATION)\b', body)
    named = {(text or constant.replace("_", "-").lower()) for text, constant in found}
    assert set(config["headers"]) | set(config["exposed_headers"]) == named
    assert config["methods"] == re.findall(r"Method::([A-Z]+)", body)
    assert config["origins"] == ["https://a.example"]
    assert config["max_age"] == 60 * int(re.findall(r"from_mins\((\d+)\)", body)[0])


def test_kong_leaves_open_what_the_api_leaves_open(render) -> None:
    objects = render((), (*INGRESS, "ingress.kong.jwt.enabled=true"))
    (rule,) = objects["Ingress/luna-open"]["spec"]["rules"]
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    opened = {path for path, calls in paths.items() for call in calls.values()
              if isinstance(call, dict) and call.get("x-who") == "anybody" and path.startswith("/api/v1/")}
    assert {path["path"] for path in rule["http"]["paths"]} == opened
    protected = [name for name, it in objects.items() if it["kind"] == "Ingress"
                 and "luna-jwt" in it["metadata"].get("annotations", {}).get("konghq.com/plugins", "")]
    assert protected == ["Ingress/luna-tokens"]
    caller = (ROOT / "luna-http/src/caller.rs").read_text()
    assert objects["KongPlugin/luna-jwt"]["config"]["cookie_names"] == re.findall(r'COOKIE: &str = "(\w+)"', caller)
    header = re.findall(r'API_KEY: &str = "([\w-]+)"', caller)[0]
    assert f"konghq.com/headers.{header}" in objects["Ingress/luna-keys"]["metadata"]["annotations"]


def test_the_queue_is_scaled_by_a_figure_that_there_is(render) -> None:
    source = (ROOT / "luna-http/src/metrics.rs").read_text()
    for case in ("KEDA, on", "KEDA by Prometheus"):
        (trigger,) = render(*CASES[case])["ScaledObject/luna-worker"]["spec"]["triggers"]
        (figure,) = re.findall(r"\bvalidation_\w+", json.dumps(trigger))
        assert f'"{figure}"' in source
    objects = render(*CASES["KEDA, on"])
    (trigger,) = objects["ScaledObject/luna-worker"]["spec"]["triggers"]
    host, port, path = re.fullmatch(r"http://([\w-]+)\.luna:(\d+)(/\w+)", trigger["metadata"]["url"]).groups()
    assert int(port) in {it["port"] for it in objects[f"Service/{host}"]["spec"]["ports"]}
    assert path in answered_by("luna-http")


def test_pods_have_the_time_that_they_are_promised(render) -> None:
    source = (ROOT / "luna-http/src/listen.rs").read_text()
    grace = re.findall(r"const GRACE: Duration = Duration::from_secs\((\d+)\)", source)
    spec = render((), ())["Deployment/luna-http"]["spec"]["template"]["spec"]
    pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > pause + int(grace[0])
    spec = render((), ("worker.graceSeconds=300",))["Deployment/luna-worker"]["spec"]["template"]["spec"]
    env = {it["name"]: it.get("value") for it in spec["containers"][0]["env"]}
    assert env["LUNA_WORKER_GRACE"] == "300" and spec["terminationGracePeriodSeconds"] > 300


# What is refused, and a word of why.
WRONG = {
    "api.replica=2": "replica",
    "api.replicas=0": "replicas",
    "api.replicas=two": "replicas",
    "api.senderTimeout=3601": "senderTimeout",
    "api.corsOrigins={luna.example}": "corsOrigins",
    "api.trustedProxies={ingress}": "trustedProxies",
    "api.autoscaling.targetCPU=0": "targetCPU",
    "api.resources.limit.cpu=1": "limit",
    "api.resources.limits.memory=lots": "memory",
    "api.podDisruptionBudget.maxUnavailable=0": "maxUnavailable",
    "worker.memory=2 apples": "memory",
    "worker.tmpSize=4": "tmpSize",
    "worker.keda.enabled=yes": "keda",
    "image.pullPolicy=Sometimes": "pullPolicy",
    "image.registry=registry.example/": "registry",
    "image.http.digest=latest": "digest",
    "publicUrl=luna.example.org": "publicUrl",
    "service.type=ExternalName": "type",
    "service.port=0": "port",
    "ingress.host=": "host",
    "secrets.external.store.kind=Vault": "kind",
    "storage.url=https://bucket": "url",
    "storage.bundled.bucket=x": "bucket",
    "storage.bundled.image=garage": "image",
    "database.bundled.size=8GB": "size",
    "networkPolicy.database.ports={70000}": "ports",
    "networkPolicy.clientsFrom=": "clientsFrom",
    "monitoring.serviceMonitor.interval=often": "interval",
    "nonsense=1": "nonsense",
    "secrets.existing=kept": "exactly one",
    "secrets.generate=false": "exactly one",
    "database.bundled.enabled=false": "secrets.generate",
    "storage.url=s3://bucket": "there is one storage",
    "worker.keda.enabled=true": "enable one",
    "ingress.kong.jwt.enabled=true": "ingress.kong",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_values_are_refused(helm: str, wrong: str) -> None:
    done = run(helm, "template", "luna", CHART, "--set", wrong)
    assert done.returncode != 0, "it was taken"
    assert WRONG[wrong] in done.stderr, done.stderr


@pytest.mark.parametrize(("sets", "why"), [
    ([*OUTSIDE, *[it for it in VALUES if "JWT" not in it]], "LUNA_JWT_SECRET is missing"),
    ([*OUTSIDE, *VALUES, "secrets.values.LUNA_TYPO=x"], "nothing reads LUNA_TYPO"),
    ([*OUTSIDE, *[it for it in VAULT if "store" not in it]], "secrets.external.store.name"),
    ([*EXTERNAL_DATABASE, *EXISTING, "storage.bundled.enabled=false"], "storage.url"),
])
def test_values_that_contradict_each_other_are_refused(helm: str, sets: list[str], why: str) -> None:
    done = run(helm, "template", "luna", CHART, *[f"--set={it}" for it in sets])
    assert done.returncode != 0 and why in done.stderr, done.stderr


def test_the_schema_knows_every_value_and_no_other() -> None:
    def keys(value: object, schema: dict, path: str) -> None:
        if not isinstance(value, dict) or "properties" not in schema or "$ref" in schema:
            return
        assert value.keys() == schema["properties"].keys(), path
        for key, inner in value.items():
            keys(inner, schema["properties"][key], f"{path}.{key}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    del schema["properties"]["global"]
    keys(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "values")


@pytest.mark.parametrize(("sets", "told", "untold"), [
    ([], ["http://127.0.0.1:8000", "port-forward service/luna-http 8000:80", "one volume each"], ["admin password"]),
    (["ingress.enabled=true"], ["https://luna.example.org"], ["port-forward"]),
    ([*OUTSIDE, *EXISTING, "secrets.adminPassword=false"], ["^admin password"], ["one volume each", "jsonpath"]),
])
def test_notes_tell_what_to_do_next(
    helm: str, tmp_path: Path, sets: list[str], told: list[str], untold: list[str]
) -> None:
    # `helm template` leaves notes out and `helm install --dry-run` asks a cluster; so they become an object here.
    chart = tmp_path / "luna"
    shutil.copytree(CHART, chart)
    notes = (chart / "templates/NOTES.txt").read_text()
    (chart / "templates/notes.yaml").write_text('{{ define "notes" }}' + notes + '{{ end }}'
                                                'notes: {{ include "notes" . | quote }}\n')
    done = run(helm, "template", "luna", chart, "--show-only", "templates/notes.yaml", *[f"--set={it}" for it in sets])
    assert done.returncode == 0, done.stderr
    text = yaml.safe_load(done.stdout)["notes"]
    assert all(it in text for it in told) and not any(it in text for it in untold), text
