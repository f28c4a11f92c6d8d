"""Peak memory of `luna validate` on 2,000 and 20,000 generated images: python3 benches/memory.py FOLDER

The folder keeps the images for the next time.
"""

import os
import pathlib
import subprocess
import sys

COUNTS = (2_000, 20_000)
BUDGET_MIB = 512
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release"


def peak_mib(command):
    """Peak resident memory of this very process."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        sys.exit(f"{command[0]} ended with {running.returncode}")
    return used.ru_maxrss / 1024


def main():
    folder = pathlib.Path(sys.argv[1])
    build = ["cargo", "build", "--quiet", "--release"]
    subprocess.run([*build, "--package", "luna-worker"], check=True)
    peaks = []
    for count in COUNTS:
        place = folder / str(count)
        if not place.exists():
            subprocess.run([*build, "--package", "luna-benches", "--example", "many"], check=True)
            subprocess.run([TARGET / "examples/many", place, str(count)], check=True)
        run = [TARGET / "luna", "validate", place, "--progress", "never", "--fail-on", "never"]
        run += ["--memory", f"{BUDGET_MIB}MiB", "-o", folder / f"{count}.json"]
        peaks.append(peak_mib(run))
        allowed = 64 + BUDGET_MIB + count * 2 / 1024
        print(f"{count:>6} images: peak {peaks[-1]:.0f} MiB, allowed {allowed:.0f} MiB")
    grown = (peaks[1] - peaks[0]) * 1024 / (COUNTS[1] - COUNTS[0])
    print(f"growth {grown:.2f} KiB an image, allowed 2")


if __name__ == "__main__":
    main()
