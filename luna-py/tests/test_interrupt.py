"""The GIL is free while Rust works, and Ctrl-C stops it."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import luna_py as luna

# A shell's background job ignores Ctrl-C, and so would its children.
SCRIPT = """
import pathlib
import signal
import sys
import threading
import luna_py as luna
signal.signal(signal.SIGINT, signal.default_int_handler)
files = sorted(pathlib.Path(sys.argv[1]).iterdir())
try:
    print("begin", flush=True)
    while True:
        {work}
except KeyboardInterrupt:
    print("interrupted", luna.validate(files[:2]).verdict, flush=True)
print(threading.active_count())
"""


@pytest.mark.parametrize(
    "work",
    [
        "luna.validate(sys.argv[1], threads=1)",
        "luna.validate((it.name, it) for it in files)",
        "list(luna.Validator(threads=2).examine_many(files))",
    ],
)
def test_ctrl_c_raises_keyboard_interrupt_and_the_next_call_works(
    large_set: Path, work: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(work=work), str(large_set)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted pass\n1\n"
    assert process.returncode == 0


def test_eight_threads_validate_at_once(broken_set: Path) -> None:
    whole = luna.validate(broken_set).to_json()
    validator = luna.Validator(threads=2)
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda _: validator.validate(broken_set).to_json(), range(16)))
    assert set(reports) == {whole}


def said_by(script: str, folder: Path) -> str:
    """What a script prints in a process of its own."""
    arguments = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    return done.stdout


FORK = """
import os
import sys
import luna_py as luna
validator = luna.Validator(threads=2)
before = validator.validate(sys.argv[1]).to_json()
child = os.fork()
if child == 0:
    same = validator.validate(sys.argv[1]).to_json() == before
    many = len(list(validator.examine_many([b"", b""]))) == 2
    plain = not luna.examine(b"%PDF-1.7").ok
    shown = "luna-report" in luna.validate(sys.argv[1])._repr_html_()
    os._exit(0 if same and many and plain and shown else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_validates_too(broken_set: Path) -> None:
    assert said_by(FORK, broken_set) == "0\n"


# In a process of its own: what other tests left of theirs is not counted.
THREADS = """
import pathlib
import sys
import time
import luna_py as luna

def threads():
    names = []
    for task in pathlib.Path("/proc/self/task").iterdir():
        try:
            names.append((task / "comm").read_text())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return [name for name in names if name.startswith("luna")]

luna.validate(sys.argv[1], threads=4)
records = luna.Validator(threads=4).examine_many([b"", b"", b""])
next(records)
assert threads()
del records
for _ in range(200):
    if not threads():
        break
    time.sleep(0.01)
print(threads())
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_no_thread_is_left_behind(broken_set: Path) -> None:
    assert said_by(THREADS, broken_set) == "[]\n"


def test_progress_is_told(broken_set: Path) -> None:
    told: list[tuple[int, int]] = []
    luna.validate(broken_set, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)
    luna.validate(iter([b"", b"1"]), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 0)
    with pytest.raises(RuntimeError, match="enough"):
        luna.validate(broken_set, progress=enough)
    with pytest.raises(TypeError, match="^progress: True, False, or a function"):
        luna.validate(broken_set, progress=7)  # type: ignore[arg-type]


def enough(done: int, total: int) -> None:
    raise RuntimeError("enough")


def test_other_python_threads_go_on(large_set: Path) -> None:
    steps = 0
    done = threading.Event()

    def validate() -> None:
        luna.validate(large_set, threads=1)
        done.set()

    thread = threading.Thread(target=validate)
    thread.start()
    # Were the GIL held, this would not be reached before the end.
    while not done.wait(0.001):
        steps += 1
    thread.join()
    assert steps > 1
