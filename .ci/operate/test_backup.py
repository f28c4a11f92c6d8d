"""Backup, destroy, restore: everything is back, and the service goes on."""

import importlib.machinery
import importlib.util
import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import kept
import pytest
from conftest import PASSWORD, SCRIPTS, Fleet, Place
from service import Client, picture

PICTURES = {f"images/{number}.png": picture(number, 160) for number in range(6)}
CUT = PICTURES | {"images/2.png": PICTURES["images/2.png"][:3000]}
REPORTS = ("json", "html", "csv", "sarif")


def seen(admin: Client, datasets: list[int]) -> dict[str, Any]:
    """What a service says of everything that is finished."""
    said: dict[str, Any] = {path: admin.all(path) for path in ("/teams", "/tasks", "/profiles")}
    for team in said["/teams"]:
        for path in ("/users", "/api-keys", "/invites"):
            of_team = f"{path}?team_id={team['team_id']}"
            said[of_team] = admin.all(of_team)
    for number in datasets:
        status = admin.read(f"/validation/{number}/status")
        said[f"data set {number}"] = {
            "row": admin.read(f"/datasets/{number}"),
            "versions": admin.all(f"/datasets/{number}/versions"),
            "status": {key: value for key, value in status.items() if key != "queue"},
            "files": admin.all(f"/validation/{number}/files"),
            "contents": admin.contents(number),
            "findings": admin.all(f"/validation/{number}/findings"),
            "reports": {it: admin.get("GET", f"/api/v1/validation/{number}/report?format={it}") for it in REPORTS},
        }
    return said


class Uploading:
    """A data set that is being uploaded, a file after the other, until told to stop."""

    def __init__(self, client: Client) -> None:
        self.files = {f"{number:03}.png": picture(number, 48) for number in range(300)}
        started = client.start("going on", self.files)
        self.dataset, self.targets, self.client = started["dataset_id"], started["upload_urls"], client
        self.sent: list[str] = []
        self.enough = threading.Event()
        self.thread = threading.Thread(target=self._send)

    def _send(self) -> None:
        for target in self.targets:
            if self.enough.wait(0.03):
                return
            self.client.put(target, self.files[target["filename"]])
            self.sent.append(target["filename"])

    def __enter__(self) -> "Uploading":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self.thread.join()


def half_sent(client: Client, place: Place) -> tuple[int, dict[str, Any]]:
    """A file of which the service has a part: bytes in its own folder, a name for the parts in a bucket."""
    if isinstance(place, Fleet):
        large = {"filename": "half.bin", "content_type": "image/png", "size_bytes": (64 << 20) + 10}
        started = client.make("/upload/start", dataset_name="half", files=[large])
        assert started["upload_urls"][0]["parts"]
    else:
        started = client.start("half", {"half.png": PICTURES["images/0.png"]})
        target, data = started["upload_urls"][0], PICTURES["images/0.png"]
        span = {"Content-Range": f"bytes 0-99/{len(data)}"}
        assert client.status("PUT", target["upload_url"], data[:100], **target["headers"], **span)[0] == 202
    return started["dataset_id"], started["upload_urls"][0]


def goes_on_with_half(client: Client, place: Place, dataset: int) -> None:
    missing = client.read(f"/upload/{dataset}")["files"]["items"]
    assert [it["received_bytes"] for it in missing] == [0]
    fresh = client.make(f"/upload/{dataset}/urls", file_ids=[it["file_id"] for it in missing])
    target = fresh["upload_urls"][0]
    if isinstance(place, Fleet):
        # Of an upload that the bucket does not know it would take no part.
        client.get("PUT", target["parts"][1]["url"], b"0123456789")
    else:
        client.put(target, PICTURES["images/0.png"])


def test_everything_is_back_and_goes_on(place: Place) -> None:
    service, worker = place.serve(), place.work()
    admin = Client.signed_in(service.address, "admin", PASSWORD)
    profile = admin.make("/profiles", name="ours", body='name = "ours"\nextends = "default"\n')
    admin.make("/tasks", name="phase-1", profile_id=profile["profile_id"])
    teams = [admin.make("/teams", name=name)["team_id"] for name in ("Röntgen & Söhne", "radiant")]
    admin.make("/users", team_id=teams[0], username="ada", password="another passphrase", role="user")
    key, dead = (admin.make("/api-keys", name=name, scope="write", team_id=teams[0]) for name in ("one", "two"))
    admin.get("DELETE", f"/api/v1/api-keys/{dead['key_id']}?team_id={teams[0]}")
    invite = admin.make("/invites", team_id=teams[1], role="user")
    script = Client(service.address, {"x-api-key": key["key"]})
    ada = Client.signed_in(service.address, "ada", "another passphrase")

    # Data sets of each kind: whole, damaged, a later version that shares files, one that counts.
    whole, cut = script.send("whole \\ 'set' \u2028", PICTURES), ada.send("cut", CUT)
    assert [script.wait(it)["verdict"] for it in (whole, cut)] == ["pass", "fail"]
    mended = {path: PICTURES[path] for path in ("images/2.png",)}
    later = script.send("mended", mended, replaces=cut)
    assert script.wait(later)["verdict"] == "pass"
    script.make(f"/datasets/{later}/submit")
    finished = [whole, cut, later]

    # One whose worker dies over it, one that nobody has begun, one that is half sent.
    torn = script.send("torn", {f"{number}.png": picture(number, 400) for number in range(12)})
    script.wait(torn, "processing")
    worker.kill()
    waiting = ada.send("waiting", PICTURES)
    half, _ = half_sent(script, place)
    before, audit = seen(admin, finished), admin.all("/audit")

    with Uploading(script) as going:
        while len(going.sent) < 10:
            time.sleep(0.02)
        sure = list(going.sent)
        backup = place.backup()
        assert going.thread.is_alive(), "the upload ended before the backup did"
        assert len(going.sent) > len(sure)
    service.stop()
    place.destroy()
    place.script("restore", backup, "--check")
    place.script("restore", backup)

    service = place.serve()
    # Who was signed in still is, by the old token.
    admin, script = admin.at(service), script.at(service)
    after = seen(admin, finished)
    for what, said in before.items():
        assert after[what] == said, what
    assert [it for it in admin.all("/audit") if it["id"] <= audit[0]["id"]] == audit
    assert script.read("/auth/me")["team_id"] == teams[0]
    assert Client(service.address, {"x-api-key": dead["key"]}).status("GET", "/api/v1/auth/me")[0] == 401
    ada = Client.signed_in(service.address, "ada", "another passphrase")
    accepted = {"token": invite["token"], "username": "eve", "password": "a third passphrase"}
    assert admin.make("/invites/accept", **accepted)["team_id"] == teams[1]

    # What was acknowledged before the backup began is there; the rest can be sent, and the set gets its verdict.
    held = script.read(f"/upload/{going.dataset}")
    arrived = {path: data for path, data in script.contents(going.dataset).items() if data is not None}
    assert set(sure) <= arrived.keys()
    assert len(sure) <= held["received"] < len(going.files)
    assert all(going.files[path] == data for path, data in arrived.items())
    wanted = script.missing(going.dataset)
    for target in script.make(f"/upload/{going.dataset}/urls", file_ids=wanted)["upload_urls"]:
        script.put(target, going.files[target["filename"]])
    script.make("/upload/complete", dataset_id=going.dataset)
    goes_on_with_half(script, place, half)

    place.work()
    fresh = ada.send("after", CUT)
    assert ada.wait(fresh)["verdict"] == "fail"
    for dataset, files in ((waiting, 6), (torn, 12), (going.dataset, len(going.files))):
        status = admin.wait(dataset)
        assert (status["status"], status["validation_results"]["files_checked"]) == ("completed", files), status


# --- what can go wrong


@pytest.fixture
def kept_place(one_machine: Place) -> Iterator[Place]:
    """A service on one machine with a data set, stopped."""
    service = one_machine.serve()
    Client.signed_in(service.address, "admin", PASSWORD).send("set", PICTURES)
    service.stop()
    yield one_machine


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_a_backup_is_private_checked_and_shares_what_did_not_change(kept_place: Place) -> None:
    first = kept_place.backup()
    time.sleep(1.1)
    second = kept_place.backup("--keep", "2")
    for path in [first, *tree(first)]:
        assert path.stat().st_mode & 0o077 == 0, path
    objects = [it for it in tree(first / "objects") if it.is_file()]
    assert len(objects) == len(PICTURES)
    assert all((second / it.relative_to(first)).samefile(it) for it in objects)
    assert {it.name for it in (second / "secrets").iterdir()} == {"jwt.secret", "identity.key"} - (
        set() if (kept_place.folder / "data/identity.key").exists() else {"identity.key"}
    )
    kept.run(["sh", "-c", f"cd '{second}' && sha256sum --check --quiet SHA256SUMS"])
    time.sleep(1.1)
    third = kept_place.backup("--keep", "2", "--without-secrets")
    assert sorted(it.name for it in first.parent.iterdir()) == [second.name, third.name]
    assert not (third / "secrets").exists()
    kept_place.script("restore", third, "--check")


@pytest.mark.parametrize("damage", ["changed", "gone", "added", "sums", "unfinished", "catalogue"])
def test_a_damaged_backup_is_refused_before_anything_is_written(kept_place: Place, damage: str) -> None:
    backup = kept_place.backup()
    victim = next(it for it in tree(backup / "objects") if it.is_file())
    match damage:
        case "changed":
            data = bytearray(victim.read_bytes())
            data[100] ^= 1
            victim.write_bytes(data)
        case "gone":
            victim.unlink()
        case "added":
            victim.with_name("more").write_text("more")
        case "sums":
            (backup / "SHA256SUMS").write_text("")
        case "unfinished":
            (backup / "manifest.json").unlink()
        case "catalogue":
            (backup / "catalogue.db").write_bytes(b"")
    kept_place.destroy()
    kept_place.script("restore", backup, "--check", code=2)
    kept_place.script("restore", backup, code=2)
    assert not (kept_place.folder / "data").exists()


def test_what_is_there_is_not_overwritten_unless_told_to(kept_place: Place) -> None:
    backup, data = kept_place.backup(), kept_place.folder / "data"
    before = {it: it.read_bytes() for it in tree(data) if it.is_file()}
    assert "--force" in kept_place.script("restore", backup, code=2)
    assert {it: it.read_bytes() for it in tree(data) if it.is_file()} == before
    # Alone, a log would be played into the file that is restored.
    (data / "luna.db").rename(data / "luna.db-wal")
    shutil.rmtree(data / "objects")
    assert "--force" in kept_place.script("restore", backup, code=2)
    kept_place.script("restore", backup, "--force")
    assert not (data / "luna.db-wal").exists()
    service = kept_place.serve()
    admin = Client.signed_in(service.address, "admin", PASSWORD)
    assert admin.contents(1) == PICTURES


def test_a_running_service_is_not_restored_into(place: Place) -> None:
    service = place.serve()
    Client.signed_in(service.address, "admin", PASSWORD).send("set", PICTURES)
    backup = place.backup()
    assert "stop the service" in place.script("restore", backup, "--force", code=2)
    service.stop()
    place.script("restore", backup, "--force")
    place.serve()


def test_an_object_that_the_service_lost_is_told(kept_place: Place) -> None:
    objects = [it for it in tree(kept_place.folder / "data/objects") if it.is_file()]
    objects[0].unlink()
    objects[1].write_bytes(bytes(objects[1].stat().st_size))
    said = kept_place.script("backup", kept_place.folder / "backups", "--keep", "1", code=1)
    assert f"{objects[0].name} is gone" in said
    assert f"{objects[1].name} is not what was received" in said
    backup = Path(said.splitlines()[0])
    assert f"{objects[0].name} is not there" in kept_place.script("restore", backup, "--check", code=1)


def test_what_is_removed_while_a_backup_runs_is_no_loss(
    kept_place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    script = loaded("backup")
    data, backups = kept_place.folder / "data", kept_place.folder / "backups"
    dump = kept.Sqlite.dump

    def dump_and_remove(self: kept.Sqlite, folder: Path) -> None:
        dump(self, folder)
        with sqlite3.connect(data / "luna.db") as catalogue:
            catalogue.execute("PRAGMA foreign_keys = ON")
            catalogue.execute("DELETE FROM datasets")
        shutil.rmtree(data / "objects/uploads")

    monkeypatch.setattr(kept.Sqlite, "dump", dump_and_remove)
    monkeypatch.setattr("sys.argv", ["backup", "--data-dir", str(data), str(backups)])
    assert script.main() == 0
    said = capfd.readouterr()
    assert "data set 1 was removed while the backup ran" in said.err
    backup = Path(said.out.strip())
    assert len(json.loads((backup / "manifest.json").read_text())["removed_meanwhile"]) == len(PICTURES)
    kept_place.script("restore", backup, "--check")


def loaded(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def test_backups_do_not_lie_in_what_they_save(kept_place: Place) -> None:
    said = kept_place.script("backup", kept_place.folder / "data/backups", code=2)
    assert "would be lost with it" in said
