"""Teams that upload at once: .ci/servers python3 benches/teams.py [--teams 24] [--files 100] [--seconds 0]

Starts the service and two workers on the PostgreSQL and the S3 server of `.ci/servers`. Each team uploads a data
set (every second one holds a file that was cut), completes it and asks for the verdict once a second; with
`--seconds` it begins again until they are over. Prints how long calls took, what was refused, whether every
verdict is right, and what the processes held. `--large 1` sends one file of so many GiB to a folder instead, beside
what `cp`, `sha256sum` and `sync` take of it. `--neighbour` asks as one team, alone and then beside a team that asks
as fast as it can. Programs are those of `target/debug`, or of LUNA_BENCH_PROGRAMS.
"""

import argparse
import collections
import hashlib
import http.client
import json
import multiprocessing
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "debug"
PROGRAMS = pathlib.Path(os.environ.get("LUNA_BENCH_PROGRAMS", TARGET))
PICTURES = 20


def pictures(folder):
    """Different radiographs, and how many bytes they have."""
    recipe = folder / "recipe.toml"
    with recipe.open("w") as out:
        for number in range(PICTURES):
            print(
                f'[[file]]\npath = "{number}.png"\npicture = "chest"\nseed = {number}\n'
                'width = 512\nheight = 576\nformat = "png"\nbits = 8\n',
                file=out,
            )
    subprocess.run([PROGRAMS / "luna-fixtures", recipe, folder / "set"], check=True, stdout=subprocess.DEVNULL)
    return [(folder / "set" / f"{number}.png").read_bytes() for number in range(PICTURES)]


class Figures:
    """What all teams saw."""

    def __init__(self):
        self.lock = threading.Lock()
        self.took = collections.defaultdict(list)
        self.refused = collections.Counter()
        self.wrong = []
        self.verdicts = 0
        self.images = 0

    def call(self, what, seconds, status, retry_after):
        with self.lock:
            self.took[what].append(seconds)
            if status >= 400:
                self.refused[status] += 1
                if status not in (429, 503) or retry_after is None:
                    self.wrong.append(f"{what}: {status}, Retry-After {retry_after}")

    def complain(self, text):
        with self.lock:
            self.wrong.append(text)


class Client:
    """Keeps a connection to each server; waits as long as it is told to."""

    def __init__(self, figures, headers):
        self.figures, self.headers, self.lines = figures, headers, {}

    def send(self, what, method, url, body=None, headers=None, patience=300):
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        end = time.monotonic() + patience
        while True:
            line = self.lines.get(parts.netloc) or http.client.HTTPConnection(parts.netloc, timeout=60)
            self.lines[parts.netloc] = line
            began = time.monotonic()
            try:
                line.request(method, target, body, self.headers if headers is None else headers)
                answer = line.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                line.close()
                self.figures.complain(f"{what}: {error!r}")
                if time.monotonic() > end:
                    return 0, b""
                time.sleep(1)
                continue
            retry_after = answer.headers.get("Retry-After")
            self.figures.call(what, time.monotonic() - began, answer.status, retry_after)
            if answer.status not in (429, 503) or time.monotonic() > end:
                return answer.status, text
            time.sleep(float(retry_after or 1))

    def json(self, what, method, url, value=None):
        body = None if value is None else json.dumps(value)
        status, text = self.send(what, method, url, body)
        if not 200 <= status < 300:
            self.figures.complain(f"{what}: {status} {text[:200]!r}")
            return None
        return json.loads(text) if text else {}


def announced(number, data):
    digest = hashlib.sha256(data).hexdigest()
    kind = "image/png"
    return {"filename": f"{number:04}.png", "content_type": kind, "size_bytes": len(data), "sha256": digest}


def one_set(client, api, files, is_sound, figures):
    """Uploads a data set and waits for its verdict."""
    start = {"dataset_name": "load", "description": "", "files": [announced(*it) for it in enumerate(files)]}
    started = client.json("start", "POST", f"{api}/upload/start", start)
    if started is None:
        return
    for target, data in zip(started["upload_urls"], files):
        status, text = client.send("put", "PUT", target["upload_url"], data, target["headers"])
        if status != 200:
            figures.complain(f"put: {status} {text[:200]!r}")
    dataset = started["dataset_id"]
    client.json("complete", "POST", f"{api}/upload/complete", {"dataset_id": dataset})
    end = time.monotonic() + 1_800
    while time.monotonic() < end:
        status = client.json("status", "GET", f"{api}/validation/{dataset}/status")
        if status is None or status["status"] not in ("pending", "processing"):
            break
        time.sleep(1)
    else:
        figures.complain(f"data set {dataset} never ended")
        return
    results = (status or {}).get("validation_results") or {}
    found = (results.get("valid"), results.get("files_checked"), results.get("files_failed"))
    if found != (is_sound, len(files), 0 if is_sound else 1):
        figures.complain(f"data set {dataset}: {found}, {status}")
        return
    with figures.lock:
        figures.verdicts += 1
        figures.images += len(files)


def held(processes):
    """Resident memory of each, in MiB."""
    def of(process):
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024
    return [of(process) for process in processes]


def listening(log, process):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        for line in log.read_text().splitlines():
            said = json.loads(line)
            if said["message"] == "listening":
                return said["address"]
        time.sleep(0.05)
    sys.exit(log.read_text())


class Service:
    """The service, and so many workers beside it."""

    def __init__(self, folder, environment, workers):
        self.password = secrets.token_hex(12)
        (folder / "password").write_text(self.password)
        environment = os.environ | environment | {
            "LUNA_DATA_DIR": str(folder / "data"),
            "LUNA_JWT_SECRET": secrets.token_hex(32),
            "LUNA_IDENTITY_KEY": secrets.token_hex(32),
            "LUNA_ADMIN_PASSWORD_FILE": str(folder / "password"),
        }
        log = folder / "http.log"
        command = [PROGRAMS / "luna-http", "serve", "--bind", "127.0.0.1:0"]
        command += ["--worker", "external"] if workers else []
        self.all = [subprocess.Popen(command, env=environment, stderr=log.open("w"))]
        for number in range(workers):
            command = [PROGRAMS / "luna", "worker", "--jobs", "1", "--bind", "127.0.0.1:0"]
            out = (folder / f"worker-{number}.log").open("w")
            self.all.append(subprocess.Popen(["nice", "-n", "5", *command], env=environment, stderr=out))
        self.url = f"http://{listening(log, self.all[0])}"
        self.api = f"{self.url}/api/v1"

    def admin(self, figures):
        form = urllib.parse.urlencode({"username": "admin", "password": self.password})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        _, text = Client(figures, {}).send("login", "POST", f"{self.api}/auth/login", form, kind)
        return Client(figures, {"Authorization": f"Bearer {json.loads(text)['access_token']}"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.all:
            process.terminate()
        for process in self.all:
            process.wait(60)


def print_calls(figures):
    every = []
    for what, took in sorted(figures.took.items()):
        took.sort()
        if what != "put":
            every += took
        p95, p50 = took[int(len(took) * 0.95)], took[len(took) // 2]
        times = f"p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms, most {took[-1] * 1e3:.0f} ms"
        print(f"{what:>9}: {len(took):>6} calls, {times}")
    every.sort()
    print(f"      API: p95 {every[int(len(every) * 0.95)] * 1e3:.0f} ms of {len(every)} calls")
    print(f"  refused: {dict(figures.refused) or 'nothing'}")
    for text in collections.Counter(figures.wrong).most_common(10):
        print("    wrong:", *text)


def teams(arguments, folder):
    postgres, s3 = os.environ["LUNA_TEST_POSTGRES"], os.environ["LUNA_TEST_S3"]
    name = f"teams_{os.getpid()}"
    subprocess.run(["psql", postgres, "-qc", f"CREATE DATABASE {name}"], check=True)
    place, options = s3.split("?", 1)
    environment = {
        "LUNA_DATABASE_URL": f"{postgres.rsplit('/', 1)[0]}/{name}",
        "LUNA_STORAGE_URL": f"{place}/{name}?{options}",
    }
    pool = pictures(folder)
    with Service(folder, environment, 2) as service:
        return rush(arguments, service, pool)


def key_of_team(service, admin, number):
    team = admin.json("team", "POST", f"{service.api}/teams", {"name": f"team {number}"})
    key = {"name": "load", "scope": "write", "team_id": team["team_id"]}
    return admin.json("key", "POST", f"{service.api}/api-keys", key)["key"]


def rush(arguments, service, pool):
    """All teams at once, on a service that runs."""
    figures = Figures()
    admin = service.admin(Figures())
    keys = [key_of_team(service, admin, number) for number in range(arguments.teams)]
    began = time.monotonic()

    def works(number):
        client = Client(figures, {"x-api-key": keys[number]})
        files = [pool[(number + at) % PICTURES] for at in range(arguments.files)]
        is_sound = number % 2 == 0
        if not is_sound:
            files[-1] = files[-1][: len(files[-1]) // 2]
        one_set(client, service.api, files, is_sound, figures)
        while time.monotonic() - began < arguments.seconds:
            one_set(client, service.api, files, is_sound, figures)

    running = [threading.Thread(target=works, args=[number]) for number in range(arguments.teams)]
    for thread in running:
        thread.start()
    memory = []
    while any(thread.is_alive() for thread in running):
        time.sleep(2)
        memory.append(held(service.all))
    took = time.monotonic() - began
    print(f"{arguments.teams} teams, {arguments.files} files each: {took:.0f} s, "
          f"{figures.images / took:.1f} images/s, {figures.verdicts} right verdicts")
    print_calls(figures)
    for what, of in zip(["service", "worker", "worker"], zip(*memory)):
        quarters = [max(of[len(of) * at // 4 : max(len(of) * (at + 1) // 4, 1)], default=0) for at in range(4)]
        print(f"{what:>9}: at most {quarters} MiB in each quarter of the time")
    return not figures.wrong


def large(arguments, folder):
    file = folder / "large.bin"
    size = int(arguments.large * 1024) << 20
    with file.open("wb") as out:
        for _ in range(size >> 20):
            out.write(os.urandom(1 << 20))
    # What is still to be written would be laid to the first one's account.
    os.sync()
    began = time.monotonic()
    subprocess.run(["cp", file, folder / "copy"], check=True)
    subprocess.run(["sha256sum", folder / "copy"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["sync", folder / "copy"], check=True)
    yardstick = time.monotonic() - began
    (folder / "copy").unlink()
    with Service(folder, {"LUNA_WORKER": "external"}, 0) as service:
        figures = Figures()
        admin = service.admin(figures)
        files = [{"filename": "large.bin", "content_type": "application/octet-stream", "size_bytes": size}]
        start = {"dataset_name": "large", "description": "", "files": files}
        target = admin.json("start", "POST", f"{service.api}/upload/start", start)["upload_urls"][0]
        command = ["curl", "-sS", "--fail", "-o", folder / "answer", "-T", file]
        for header in target["headers"].items():
            command += ["-H", ": ".join(header)]
        began = time.monotonic()
        subprocess.run([*command, target["upload_url"]], check=True)
        took = time.monotonic() - began
        print(f"{size >> 20} MiB: cp, sha256sum, sync {yardstick:.1f} s; PUT {took:.1f} s: {yardstick / took:.0%}")
        print(f"  service: {held(service.all)} MiB")
        return yardstick / took >= 0.6


def hammer(url, key, refused):
    """Asks without end, and passes over what it is told to wait."""
    parts = urllib.parse.urlsplit(url)
    line = http.client.HTTPConnection(parts.netloc)
    while True:
        line.request("GET", parts.path, headers={"x-api-key": key})
        answer = line.getresponse()
        answer.read()
        with refused.get_lock():
            refused.value += answer.status == 429


def p95_of_calls(client, url, seconds=20, a_second=50):
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        if client.send("list", "GET", url)[0] != 200:
            sys.exit(f"{url}: {client.figures.wrong}")
        took.append(time.monotonic() - began)
        time.sleep(max(1 / a_second - took[-1], 0))
    return sorted(took)[int(len(took) * 0.95)] * 1e3


def neighbour(_, folder):
    with Service(folder, {}, 0) as service:
        figures = Figures()
        admin = service.admin(figures)
        ours, theirs = (key_of_team(service, admin, number) for number in range(2))
        url = f"{service.api}/datasets"
        client = Client(figures, {"x-api-key": ours})
        p95_of_calls(client, url, seconds=2)
        alone = p95_of_calls(client, url)
        refused = multiprocessing.Value("q", 0)
        others = [multiprocessing.Process(target=hammer, args=[url, theirs, refused]) for _ in range(4)]
        for other in others:
            other.start()
        try:
            p95_of_calls(client, url, seconds=5)
            beside = p95_of_calls(client, url)
        finally:
            for other in others:
                other.kill()
        print(f"p95 alone {alone:.1f} ms, beside a team at its limit {beside:.1f} ms: {beside / alone:.2f} times; "
              f"{refused.value} of its calls were refused, {dict(figures.refused) or 'none'} of ours")
        return beside < 1.5 * alone and refused.value > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--teams", type=int, default=24)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--large", type=float)
    parser.add_argument("--neighbour", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = neighbour if arguments.neighbour else large if arguments.large else teams
        sys.exit(0 if run(arguments, pathlib.Path(folder)) else 1)


if __name__ == "__main__":
    main()
