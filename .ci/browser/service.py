"""The service, started as its users start it, for tests in a browser."""

import json
import os
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path


class Service:
    """`luna-http serve` on a free port, with a data folder of its own."""

    def __init__(self, binary: Path, folder: Path, **settings: str) -> None:
        known = {key: value for key, value in os.environ.items() if not key.startswith("LUNA_")}
        with (folder / "out").open("w") as out, (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--bind", "127.0.0.1:0"],
                env=known | {"LUNA_DATA_DIR": str(folder / "data")} | settings,
                stdout=out,
                stderr=log,
            )
        self.url = f"http://{self._address(folder / 'log')}"
        # Of the first who signs in; a minute has five tries.
        self.session: dict[str, str] | None = None
        said = (folder / "out").read_text().splitlines()[0]
        self.password = said.removeprefix("admin password: ")

    def _address(self, log: Path) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            for line in log.read_text().splitlines():
                event = json.loads(line)
                if event["message"] == "listening":
                    return event["address"]
            time.sleep(0.05)
        raise RuntimeError(f"it does not listen: {log.read_text()}")

    def call(self, path: str, body: dict[str, object]) -> dict[str, object]:
        """Posts to the API as its administrator."""
        form = urllib.parse.urlencode({"username": "admin", "password": self.password}).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/auth/login", form) as answer:
            token = json.load(answer)["access_token"]
        head = {"Authorization": f"Bearer {token}"}
        asked = urllib.request.Request(f"{self.url}/api/v1{path}", json.dumps(body).encode(), head)
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
