"""The compose file: its form, and that what it says works. Without an engine its processes are started here, with the
commands and variables that stand in it and in the container file, as nobody, in a folder where nothing can be written;
names of services become ports of this machine. Then a team uploads and gets its verdicts.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import CHART, ROOT, read_by, run
from test_dockerfile import STAGES, environment, last

DEPLOY = ROOT / "deploy"
NOBODY = 65534


def interpolated(value: object, given: dict[str, str]) -> object:
    """Compose's own `${NAME}`, `${NAME:-default}` and `${NAME:?why}`."""
    def one(found: re.Match[str]) -> str:
        name, kind, rest = found[1], found[2], found[3]
        if given.get(name):
            return given[name]
        assert kind == ":-", f"{name}: {rest or 'not set'}"
        return rest
    match value:
        case str():
            return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", one, value)
        case dict():
            return {key: interpolated(it, given) for key, it in value.items()}
        case list():
            return [interpolated(it, given) for it in value]
    return value


def compose(name: str = "compose.yaml", **given: str) -> dict:
    return interpolated(yaml.safe_load((DEPLOY / name).read_text()), given)  # type: ignore[return-value]


SERVICES = compose()["services"]
SEED = compose("compose.seed.yaml", LEGACY_BACKEND="../backend", LEGACY_FRONTEND="../frontend")["services"]


@pytest.mark.parametrize("name", ["compose.yaml", "compose.seed.yaml"])
def test_compose_takes_the_file(name: str) -> None:
    # Beside the interpreter, in CI's environment as in any other.
    checker = Path(sys.executable).parent / "check-jsonschema"
    done = run(checker, "--builtin-schema", "vendor.compose-spec", DEPLOY / name)
    assert done.returncode == 0, done.stdout


def test_everything_that_is_named_is_there() -> None:
    whole = compose()
    named = {*SERVICES, *SEED}
    for name, service in {**SERVICES, **{f"seed {key}": it for key, it in SEED.items()}}.items():
        for other in service.get("depends_on", {}):
            assert other in named, name
        for volume in service.get("volumes", []):
            source, target, *_ = volume.split(":")
            assert target.startswith("/"), (name, volume)
            if source.startswith("."):
                assert (DEPLOY / source).exists(), (name, source)
            else:
                assert source in whole["volumes"] or source == "legacy", (name, source)
        for config in service.get("configs", []):
            assert config["source"] in whole["configs"], name
        build = service.get("build")
        if isinstance(build, dict):
            assert (DEPLOY / build["context"] / build["dockerfile"]).exists(), name
            assert build["target"] in STAGES, name
        else:
            assert "image" in service or name.startswith("seed "), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to others"


def test_programs_read_what_compose_says() -> None:
    for name, reads in {"luna-http": {"luna-http"}, "luna-worker": {"luna worker", "luna admin"},
                        "migrate": {"luna admin"}}.items():
        told = {key for key in SERVICES[name]["environment"] if key.startswith("LUNA_")}
        assert told <= set().union(*[read_by()[program] for program in reads]), name
        assert SERVICES[name]["read_only"] and SERVICES[name]["cap_drop"] == ["ALL"], name
    assert SEED["luna-http"]["environment"].keys() <= read_by()["luna-http"]
    assert SERVICES["luna-worker"]["deploy"]["replicas"] == 2


def test_prometheus_and_grafana_find_their_files() -> None:
    config = yaml.safe_load((DEPLOY / "monitoring/prometheus.yaml").read_text())
    inside = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES["prometheus"]["volumes"]}
    for rules in config["rule_files"]:
        assert f"/etc/prometheus/{rules}" in inside
    assert "/etc/prometheus/prometheus.yml" in inside
    for job in config["scrape_configs"]:
        hosts = [target.split(":")[0] for it in job.get("static_configs", []) for target in it["targets"]]
        hosts += [name for it in job.get("dns_sd_configs", []) for name in it["names"]]
        # Machines are watched where somebody adds a node exporter.
        assert set(hosts) <= {*SERVICES, "node-exporter"}, job
    provisioned = yaml.safe_load((DEPLOY / "monitoring/grafana/provisioning/dashboards/luna.yaml").read_text())
    grafana = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES["grafana"]["volumes"]}
    for provider in provisioned["providers"]:
        assert list((DEPLOY / grafana[provider["options"]["path"]]).glob("*.json"))
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (DEPLOY / grafana[str(home.parent)] / home.name).exists()
    source = yaml.safe_load((DEPLOY / "monitoring/grafana/provisioning/datasources/prometheus.yaml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"


def test_chart_and_compose_have_the_same_servers(helm: str) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert SERVICES["postgres"]["image"] == values["database"]["bundled"]["image"]
    assert SERVICES["storage"]["image"] == values["storage"]["bundled"]["image"]
    assert SERVICES["bucket"]["image"] == values["storage"]["bundled"]["corsImage"]
    ours = tomllib.loads(compose()["configs"]["garage"]["content"])
    text = (CHART / "templates/s3.yaml").read_text().split("garage.toml: |\n")[1].split("---")[0]
    assert tomllib.loads(text) == ours
    # The bucket is opened to pages by the same words, but for names and secrets; those of compose are run below.
    job = [it for it in yaml.safe_load_all(run(helm, "template", "luna", CHART).stdout)
           if it and it["kind"] == "Job" and it["metadata"]["name"] == "luna-s3-cors"][0]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    words = ["curl", *SERVICES["bucket"]["command"]]
    user = words.index("--user") + 1
    words[user] = "$(AWS_ACCESS_KEY_ID):$(AWS_SECRET_ACCESS_KEY)"
    words[-1] = words[-1].replace("storage:", "luna-s3:")
    assert container["command"] == words
    # And it is the one that all other tests talk to.
    pinned = re.findall(r"^garage=(\S+)$", (ROOT / ".ci/tools").read_text(), re.M)[0]
    assert SERVICES["storage"]["image"].endswith(f":v{pinned}")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Machine:
    """The services of compose.yaml as processes of this machine."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.processes = folder, {}
        self.ports = {("postgres", 5432): int(re.findall(r":(\d+)/", os.environ["LUNA_TEST_POSTGRES"])[0]),
                      **{key: free_port() for key in (("luna-http", 8000), ("storage", 3900), ("storage", 3901))}}
        for name in ("luna", "luna-http"):
            shutil.copy2(programs / name, folder / name)

    def here(self, text: str, service: str, number: int = 0) -> str:
        """A text of the file as it must be without networks of their own."""
        if service.startswith("luna-worker"):
            self.ports.setdefault((f"luna-worker-{number}", 8001), free_port())
        for (name, port), real in self.ports.items():
            # By its name for others, by all addresses for itself, by this machine's where it is published.
            text = text.replace(f"{name}:{port}", f"127.0.0.1:{real}")
            if name in (service, f"{service}-{number}"):
                text = re.sub(rf"(0\.0\.0\.0|127\.0\.0\.1):{port}\b", f"127.0.0.1:{real}", text)
            if f"127.0.0.1:{port}:{port}" in SERVICES.get(name, {}).get("ports", []):
                text = text.replace(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{real}")
        return text

    def environment(self, service: str, number: int = 0) -> dict[str, str]:
        """That of the image, and that of the file; nothing else."""
        whole = dict(environment(SERVICES[service]["build"]["target"])) if "build" in SERVICES[service] else {}
        whole |= SERVICES[service]["environment"]
        return {key: self.here(value, service, number) for key, value in whole.items()}

    def words(self, service: str, number: int = 0) -> list[str]:
        declared = SERVICES[service]
        if "build" not in declared:
            return [self.here(word, service) for word in declared["command"]]
        stage = declared["build"]["target"]
        entry = json.loads(last(stage, "ENTRYPOINT"))
        return [str(self.folder / Path(entry[0]).name), *declared.get("command", json.loads(last(stage, "CMD")))]

    def start(self, service: str, words: list[str], env: dict[str, str], number: int = 0) -> subprocess.Popen[bytes]:
        # As an image does: nobody, where nothing can be written.
        closed: dict[str, Any] = {}
        if os.getuid() == 0:
            closed = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        with (self.folder / f"{service}-{number}.log").open("wb") as log:
            process = subprocess.Popen(words, env=env, cwd="/", stdout=log, stderr=log, **closed)
        self.processes[service, number] = process
        return process

    def log(self, service: str, number: int = 0) -> str:
        return (self.folder / f"{service}-{number}.log").read_text()

    def healthy(self, service: str, number: int = 0) -> bool:
        """What the image's own health check says."""
        health = last(SERVICES[service]["build"]["target"], "HEALTHCHECK")
        words = json.loads(health[health.index("["):])
        return subprocess.run([self.folder / Path(words[0]).name, *words[1:]], env=self.environment(service, number),
                              capture_output=True, timeout=30).returncode == 0

    def wait(self, service: str, number: int = 0) -> None:
        end = time.monotonic() + 90
        while not self.healthy(service, number):
            assert self.processes[service, number].poll() is None, self.log(service, number)
            assert time.monotonic() < end, self.log(service, number)
            time.sleep(0.3)

    def admin(self, *words: str) -> str:
        """`docker compose run luna-worker admin ...`"""
        done = subprocess.run([self.folder / "luna", "admin", *words], env=self.environment("luna-worker"),
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def machine(programs: Path, pytestconfig: pytest.Config) -> Iterator[Machine]:
    postgres = os.environ.get("LUNA_TEST_POSTGRES")
    assert postgres, "there is no PostgreSQL: run this by .ci/servers"
    for statement in ("DROP DATABASE IF EXISTS luna", "CREATE DATABASE luna"):
        done = run("psql", "--quiet", "--dbname", postgres, "--command", statement)
        assert done.returncode == 0, done.stderr
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        machine = Machine(folder, programs)
        try:
            up(machine, Path(pytestconfig.getoption("--garage")))
            yield machine
        finally:
            machine.stop()


def up(machine: Machine, garage: Path) -> None:
    """`docker compose up`: storage, schema and bucket first, since the service waits for them."""
    data = machine.folder / "garage-data"
    data.mkdir()
    shutil.copy2(garage, machine.folder / "garage")
    if os.getuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    text = machine.here(compose()["configs"]["garage"]["content"], "storage").replace("/var/lib/garage", str(data))
    (config := machine.folder / "garage.toml").write_text(text)
    config.chmod(0o644)
    env = machine.environment("storage")
    (target,) = [it["target"] for it in SERVICES["storage"]["configs"]]
    assert env["GARAGE_CONFIG_FILE"] == target
    words = [word.replace("/garage", str(machine.folder / "garage")) for word in machine.words("storage")]
    machine.start("storage", words, env | {"GARAGE_CONFIG_FILE": str(config)})

    for service in ("luna-http", "luna-worker"):
        for first in ("migrate", "storage"):
            assert first in SERVICES[service]["depends_on"], service
    migration = machine.start("migrate", machine.words("migrate"), machine.environment("migrate"))
    assert migration.wait(timeout=60) == 0, machine.log("migrate")
    bucket = machine.start("bucket", ["curl", *machine.words("bucket")], {"PATH": os.environ["PATH"]})
    assert bucket.wait(timeout=60) == 0, machine.log("bucket") + machine.log("storage")

    machine.start("luna-http", machine.words("luna-http"), machine.environment("luna-http"))
    for number in range(SERVICES["luna-worker"]["deploy"]["replicas"]):
        env = machine.environment("luna-worker", number) | {"HOSTNAME": f"worker-{number}"}
        machine.start("luna-worker", machine.words("luna-worker"), env, number)
    machine.wait("luna-http")
    for number in range(2):
        machine.wait("luna-worker", number)


def pictures(machine: Machine, folder: Path) -> list[Path]:
    """Pictures of the demo that nothing is wrong with."""
    demo = folder / "demo"
    done = run(machine.folder / "luna", "demo", demo)
    assert done.returncode == 0, done.stderr
    report = folder / "report.json"
    # It is made to fail as a whole.
    assert run(machine.folder / "luna", "validate", demo, "--output", report).returncode == 1
    read = json.loads(report.read_text())
    several = {path for finding in read["findings"] for path in [finding.get("path"), *finding.get("related", [])]}
    return [demo / file["path"] for file in read["files"]
            if file["kind"] == "image" and not file["findings"] and file["path"] not in several]


@pytest.fixture(scope="module")
def verdicts(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    """What `luna push` says of a set that is sound, and of one with a file that was cut."""
    folder = tmp_path_factory.mktemp("sets")
    machine.admin("team", "create", "radiant")
    password = re.findall(r"password: (\S+)", machine.admin("user", "create", "ada", "--team", "radiant"))[0]
    sound = pictures(machine, folder)[:5]
    assert len(sound) == 5
    said = {}
    for name in ("sound", "cut"):
        (folder / name).mkdir()
        for number, picture in enumerate(sound):
            data = picture.read_bytes()
            if name == "cut" and number == 0:
                data = data[: len(data) // 2]
            (folder / name / f"{number}{picture.suffix}").write_bytes(data)
        url = machine.here(SERVICES["luna-http"]["environment"]["LUNA_PUBLIC_URL"], "luna-http")
        said[name] = subprocess.run(
            [machine.folder / "luna", "push", folder / name, "--server", url, "--username", "ada", "--format", "json"],
            text=True, env={"LUNA_PASSWORD": password, "HOME": str(folder)}, capture_output=True, timeout=180)
    said["password"] = password  # type: ignore[assignment]
    return said


def ask(machine: Machine, service: str, port: int, path: str, **form: str) -> str:
    url = f"http://127.0.0.1:{machine.ports[service, port]}{path}"
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode() if form else None, timeout=20) as answer:
        return answer.read().decode()


def test_a_team_gets_its_verdicts(machine: Machine, verdicts) -> None:
    logs = machine.log("luna-http") + machine.log("luna-worker", 0) + machine.log("luna-worker", 1)
    assert verdicts["sound"].returncode == 0, verdicts["sound"].stdout + verdicts["sound"].stderr + logs
    assert verdicts["cut"].returncode == 1, verdicts["cut"].stdout + verdicts["cut"].stderr
    for name, verdict in (("sound", "pass"), ("cut", "fail")):
        said = json.loads(verdicts[name].stdout)
        assert (said["status"], said["verdict"]) == ("completed", verdict), said
        assert said["validation_results"]["files_checked"] == 5


def test_the_first_password_is_in_the_log_once(machine: Machine) -> None:
    assert len(re.findall(r"^admin password: \S{12,}$", machine.log("luna-http"), re.M)) == 1


def test_everything_behind_it_works_as_browsers_need_it(machine: Machine) -> None:
    said = machine.admin("doctor")
    for what in ("database", "clock", "queue", "storage", "browsers", "identity key"):
        assert f"ok    {what}" in said, said


def test_prometheus_would_find_figures(machine: Machine, verdicts) -> None:
    config = yaml.safe_load((DEPLOY / "monitoring/prometheus.yaml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    (target,) = jobs["luna-http"]["static_configs"][0]["targets"]
    host, port = target.split(":")
    assert "validation_queue_length 0" in ask(machine, host, int(port), "/metrics")
    (dns,) = jobs["luna-worker"]["dns_sd_configs"]
    images = 0
    for number in range(2):
        figures = ask(machine, f"{dns['names'][0]}-{number}", dns["port"], "/metrics")
        images += sum(int(it) for it in re.findall(r'^validation_images_total\{verdict="\w+"\} (\d+)$', figures, re.M))
    assert images == 10


def test_kong_would_take_a_token_by_the_key_of_the_readme(machine: Machine, verdicts) -> None:
    answer = ask(machine, "luna-http", 8000, "/api/v1/auth/login", username="ada", password=verdicts["password"])
    head, claims, signature = json.loads(answer)["access_token"].split(".")
    command = re.search(r"\$ key=\$\((printf .*)\)$", (CHART / "README.md").read_text(), re.M)
    assert command
    secret = machine.environment("luna-http")["LUNA_JWT_SECRET"]
    made = subprocess.run(["bash", "-ec", command[1]], env={"PATH": os.environ["PATH"], "LUNA_JWT_SECRET": secret},
                          capture_output=True, text=True, timeout=30)
    assert made.returncode == 0, made.stderr
    key = base64.b64decode(made.stdout)
    right = hmac.new(key, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(right).rstrip(b"=").decode() == signature
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert read["iss"] == "luna" and {"exp", "nbf"} <= read.keys()


def test_a_stop_is_clean_and_in_time(machine: Machine, verdicts) -> None:
    """Last, since it ends what the others need."""
    for (service, number), process in list(machine.processes.items()):
        if service.startswith("luna-"):
            process.terminate()
    for (service, number), process in machine.processes.items():
        if service.startswith("luna-"):
            promised = int(SERVICES[service]["stop_grace_period"].removesuffix("s"))
            assert process.wait(timeout=promised) == 0, machine.log(service, number)
            assert not machine.healthy(service, number)
