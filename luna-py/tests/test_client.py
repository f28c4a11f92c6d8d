"""The client beside a real service: `luna-http serve` on SQLite and a folder, with the worker inside."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import luna_py as luna
from luna_py.client import Client

KEY = "luna_no-key-of-anybody"


class Service:
    """On a free port, with a data folder of its own and a team with a key."""

    def __init__(self, binary: str, folder: Path) -> None:
        with (folder / "out").open("w") as out, (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--bind", "127.0.0.1:0"],
                env={**os.environ, "LUNA_DATA_DIR": str(folder / "data")},
                stdout=out,
                stderr=log,
            )
        self.url = f"http://{self._address(folder / 'log')}"
        said = (folder / "out").read_text().splitlines()[0]
        self.password = said.removeprefix("admin password: ")
        form = urllib.parse.urlencode({"username": "admin", "password": self.password}).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/auth/login", form) as answer:
            self.token: str = json.load(answer)["access_token"]
        self.team: int = self.call("/teams", {"name": "team-07"})["team_id"]
        new = {"name": "scripts", "scope": "write", "team_id": self.team}
        self.key: str = self.call("/api-keys", new)["key"]

    def _address(self, log: Path) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            for line in log.read_text().splitlines():
                event = json.loads(line)
                if event["message"] == "listening":
                    return str(event["address"])
            time.sleep(0.05)
        raise RuntimeError(f"it does not listen: {log.read_text()}")

    def call(self, path: str, body: dict[str, object]) -> Any:
        head = {"Authorization": f"Bearer {self.token}"}
        asked = urllib.request.Request(f"{self.url}/api/v1{path}", json.dumps(body).encode(), head)
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    binary = os.environ.get("LUNA_HTTP")
    if binary is None:
        pytest.skip("LUNA_HTTP names no luna-http binary; `make test-python` builds one")
    started = Service(binary, tmp_path_factory.mktemp("service"))
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's own, and a place to remember unfinished uploads."""
    for name in ["LUNA_SERVER", "LUNA_API_KEY", "LUNA_TOKEN", "LUNA_PASSWORD"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def client(service: Service) -> Client:
    return Client(service.url, api_key=service.key)


@pytest.fixture
def silence() -> Iterator[socket.socket]:
    """A service that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def awaited(client: Client, number: int) -> luna.Report:
    """The report of a data set, as soon as there is one."""
    end = time.monotonic() + 60
    while True:
        try:
            return client.report(number)
        except luna.ServiceError as error:
            assert (error.status, error.code) == (409, "no-report-yet"), error
            assert time.monotonic() < end
        time.sleep(0.1)


def test_a_folder_is_judged_there_as_it_is_here(
    client: Client, broken_set: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    there = client.push(broken_set, dataset_name="autumn")
    here = luna.validate(broken_set)
    assert there.verdict == here.verdict == "fail"
    assert there.counts == here.counts
    assert there.findings.to_pylist() == here.findings.to_pylist()
    assert there.files.to_pylist() == here.files.to_pylist()
    assert capfd.readouterr() == ("", ""), "no terminal, no progress, no notes"

    listed = client.datasets()[0]
    assert listed["name"] == "autumn"
    assert listed["validation"]["verdict"] == "fail"
    assert client.report(listed["dataset_id"]).to_json() == there.to_json()


def test_without_waiting_there_is_a_number(client: Client, broken_set: Path) -> None:
    first = client.push(broken_set, wait=False)
    assert isinstance(first, int)
    assert awaited(client, first).verdict == "fail"

    (broken_set / "empty.png").unlink()
    fixed = client.push(broken_set, replaces=first, remove=["empty.png"])
    assert fixed.rejected == []
    newest, before = client.datasets()[:2]
    assert (newest["version"], newest["lineage"]) == (2, first)
    assert (before["dataset_id"], before["name"]) == (first, "set"), "named by the folder"


def test_an_account_may_sign_in(service: Service, client: Client, broken_set: Path) -> None:
    number = client.push(broken_set, wait=False)
    admin = Client(service.url, username="admin", password=service.password)
    listed = admin.datasets()[0]
    assert (listed["dataset_id"], listed["team_id"]) == (number, service.team)


def test_address_and_key_come_from_the_environment(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNA_SERVER", service.url)
    monkeypatch.setenv("LUNA_API_KEY", service.key)
    assert isinstance(Client().datasets(), list)
    monkeypatch.delenv("LUNA_API_KEY")
    monkeypatch.setenv("LUNA_PASSWORD", "wrong")
    with pytest.raises(luna.ServiceError, match="check username and password") as raised:
        Client(username="admin").datasets()
    assert raised.value.code == "wrong-login"


def test_a_refusal_says_what_the_service_said_and_what_to_do(
    service: Service, client: Client, broken_set: Path
) -> None:
    with pytest.raises(luna.ServiceError, match="do: give a key of your team") as raised:
        Client(service.url, api_key=KEY).push(broken_set)
    error = raised.value
    assert isinstance(error, luna.LunaError)
    assert error.status == 401
    assert error.detail and error.detail in str(error)
    assert error.request_id and error.request_id in str(error)
    assert error.remedy and error.remedy in str(error)
    assert KEY not in f"{error!r} {vars(error)}"

    with pytest.raises(luna.ServiceError, match="is it your team's") as raised:
        client.report(999_999)
    assert raised.value.status == 404
    with pytest.raises(luna.ServiceError) as raised:
        client.push(broken_set, task="no-such-task")
    assert raised.value.status in (404, 422)


def test_a_patient_is_not_sent(client: Client, tmp_path: Path) -> None:
    def element(group: int, number: int, kind: bytes, value: bytes) -> bytes:
        return struct.pack("<HH2sH", group, number, kind, len(value)) + value

    syntax = element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
    head = element(2, 0, b"UL", struct.pack("<I", len(syntax))) + syntax
    named = tmp_path / "named"
    named.mkdir()
    name = element(0x10, 0x10, b"PN", b"QUENTIN^MARGARETHE")
    (named / "chest.dcm").write_bytes(bytes(128) + b"DICM" + head + name)
    before = len(client.datasets())
    with pytest.raises(luna.VerdictError, match="nothing was sent: 1 file could name a person") as it:
        client.push(named)
    assert "QUENTIN" not in str(it.value)
    assert len(client.datasets()) == before
    assert client.push(named, check=False).verdict == "fail"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = address(listener)
    with pytest.raises(luna.ServiceError, match=f"{url} cannot be reached") as raised:
        Client(url, api_key=KEY).datasets()
    assert raised.value.status is None and raised.value.request_id is None


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("url", lambda: Client(api_key=KEY)),
        ("url", lambda: Client("luna.example.org", api_key=KEY)),
        ("url", lambda: Client("https://ada:s3cret@luna.example.org", api_key=KEY)),
        ("url .*insecure", lambda: Client("http://luna.example.org", api_key=KEY)),
        ("api_key", lambda: Client("https://luna.example.org")),
        ("api_key", lambda: Client("https://luna.example.org", api_key="s3cret s3cret")),
        ("api_key", lambda: Client("https://luna.example.org", api_key="")),
        ("api_key", lambda: Client("https://luna.example.org", api_key=KEY, username="ada")),
        ("password", lambda: Client("https://luna.example.org", username="ada")),
        ("password", lambda: Client("https://luna.example.org", api_key=KEY, password="s3cret")),
        ("remove", lambda: own().push("set", remove=["a.png"])),
        ("profile", lambda: own().push("set", check=False, profile="dicom")),
    ],
)
def test_a_wrong_argument_is_named_without_its_secrets(argument: str, call: Any) -> None:
    with pytest.raises(ValueError, match=f"^{argument}") as raised:
        call()
    assert "s3cret" not in str(raised.value) and KEY not in str(raised.value)


def own() -> Client:
    return Client("https://luna.example.org", api_key=KEY)


def test_a_place_that_cannot_be_sent_is_told_before_the_service_is_asked(
    broken_set: Path, tmp_path: Path
) -> None:
    (tmp_path / "void").mkdir()
    places: list[tuple[Path | str, str]] = [
        (tmp_path / "no-such-folder", "no-such-folder"),
        (tmp_path / "void", "no file to hand in"),
        ("s3://bucket/scans", "only files of this machine"),
    ]
    for place, said in places:
        with pytest.raises(luna.SourceError, match=said):
            own().push(place)
    with pytest.raises(luna.ProfileError, match="did you mean `chest-xray`"):
        own().push(broken_set, profile="chest-xry")


def test_nothing_shows_a_secret() -> None:
    insecure = Client("http://luna.example.org/", api_key=f" {KEY}\n", insecure=True)
    assert repr(insecure) == "<luna_py.client.Client: http://luna.example.org>"
    assert not hasattr(insecure, "__dict__")


SCRIPT = """
import signal
import sys
from luna_py.client import Client
signal.signal(signal.SIGINT, signal.default_int_handler)
client = Client(sys.argv[1], api_key="a-key")
try:
    client.push(sys.argv[2])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_stops_within_a_second(silence: socket.socket, broken_set: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, address(silence), str(broken_set)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with silence.accept()[0]:
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"
        # The interpreter has to end too, on a machine that may be busy.
        assert time.monotonic() - began < 5
    assert process.returncode == 0


def test_other_python_threads_go_on(silence: socket.socket) -> None:
    raised: list[luna.ServiceError] = []

    def ask() -> None:
        try:
            Client(address(silence), api_key=KEY).datasets()
        except luna.ServiceError as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    # Were the GIL held, nobody would take the call.
    silence.accept()[0].close()
    thread.join()
    assert "cannot be reached" in str(raised[0])
