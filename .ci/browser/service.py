"""The service, started as its users start it, for tests in a browser."""

import json
import os
import subprocess
import time
from pathlib import Path


class Service:
    """`luna-http serve` on a free port, with a data folder of its own."""

    def __init__(self, binary: Path, folder: Path) -> None:
        known = {key: value for key, value in os.environ.items() if not key.startswith("LUNA_")}
        with (folder / "out").open("w") as out, (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--bind", "127.0.0.1:0"],
                env=known | {"LUNA_DATA_DIR": str(folder / "data")},
                stdout=out,
                stderr=log,
            )
        self.url = f"http://{self._address(folder / 'log')}"
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

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
