"""The service, its worker and a Prometheus that watches both, as processes of the test."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

SOON = 60.0
T = TypeVar("T")


def within(seconds: float, what: str, look: Callable[[], T | None]) -> T:
    """What comes of looking again and again, as soon as it is something."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"within {seconds:.0f} s: not {what}")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


Headers = dict[str, str]


def get(
    url: str, headers: Headers | None = None, body: bytes | None = None, method: str | None = None
) -> bytes:
    asked = urllib.request.Request(url, body, headers or {}, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return bytes(answer.read())


def status_of(
    url: str, headers: Headers | None = None, body: bytes | None = None, method: str | None = None
) -> int:
    try:
        get(url, headers, body, method)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200


class Process:
    """A program, and what it logs."""

    def __init__(self, command: Sequence[str | Path], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        known = {key: value for key, value in os.environ.items() if not key.startswith("LUNA_")}
        with log.open("w") as out:
            self.process = subprocess.Popen(
                command, env=known | environment, stdout=out, stderr=out, cwd=log.parent
            )

    def says(self, message: str) -> dict[str, Any]:
        """The line of its log with this message."""

        def look() -> dict[str, Any] | None:
            for line in self.log.read_text().splitlines():
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("message") == message:
                    return event
            if self.process.poll() is not None:
                raise AssertionError(f"it has ended: {self.log.read_text()}")
            return None

        return within(SOON, message, look)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


class Fleet:
    """A service and a worker beside it. Both keep what they know where `settings` say, else in a folder."""

    def __init__(self, programs: Path, folder: Path, **settings: str) -> None:
        self.programs, self.folder = programs, folder
        (folder / "password").write_text("a password of the test")
        self.settings = {
            "LUNA_DATA_DIR": str(folder / "data"),
            "LUNA_ADMIN_PASSWORD_FILE": str(folder / "password"),
            "LUNA_IDENTITY_KEY": "5" * 64,
            "LUNA_JWT_SECRET": "6" * 64,
        } | settings
        serve = ["serve", "--worker", "external", "--bind", "127.0.0.1:0"]
        self.service = Process([programs / "luna-http", *serve], folder / "http.log", self.settings)
        self.address = str(self.service.says("listening")["address"])
        self.url = f"http://{self.address}"
        # Always the same, as Prometheus knows it.
        self.worker_address = f"127.0.0.1:{free_port()}"
        self.worker = self.start_worker()
        self.admin("team", "create", "radiant")
        words = self.admin("key", "create", "--team", "radiant", "--name", "test").split()
        self.key = {"x-api-key": words[-1]}

    def start_worker(self) -> Process:
        work = ["worker", "--jobs", "1", "--bind", self.worker_address]
        worker = Process([self.programs / "luna", *work], self.folder / "worker.log", self.settings)
        worker.says("health and metrics")
        return worker

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        known = {key: value for key, value in os.environ.items() if not key.startswith("LUNA_")}
        path = f"{self.programs}:{known['PATH']}"
        return subprocess.run(
            command,
            env=known | self.settings | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def admin(self, *words: str) -> str:
        done = self.run("luna", "admin", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def post(self, path: str, value: object) -> dict[str, Any]:
        answer = get(f"{self.url}/api/v1{path}", self.key, json.dumps(value).encode())
        return dict(json.loads(answer))

    def announce(self, files: dict[str, bytes]) -> dict[str, Any]:
        kind = "image/png"
        files_ = [
            {"filename": name, "content_type": kind, "size_bytes": len(data)}
            for name, data in files.items()
        ]
        return self.post("/upload/start", {"dataset_name": "load", "description": "", "files": files_})

    def send(self, started: dict[str, Any], files: dict[str, bytes]) -> int:
        """Sends what was announced; the number of the data set."""
        for target in started["upload_urls"]:
            get(target["upload_url"], target["headers"], files[target["filename"]], target["method"])
        return int(started["dataset_id"])

    def complete(self, dataset: int) -> None:
        self.post("/upload/complete", {"dataset_id": dataset})

    def upload(self, files: dict[str, bytes]) -> int:
        """Hands a data set in; its number."""
        dataset = self.send(self.announce(files), files)
        self.complete(dataset)
        return dataset

    def ended(self, dataset: int) -> dict[str, Any]:
        """How its validation ended."""

        def look() -> dict[str, Any] | None:
            answer = get(f"{self.url}/api/v1/validation/{dataset}/status", self.key)
            status = dict(json.loads(answer))
            return status if status["completed_at"] else None

        return within(SOON, f"the end of data set {dataset}", look)

    def stop(self) -> None:
        self.worker.stop()
        self.service.stop()


def picture(seed: int, side: int = 320) -> bytes:
    """A grey PNG, different for each seed."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sum_ = zlib.crc32(kind + data)
        return len(data).to_bytes(4) + kind + data + sum_.to_bytes(4)

    rows = (
        b"\0" + bytes((x * (seed + 3) + y * y // 7 + x * y // 11) % 241 for x in range(side))
        for y in range(side)
    )
    head = side.to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    data = zlib.compress(b"".join(rows))
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


class Prometheus:
    """A real one that scrapes each second, with the rules of deploy/monitoring at the same pace."""

    def __init__(self, folder: Path, rules: str, fleet: Fleet) -> None:
        folder.mkdir()
        # Windows and waits of minutes and hours become seconds; what is compared with what stays.
        quick = re.sub(r"\[\d+m\]", "[8s]", re.sub(r"for: \w+", "for: 1s", rules))
        (folder / "alerts.yaml").write_text(quick)
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yaml"],
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": [address]}]}
                for name, address in [
                    ("luna-http", fleet.address),
                    ("luna-worker", fleet.worker_address),
                ]
            ],
        }
        # JSON is YAML.
        (folder / "prometheus.yaml").write_text(json.dumps(config))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = Process(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            folder / "log",
            {},
        )
        within(SOON, "a Prometheus that is ready", self._is_ready)

    def _is_ready(self) -> bool:
        assert self.process.process.poll() is None, self.process.log.read_text()
        try:
            return status_of(f"{self.url}/-/ready") == 200
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Its result now; raises where Prometheus refuses the expression."""
        form = urllib.parse.urlencode({"query": expression}).encode()
        try:
            answer = json.loads(get(f"{self.url}/api/v1/query", body=form))
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{expression}: {error.read().decode()}") from None
        assert answer["data"]["resultType"] == "vector", expression
        return list(answer["data"]["result"])

    def rules(self) -> list[dict[str, Any]]:
        groups = json.loads(get(f"{self.url}/api/v1/rules"))["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def firing(self) -> set[str]:
        return {
            str(alert["labels"]["alertname"])
            for rule in self.rules()
            for alert in rule["alerts"]
            if alert["state"] == "firing"
        }

    def stop(self) -> None:
        self.process.stop()
