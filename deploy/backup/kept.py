"""What a LUNA service keeps, where that is, and how a backup of it looks.

A backup is a folder:

    manifest.json       what it is of, when it was made, and the SHA-256 of SHA256SUMS
    SHA256SUMS          every other file, as `sha256sum --check` reads it
    catalogue.db        the catalogue of a service on SQLite, or
    catalogue.pgdump    of one on PostgreSQL, in the custom format of pg_dump
    objects/            uploads and reports, by their keys
    secrets/            what the service made up for itself: jwt.secret, identity.key

Secrets of the environment are read, handed to programs by the environment, and never printed.
"""

import concurrent.futures
import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST, SUMS, OBJECTS, SECRETS = "manifest.json", "SHA256SUMS", "objects", "secrets"
# Made up by a service that was given none, and kept by nobody else.
OWN_SECRETS = ("jwt.secret", "identity.key")
# Files that are half sent; the service never lists them.
PARTS = ".luna-parts"
# Tables whose rows are counted, so that a person can see what a backup holds.
COUNTED = ("teams", "users", "api_keys", "datasets", "files", "artifacts")


class Refused(Exception):
    """Why the work is not done, in the operator's words."""


@dataclasses.dataclass(frozen=True)
class Row:
    """An object that the catalogue says is there."""

    owner: str
    key: str
    size: int
    sha256: str | None


@dataclasses.dataclass(frozen=True)
class Found:
    """An object that is there."""

    size: int
    # Microseconds since 1970, the finest that Python's times, rclone and file systems have in common.
    modified: int


def run(command: list[str], secrets: dict[str, str] | None = None, stdin: str | None = None) -> str:
    """What a program prints. Its environment holds what its command line, which all can see, must not."""
    try:
        done = subprocess.run(command, env=os.environ | (secrets or {}), input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    except FileNotFoundError:
        package = {"rclone": "rclone"}.get(command[0], "postgresql-client")
        raise Refused(f"{command[0]} is not installed (Debian: apt-get install {package})") from None
    if done.returncode != 0:
        said = done.stderr.strip()[-2000:] or "it says nothing"
        raise Refused(f"{command[0]} ended with {done.returncode}: {said}")
    return done.stdout


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_all(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Hashing leaves Python's lock, so threads are worth it."""
    names = list(names)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        return dict(zip(names, threads.map(lambda name: sha256(folder / name), names), strict=True))


# --- the catalogue


class Sqlite:
    """A catalogue in a file."""

    kind, copy = "sqlite", "catalogue.db"

    def __init__(self, place: Path) -> None:
        self.place = place

    def __str__(self) -> str:
        return str(self.place)

    def dump(self, folder: Path) -> None:
        """Writes a copy of one moment, while others write."""
        if not self.place.is_file():
            raise Refused(f"{self.place}: there is no catalogue; is LUNA_DATA_DIR right?")
        with _opened(self.place, "mode=ro") as source, _opened(folder / self.copy) as copy:
            source.backup(copy)
            # Nothing beside the file may be needed to read it.
            copy.execute("PRAGMA journal_mode=DELETE")

    def check(self, folder: Path) -> None:
        with _opened(folder / self.copy, "mode=ro&immutable=1") as copy:
            said = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
        if said != ["ok"]:
            raise Refused(f"{self.copy}: {'; '.join(said)}")

    def rows(self, folder: Path, table: str, columns: list[str]) -> Iterator[list[str | None]]:
        """Rows of a copy, as texts."""
        with _opened(folder / self.copy, "mode=ro&immutable=1") as copy:
            for row in copy.execute(f"SELECT {', '.join(columns)} FROM {table}"):
                yield [None if value is None else str(value) for value in row]

    def keys(self) -> set[str]:
        """What the catalogue itself names now."""
        with _opened(self.place, "mode=ro") as source:
            return {key for (key,) in source.execute(KEYS)}

    def _there(self) -> list[Path]:
        """The file, and what SQLite keeps beside it. A log that was left alone would be played into what comes."""
        every = [self.place.with_name(self.place.name + end) for end in ("", "-wal", "-shm", "-journal")]
        return [place for place in every if place.exists()]

    def is_empty(self) -> bool:
        return not self._there()

    def in_use(self) -> bool:
        """Whether another program has it open."""
        if not self.place.exists():
            return False
        try:
            with _opened(self.place, "mode=rw") as source:
                # In WAL mode this needs the file for oneself alone.
                mode = source.execute("PRAGMA journal_mode=DELETE").fetchone()
                return mode is None or mode[0] != "delete"
        except Refused:
            return True

    def load(self, folder: Path) -> None:
        """Puts a copy in place; what was there is moved aside."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        aside = f"{self.place.name}.replaced-{stamp()}"
        for place in self._there():
            place.rename(place.with_name(aside + place.name.removeprefix(self.place.name)))
            print_line(f"{place} was moved aside to {aside}")
        fresh = self.place.with_name(f"{self.place.name}.restoring")
        shutil.copyfile(folder / self.copy, fresh)
        with _opened(fresh, "mode=rw") as copy:
            copy.execute(HALF_SENT)
            copy.commit()
        _on_disk(fresh)
        fresh.rename(self.place)
        _on_disk(self.place.parent)


class Postgres:
    """A catalogue on a server."""

    kind, copy = "postgresql", "catalogue.pgdump"

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        options = dict(urllib.parse.parse_qsl(parts.query))
        self.secrets = {"PGAPPNAME": "luna-backup", "PGCONNECT_TIMEOUT": "10"}
        password = options.pop("password", None) or urllib.parse.unquote(parts.password or "")
        if password:
            self.secrets["PGPASSWORD"] = password
        # Those that LUNA's own driver knows and libpq does not.
        for name in ("statement-cache-capacity", "application_name"):
            options.pop(name, None)
        options = {name.replace("ssl-root-cert", "sslrootcert"): value for name, value in options.items()}
        user = f"{parts.username}@" if parts.username else ""
        host = parts.netloc.rpartition("@")[2]
        query = urllib.parse.urlencode(options)
        self.url = urllib.parse.urlunsplit(("postgresql", user + host, parts.path, query, ""))

    def __str__(self) -> str:
        return self.url

    def _psql(self, sql: str) -> list[str]:
        command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                   "--set", "ON_ERROR_STOP=1", "--dbname", self.url]
        return run(command, self.secrets, sql).splitlines()

    def dump(self, folder: Path) -> None:
        """Writes a copy of one moment, while others write."""
        if self.is_empty():
            raise Refused(f"{self}: there is no catalogue in this database; is LUNA_DATABASE_URL right?")
        run(["pg_dump", "--format=custom", "--no-password", "--file", str(folder / self.copy),
             "--dbname", self.url], self.secrets)

    def check(self, folder: Path) -> None:
        # Reads and unpacks all of it.
        run(["pg_restore", "--file", os.devnull, str(folder / self.copy)])

    def rows(self, folder: Path, table: str, columns: list[str]) -> Iterator[list[str | None]]:
        """Rows of a copy, as texts, without a server."""
        script = run(["pg_restore", "--data-only", "--schema=public", "--table", table, "--file", "-",
                      str(folder / self.copy)])
        order: list[int] | None = None
        # Not splitlines(), which takes letters of other scripts for ends of lines.
        for line in script.split("\n"):
            if order is None and line.startswith("COPY "):
                names = [name.strip(' "') for name in line[line.index("(") + 1 : line.rindex(")")].split(",")]
                order = [names.index(column) for column in columns]
            elif line == "\\.":
                return
            elif order is not None:
                cells = line.split("\t")
                yield [_cell(cells[place]) for place in order]
        if order is None:
            raise Refused(f"{self.copy}: it has no table {table}")

    def keys(self) -> set[str]:
        """What the catalogue itself names now."""
        return set(self._psql(KEYS))

    def is_empty(self) -> bool:
        sql = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        return self._psql(sql) == ["0"]

    def in_use(self) -> bool:
        sql = ("SELECT count(*) FROM pg_stat_activity "
               "WHERE datname = current_database() AND application_name = 'luna'")
        return self._psql(sql) != ["0"]

    def load(self, folder: Path) -> None:
        """Puts a copy in place of what was there, all of it or nothing."""
        run(["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
             "--clean", "--if-exists", "--no-password", "--dbname", self.url, str(folder / self.copy)],
            self.secrets)
        self._psql(f"{HALF_SENT}; ANALYZE;")


KEYS = """SELECT object_key FROM files WHERE received_at IS NOT NULL
          UNION SELECT object_key FROM artifacts"""
# What was half sent is in no backup, so its sender begins it anew.
HALF_SENT = "UPDATE files SET received_bytes = 0, multipart_id = NULL WHERE received_at IS NULL"


@contextlib.contextmanager
def _opened(place: Path, options: str = "mode=rwc") -> Iterator[sqlite3.Connection]:
    address = f"file:{urllib.parse.quote(str(place.absolute()))}?{options}"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise Refused(f"{place}: {error}") from None


def _cell(text: str) -> str | None:
    """A value as COPY writes it."""
    return None if text == "\\N" else _unescaped(text)


def _unescaped(text: str) -> str:
    meant = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
    return re.sub(r"\\(.)", lambda it: meant.get(it[1], it[1]), text)


def catalogue_of(kind: str) -> type[Sqlite] | type[Postgres]:
    for known in (Sqlite, Postgres):
        if known.kind == kind:
            return known
    raise Refused(f"there is no catalogue of kind {kind}")


def objects_named(catalogue: Sqlite | Postgres, folder: Path) -> Iterator[Row]:
    """What the catalogue in a backup says is in the storage."""
    columns = ["dataset_id", "object_key", "size_bytes", "sha256", "received_at"]
    for dataset, key, size, sha, received in catalogue.rows(folder, "files", columns):
        if received is not None:
            yield Row(f"data set {dataset}", str(key), int(size or 0), sha)
    for job, key, size, sha in catalogue.rows(folder, "artifacts", ["job_id", "object_key", "size_bytes", "sha256"]):
        yield Row(f"report of job {job}", str(key), int(size or 0), sha)


# --- the objects


class Folder:
    """Objects in a folder."""

    kind = "folder"

    def __init__(self, place: Path) -> None:
        self.place = place

    def __str__(self) -> str:
        return str(self.place)

    def listed(self) -> dict[str, Found]:
        found: dict[str, Found] = {}
        # A bucket without objects and a folder that is not there are the same.
        for folder, names, files in os.walk(self.place):
            if Path(folder) == self.place and PARTS in names:
                names.remove(PARTS)
            for name in files:
                path = Path(folder, name)
                # Removed while we look: it is not there.
                with contextlib.suppress(FileNotFoundError):
                    found[path.relative_to(self.place).as_posix()] = found_file(path)
        return found

    def fetch(self, keys: list[str], into: Path) -> None:
        """Copies objects; one that is gone meanwhile is left out."""
        for key in keys:
            target = into / key
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(self.place / key, target)
                about = (self.place / key).stat()
                os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))
            except FileNotFoundError:
                target.unlink(missing_ok=True)

    def put(self, source: Path) -> None:
        """Brings everything there; what else is there stays."""
        for key in Folder(source).listed():
            target = self.place / key
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f".{target.name}.restoring")
            shutil.copy2(source / key, fresh)
            fresh.rename(target)
        os.sync()


class Bucket:
    """Objects in an S3 bucket, reached by rclone."""

    kind = "s3"

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        options = dict(urllib.parse.parse_qsl(parts.query))
        self.place = f"{parts.netloc}{urllib.parse.unquote(parts.path)}".rstrip("/")
        endpoint = options.get("endpoint")
        region = options.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        settings = {
            "TYPE": "s3",
            "PROVIDER": "Other" if endpoint else "AWS",
            "ENDPOINT": endpoint or "",
            "REGION": region or "us-east-1",
            "FORCE_PATH_STYLE": "false" if options.get("virtual_host") == "true" else "true",
            "PROFILE": options.get("profile", ""),
            "ACCESS_KEY_ID": options.get("access_key_id", ""),
            "SECRET_ACCESS_KEY": options.get("secret_access_key", ""),
            "SESSION_TOKEN": options.get("session_token", ""),
            "ENV_AUTH": "false" if "access_key_id" in options or options.get("anonymous") == "true" else "true",
            # The key need not be allowed to make buckets.
            "NO_CHECK_BUCKET": "true",
        }
        self.secrets = {f"RCLONE_CONFIG_LUNA_{name}": value for name, value in settings.items() if value}
        if bundle := os.environ.get("AWS_CA_BUNDLE"):
            # rclone 1.60 stops at this variable, and has its own for the same.
            self.secrets |= {"AWS_CA_BUNDLE": "", "RCLONE_CA_CERT": bundle}

    def __str__(self) -> str:
        return f"s3://{self.place}"

    def _rclone(self, *arguments: str) -> str:
        usual = ["--config", os.devnull, "--use-server-modtime", "--fast-list", "--retries", "3", "--low-level-retries", "5",
                 "--contimeout", "10s", "--log-level", "ERROR", "--transfers", "8", "--checkers", "16"]
        return run(["rclone", *arguments, *usual], self.secrets)

    def listed(self) -> dict[str, Found]:
        found = json.loads(self._rclone("lsjson", "--recursive", "--files-only", "--no-mimetype",
                                         f"luna:{self.place}"))
        return {it["Path"]: Found(it["Size"], _microseconds(it["ModTime"])) for it in found}

    def fetch(self, keys: list[str], into: Path) -> None:
        """Copies objects; one that is gone meanwhile is left out."""
        if keys:
            wanted = into.parent / "wanted"
            wanted.write_text("".join(f"{key}\n" for key in keys))
            self._rclone("copy", "--files-from-raw", str(wanted), f"luna:{self.place}", str(into))
            wanted.unlink()

    def put(self, source: Path) -> None:
        """Brings everything there; what else is there stays."""
        self._rclone("copy", "--ignore-times", str(source), f"luna:{self.place}")


def found_file(path: Path) -> Found:
    about = path.stat()
    return Found(about.st_size, about.st_mtime_ns // 1000)


def _microseconds(text: str) -> int:
    at = datetime.datetime.fromisoformat(text)
    return (at - datetime.datetime.fromtimestamp(0, datetime.UTC)) // datetime.timedelta(microseconds=1)


# --- where a service keeps them


@dataclasses.dataclass(frozen=True)
class Service:
    """The places of a service, as `luna admin` would find them."""

    data_dir: Path
    catalogue: Sqlite | Postgres
    objects: Folder | Bucket


def service(data_dir: str | None) -> Service:
    """Read from LUNA_DATA_DIR, LUNA_DATABASE_URL and LUNA_STORAGE_URL."""
    folder = Path(data_dir or os.environ.get("LUNA_DATA_DIR") or "luna-data")
    return Service(folder, _catalogue(folder), _objects(folder))


def _catalogue(folder: Path) -> Sqlite | Postgres:
    url = os.environ.get("LUNA_DATABASE_URL") or ""
    scheme, _, rest = url.partition(":")
    if scheme in ("postgres", "postgresql"):
        return Postgres(url)
    if scheme == "sqlite":
        return Sqlite(Path(urllib.parse.unquote(rest.removeprefix("//").partition("?")[0])))
    if url:
        raise Refused("LUNA_DATABASE_URL begins with neither sqlite:// nor postgres://")
    return Sqlite(folder / "luna.db")


def _objects(folder: Path) -> Folder | Bucket:
    url = os.environ.get("LUNA_STORAGE_URL") or ""
    scheme, divider, _ = url.partition("://")
    if not divider:
        return Folder(Path(url) if url else folder / "objects")
    if scheme in ("file", "fs"):
        return Folder(Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path)))
    if scheme == "s3":
        return Bucket(url)
    raise Refused(f"LUNA_STORAGE_URL: {scheme}:// is not backed up by this; use its provider's versions and copies")


# --- a backup


def names_in(folder: Path) -> list[str]:
    """All files of a backup but the two that describe them."""
    every = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in every if name not in (MANIFEST, SUMS))


def write_sums(folder: Path, sums: dict[str, str]) -> None:
    """As `sha256sum` writes them, which escapes what would break a line."""
    lines = []
    for name, digest in sorted(sums.items()):
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
        lines.append(f"{chr(92) if escaped != name else ''}{digest}  {escaped}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", errors="surrogateescape")


def read_sums(folder: Path) -> dict[str, str]:
    """SHA-256 by name."""
    text, sums = (folder / SUMS).read_text(encoding="utf-8", errors="surrogateescape"), {}
    for line in text.removesuffix("\n").split("\n") if text else []:
        digest, name = line.split("  ", 1)
        if digest.startswith("\\"):
            digest, name = digest[1:], _unescaped(name)
        sums[name] = digest
    return sums


def read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise Refused(f"{folder}: this is no finished backup, it has no {MANIFEST}") from None
    except ValueError as error:
        raise Refused(f"{folder}: {MANIFEST} is damaged: {error}") from None
    if manifest.get("format") != FORMAT:
        raise Refused(f"{folder}: its format is {manifest.get('format')}, and this program knows {FORMAT}")
    return manifest


def stamp() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def print_line(text: str) -> None:
    """For people; what programs read goes to stdout by itself."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())


def _on_disk(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
