"""Services of both kinds: SQLite and a folder, PostgreSQL and a bucket."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import Program

SCRIPTS = Path(__file__).parents[2] / "deploy/backup"
sys.path.insert(0, str(SCRIPTS))
# Tests leave nothing in the checkout.
sys.dont_write_bytecode = True

import kept  # noqa: E402 (found by the line above)

PASSWORD = "radiograph and lamp"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--programs", type=Path, required=True, help="folder of the binaries luna and luna-http")


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    return request.config.getoption("--programs").resolve()


class Place:
    """Where a service keeps its things, the programs that use them, and how all of it is lost."""

    def __init__(self, folder: Path, programs: Path, settings: dict[str, str]) -> None:
        self.folder, self.programs = folder, programs
        password = folder / "password"
        password.write_text(PASSWORD)
        self.environment = {
            "LUNA_DATA_DIR": str(folder / "data"),
            "LUNA_ADMIN_PASSWORD_FILE": str(password),
            "LUNA_WORKER": "external",
        } | settings
        self.running: list[Program] = []

    def _run(self, *command: str) -> Program:
        log = self.folder / f"log-{len(self.running)}"
        self.running.append(Program([str(self.programs / command[0]), *command[1:]], self.environment, log))
        return self.running[-1]

    def serve(self) -> Program:
        return self._run("luna-http", "serve")

    def work(self) -> Program:
        return self._run("luna", "worker", "--jobs", "1")

    def script(self, name: str, *arguments: str | Path, code: int = 0, **more: str) -> str:
        """What deploy/backup/NAME prints: stdout, then stderr."""
        known = {key: value for key, value in os.environ.items() if not key.startswith("LUNA_")}
        done = subprocess.run(
            [sys.executable, "-B", SCRIPTS / name, *arguments],
            env=known | self.environment | more, capture_output=True, text=True, check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        for secret in (os.environ.get("AWS_SECRET_ACCESS_KEY"), "n0t-shown", PASSWORD):
            assert not secret or secret not in said
        return said

    def backup(self, *arguments: str | Path, code: int = 0) -> Path:
        return Path(self.script("backup", self.folder / "backups", *arguments, code=code).splitlines()[0])

    def destroy(self) -> None:
        """All that the service kept is gone."""
        shutil.rmtree(self.folder / "data")

    def stop(self) -> None:
        for program in self.running:
            if program.process.poll() is None:
                program.kill()


class Fleet(Place):
    """PostgreSQL and a bucket."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.database = f"operate_{secrets.token_hex(6)}"
        self.server = os.environ["LUNA_TEST_POSTGRES"]
        self.psql(f"CREATE DATABASE {self.database}")
        bucket, options = os.environ["LUNA_TEST_S3"].split("?", 1)
        # The server asks for no password; here it shows whether one is ever printed.
        address = self.server.replace("luna@", "luna:n0t-shown@").rpartition("/")[0]
        settings = {
            "LUNA_DATABASE_URL": f"{address}/{self.database}",
            "LUNA_STORAGE_URL": f"{bucket}/{self.database}?{options}",
            "LUNA_JWT_SECRET": secrets.token_hex(32),
            "LUNA_IDENTITY_KEY": secrets.token_hex(32),
        }
        super().__init__(folder, programs, settings)
        self.bucket = kept.Bucket(settings["LUNA_STORAGE_URL"])

    def psql(self, sql: str) -> None:
        subprocess.run(["psql", self.server, "-qc", sql], check=True)

    def destroy(self) -> None:
        self.psql(f"DROP DATABASE {self.database}")
        self.psql(f"CREATE DATABASE {self.database}")
        assert self.bucket.listed()
        kept.run(["rclone", "purge", f"luna:{self.bucket.place}"], self.bucket.secrets)
        assert not self.bucket.listed()
        # Nothing that is needed lies there.
        shutil.rmtree(self.folder / "data", ignore_errors=True)


@pytest.fixture(params=["SQLite and a folder", "PostgreSQL and a bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, programs: Path) -> Iterator[Place]:
    made = Place(tmp_path, programs, {}) if "SQLite" in request.param else Fleet(tmp_path, programs)
    yield made
    made.stop()


@pytest.fixture
def one_machine(tmp_path: Path, programs: Path) -> Iterator[Place]:
    made = Place(tmp_path, programs, {})
    yield made
    made.stop()
