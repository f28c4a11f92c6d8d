"""The service and its worker as an operator starts them, and somebody who calls the API."""

import hashlib
import http.client
import json
import os
import random
import signal
import struct
import subprocess
import time
import urllib.parse
import zlib
from pathlib import Path
from typing import Any

PATIENCE = 60


def picture(seed: int, side: int) -> bytes:
    """A grey PNG with some structure and some noise."""
    noise = random.Random(seed)
    rows = b"".join(
        b"\0" + bytes((x * 2 + y + seed * 7 + noise.randrange(24)) % 200 + 20 for x in range(side))
        for y in range(side)
    )

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Program:
    """`luna-http serve` or `luna worker`, with what it logs in a file."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        known = {key: value for key, value in os.environ.items() if not key.startswith("LUNA_")}
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, "--bind", "127.0.0.1:0"], env=known | environment, stdout=subprocess.DEVNULL, stderr=out
            )
        self.log = log
        self.address = self._address()

    def _address(self) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.log.read_text().splitlines():
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("message") == "listening":
                    return event["address"]
            time.sleep(0.02)
        raise RuntimeError(f"it does not listen: {self.log.read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, self.log.read_text()[-2000:]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


class Client:
    """Somebody who calls the API, by a token or a key."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.address, self.headers = address, headers

    @classmethod
    def signed_in(cls, address: str, username: str, password: str) -> "Client":
        form = urllib.parse.urlencode({"username": username, "password": password})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = json.loads(cls(address, kind).get("POST", "/api/v1/auth/login", form.encode()))
        return cls(address, {"Authorization": f"Bearer {answer['access_token']}"})

    def at(self, program: Program) -> "Client":
        """The same person, at another address."""
        return Client(program.address, self.headers)

    def status(self, method: str, url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        parts = urllib.parse.urlsplit(url)
        line = http.client.HTTPConnection(parts.netloc or self.address, timeout=PATIENCE)
        try:
            # Nobody signs a request that is signed already.
            own = {} if parts.netloc else self.headers
            line.request(method, url if not parts.netloc else f"{parts.path}?{parts.query}", body, own | headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def get(self, method: str, url: str, body: bytes | None = None, **headers: str) -> bytes:
        status, text = self.status(method, url, body, **headers)
        assert 200 <= status < 300, f"{method} {url}: {status} {text[:500]!r}"
        return text

    def read(self, path: str) -> Any:
        return json.loads(self.get("GET", f"/api/v1{path}"))

    def all(self, path: str) -> list[dict[str, Any]]:
        """Every page of a list."""
        items, cursor = [], ""
        while True:
            query = urllib.parse.urlencode({"limit": 100} | ({"cursor": cursor} if cursor else {}))
            page = self.read(f"{path}{'&' if '?' in path else '?'}{query}")
            items += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return items

    def make(self, path: str, **body: object) -> Any:
        return json.loads(self.get("POST", f"/api/v1{path}", json.dumps(body).encode()) or b"null")

    # --- data sets

    def start(self, name: str, files: dict[str, bytes], **more: object) -> dict[str, Any]:
        announced = [
            {"filename": path, "content_type": "image/png", "size_bytes": len(data),
             "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in files.items()
        ]
        return self.make("/upload/start", dataset_name=name, files=announced, **more)

    def put(self, target: dict[str, Any], data: bytes) -> None:
        self.get("PUT", target["upload_url"], data, **target["headers"])

    def send(self, name: str, files: dict[str, bytes], **more: object) -> int:
        """Uploads a data set and completes it."""
        started = self.start(name, files, **more)
        for target in started["upload_urls"]:
            self.put(target, files[target["filename"]])
        self.make("/upload/complete", dataset_id=started["dataset_id"])
        return started["dataset_id"]

    def wait(self, dataset: int, *states: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            status = self.read(f"/validation/{dataset}/status")
            if status["status"] in (states or ("completed", "failed", "cancelled")):
                return status
            time.sleep(0.02)
        raise AssertionError(f"data set {dataset} does not get there: {status}")

    def missing(self, dataset: int) -> list[int]:
        """Files of an upload that did not arrive."""
        first = self.read(f"/upload/{dataset}?limit=100")["files"]
        files, cursor = first["items"], first.get("next_cursor")
        while cursor:
            query = urllib.parse.urlencode({"limit": 100, "cursor": cursor})
            page = self.read(f"/upload/{dataset}?{query}")["files"]
            files, cursor = files + page["items"], page.get("next_cursor")
        return [file["file_id"] for file in files]

    def contents(self, dataset: int) -> dict[str, bytes | None]:
        """Every file of a data set as the service gives it back; None of one that did not arrive."""
        path = f"/validation/{dataset}/files"
        return {
            file["path"]: self.get("GET", f"/api/v1{path}/{file['file_id']}/content")
            if file.get("received_at")
            else None
            for file in self.all(path)
        }
