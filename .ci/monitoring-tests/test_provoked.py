"""Alerts that are provoked, and end when somebody does what the runbook says.

Commands come out of the runbook itself. The database is a real PostgreSQL behind a line that can be cut:
`.ci/servers` starts it.
"""

import os
import re
import selectors
import shlex
import socket
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import SOON, Fleet, Prometheus, picture, within

SERVER = os.environ.get("LUNA_TEST_POSTGRES", "")
pytestmark = pytest.mark.skipif(not SERVER, reason="needs a PostgreSQL: .ci/servers")


class Line:
    """A TCP connection's way to a server, which can be cut and mended."""

    def __init__(self, host: str, port: int) -> None:
        self.server = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.is_cut = False
        self.is_over = False
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.thread = threading.Thread(target=self._carry)
        self.thread.start()

    def _accept(self, known: selectors.DefaultSelector) -> None:
        near, _ = self.listener.accept()
        if self.is_cut:
            near.close()
            return
        far = socket.create_connection(self.server)
        self.pairs.append((near, far))
        known.register(near, selectors.EVENT_READ, far)
        known.register(far, selectors.EVENT_READ, near)

    def _drop(self, known: selectors.DefaultSelector, pair: tuple[socket.socket, socket.socket]) -> None:
        self.pairs.remove(pair)
        for end in pair:
            known.unregister(end)
            end.close()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as known:
            known.register(self.listener, selectors.EVENT_READ)
            while not self.is_over:
                if self.is_cut:
                    for pair in self.pairs.copy():
                        self._drop(known, pair)
                for key, _ in known.select(timeout=0.1):
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    if source is self.listener:
                        self._accept(known)
                        continue
                    found = next((pair for pair in self.pairs if source in pair), None)
                    if found is None:
                        continue
                    try:
                        data = source.recv(1 << 16)
                        if data:
                            key.data.sendall(data)
                            continue
                    except OSError:
                        pass
                    self._drop(known, found)
            for pair in self.pairs.copy():
                self._drop(known, pair)

    def close(self) -> None:
        self.is_over = True
        self.thread.join()
        self.listener.close()


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    at = urllib.parse.urlsplit(SERVER)
    line = Line(at.hostname or "127.0.0.1", at.port or 5432)
    yield line
    line.close()


@pytest.fixture(scope="module")
def fleet(programs: Path, tmp_path_factory: pytest.TempPathFactory, line: Line) -> Iterator[Fleet]:
    name = f"monitoring_{os.getpid()}"
    made = ["psql", SERVER, "-qc", f"CREATE DATABASE {name}"]
    subprocess.run(made, check=True, timeout=60)
    user = urllib.parse.urlsplit(SERVER).username
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "objects").mkdir()
    fleet = Fleet(
        programs,
        folder,
        LUNA_DATABASE_URL=f"postgres://{user}@127.0.0.1:{line.port}/{name}",
        LUNA_STORAGE_URL=str(folder / "objects"),
    )
    yield fleet
    fleet.stop()


@pytest.fixture(scope="module")
def prometheus(fleet: Fleet, rules: str) -> Iterator[Prometheus]:
    prometheus = Prometheus(fleet.folder / "prometheus", rules, fleet)
    # Before its first look nothing is up, and says so.
    within(SOON, "all well", lambda: len(prometheus.query("up == 1")) == 2 and not prometheus.firing())
    yield prometheus
    prometheus.stop()


def commands(runbook: str, alert: str) -> list[list[str]]:
    """What the section of an alert tells to type, in its order."""
    section = re.search(rf"^### {alert}$(.*?)(?=^##|\Z)", runbook, re.M | re.S)
    assert section, alert
    return [shlex.split(line) for line in re.findall(r"^\$ (.+)$", section[1], re.M)]


def fires(prometheus: Prometheus, alert: str) -> None:
    # A worker that was killed counts as alive for 45 s.
    within(90, f"{alert} firing", lambda: alert in prometheus.firing())


def ends(prometheus: Prometheus, *alerts: str) -> None:
    within(90, f"the end of {alerts}", lambda: not prometheus.firing() & set(alerts))


def test_dead_letters(fleet: Fleet, prometheus: Prometheus, runbook: str) -> None:
    started = fleet.announce({"a.png": picture(1)})
    kept = {path: path.read_bytes() for path in (fleet.folder / "objects").rglob("*") if path.is_file()}
    dataset = fleet.send(started, {"a.png": picture(1)})
    objects = [path for path in (fleet.folder / "objects").rglob("*") if path.is_file()]
    taken = {path: path.read_bytes() for path in objects if path not in kept}
    assert taken
    for path in taken:
        path.unlink()
    fleet.complete(dataset)
    assert fleet.ended(dataset)["status"] == "failed"
    fires(prometheus, "LunaDeadLetters")

    typed = commands(runbook, "LunaDeadLetters")
    assert typed == [["luna", "admin", "queue"], ["luna", "admin", "retry", "--all"]]
    look, do = typed
    assert "is gone" in fleet.run(*look).stdout
    for path, data in taken.items():
        path.write_bytes(data)
    assert fleet.run(*do).stdout == "1 item queued again.\n"
    assert fleet.ended(dataset)["status"] == "completed"
    ends(prometheus, "LunaDeadLetters", "LunaFailuresHigh")


def test_database_unreachable(
    fleet: Fleet, prometheus: Prometheus, line: Line, runbook: str
) -> None:
    line.is_cut = True
    fires(prometheus, "LunaDatabaseUnreachable")

    (look,) = commands(runbook, "LunaDatabaseUnreachable")
    done = fleet.run(*look)
    assert done.returncode == 1
    assert "FAIL  database: " in done.stdout
    # "Nothing has to be restarted."
    line.is_cut = False
    ends(prometheus, "LunaDatabaseUnreachable")
    assert fleet.ended(fleet.upload({"a.png": picture(2)}))["status"] == "completed"


def test_worker_down(fleet: Fleet, prometheus: Prometheus, runbook: str) -> None:
    fleet.worker.kill()
    fires(prometheus, "LunaWorkerDown")
    dataset = fleet.upload({"a.png": picture(3)})
    (look,) = commands(runbook, "LunaWorkerDown")
    done = fleet.run(*look, "--bind", fleet.worker_address)
    assert done.returncode == 1
    assert "no worker answers" in done.stderr

    fires(prometheus, "LunaNoWorker")
    *looks, do = commands(runbook, "LunaNoWorker")
    said = "".join(fleet.run(*look).stdout for look in looks)
    assert "No worker is alive: start one with `luna worker`." in said
    assert "FAIL  queue: " in said
    assert do == ["luna", "worker"]
    fleet.worker = fleet.start_worker()
    assert fleet.ended(dataset)["status"] == "completed"
    ends(prometheus, "LunaWorkerDown", "LunaNoWorker")
