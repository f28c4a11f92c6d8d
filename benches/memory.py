"""Peak memory of `luna validate` on 2,000 and 20,000 generated images: python3 benches/memory.py FOLDER

The folder keeps the images for the next time.
"""

import pathlib
import resource
import subprocess
import sys

COUNTS = (2_000, 20_000)
BUDGET_MIB = 512
CARGO = ["cargo", "run", "--quiet", "--release"]


def main():
    folder = pathlib.Path(sys.argv[1])
    subprocess.run(["cargo", "build", "--quiet", "--release", "--package", "luna-worker"], check=True)
    peaks = []
    for count in COUNTS:
        place = folder / str(count)
        if not place.exists():
            made = [*CARGO, "--package", "luna-benches", "--example", "many", "--", place, str(count)]
            subprocess.run(made, check=True)
        # The peak of the children so far: cargo's own is far below what is measured here.
        run = [*CARGO, "--package", "luna-worker", "--", "validate", place, "--progress", "never"]
        run += ["--memory", f"{BUDGET_MIB}MiB", "--fail-on", "never", "-o", folder / f"{count}.json"]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        peaks.append(peak)
        allowed = 64 + BUDGET_MIB + count * 2 / 1024
        print(f"{count:>6} images: peak {peak:.0f} MiB, allowed {allowed:.0f} MiB")
    grown = (peaks[1] - peaks[0]) * 1024 / (COUNTS[1] - COUNTS[0])
    print(f"growth {grown:.2f} KiB an image, allowed 2")


if __name__ == "__main__":
    main()
