"""The GIL is free while Rust works, and Ctrl-C stops it."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import luna_py as luna

# A shell's background job ignores Ctrl-C, and so would its children.
SCRIPT = """
import signal
import sys
import luna_py as luna
signal.signal(signal.SIGINT, signal.default_int_handler)
print("begin", flush=True)
try:
    while True:
        luna.validate(sys.argv[1], threads=1)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_raises_keyboard_interrupt(large_set: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(large_set)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted\n"
    assert process.returncode == 0


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
