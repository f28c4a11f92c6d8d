"""LUNA beside what its speed is measured against, in one run on one core.

    make yardsticks FOLDER=scans ENDINGS=".png .jpg"

Yardsticks: bare decoding by libjpeg-turbo and libpng (through imagecodecs), SHA-256 alone, and for
DICOM the usual pipeline: pydicom's pixel_array with its compiled plugins, minimum, maximum, mean,
percentiles and SHA-256. Each file is timed alone, in CPU time, and the cheapest of three rounds
counts; files that a yardstick cannot decode are left out for all. `FOLDER=native` makes a file by
itself: an uncompressed 16-bit DX of 10 MB.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import imagecodecs
import numpy
import pydicom
import synthetic

ROUNDS = 3


def cheapest(work, data):
    """CPU seconds of the cheapest of a few rounds; None if it fails."""
    best = None
    for _ in range(ROUNDS):
        started = time.process_time()
        try:
            work(data)
        except Exception as reason:  # any refusal by any codec
            print(f"  left out: {type(reason).__name__}", file=sys.stderr)
            return None
        spent = time.process_time() - started
        best = spent if best is None else min(best, spent)
    return best


def bare_decoding(data):
    """Pixels as the C libraries give them."""
    if data[:2] == b"\xff\xd8":
        imagecodecs.jpeg8_decode(data)
    else:
        imagecodecs.png_decode(data)


def pydicom_pipeline(data):
    """What people write: pixels, a few statistics, a hash of the file."""
    pixels = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data), force=True).pixel_array
    pixels.min(), pixels.max(), pixels.mean(), pixels.std()
    numpy.percentile(pixels, [1, 50, 99])
    hashlib.sha256(data).hexdigest()


def sha256(data):
    """The hash alone."""
    hashlib.sha256(data).hexdigest()


def main():
    if len(sys.argv) < 2:
        sys.exit("name a folder of files, or native: make yardsticks FOLDER=scans ENDINGS=.png")
    if sys.argv[1] == "native":
        with tempfile.TemporaryDirectory() as made:
            synthetic.make_native(pathlib.Path(made), 1)
            beside(pathlib.Path(made), (".dcm",))
    else:
        beside(pathlib.Path(sys.argv[1]), tuple(sys.argv[2:]))


def beside(folder, endings):
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith(endings or ""))
    is_dicom = any(path.suffix == ".dcm" for path in paths)
    yardstick = pydicom_pipeline if is_dicom else bare_decoding
    kept, spent, hashed = [], 0.0, 0.0
    for path in paths:
        data = path.read_bytes()
        cost = cheapest(yardstick, data)
        if cost is not None:
            kept.append(path)
            spent += cost
            hashed += cheapest(sha256, data)
    if not kept:
        sys.exit(f"{folder}: of {len(paths)} files with these endings, a yardstick can decode none")
    print(f"{len(kept)} of {len(paths)} files")
    print(f"{yardstick.__name__:<18} {spent * 1e3:>9.1f} ms  {len(kept) / spent:>8.1f} files a CPU second")
    print(f"{'sha256':<18} {hashed * 1e3:>9.1f} ms  {len(kept) / hashed:>8.1f} files a CPU second")
    with tempfile.TemporaryDirectory() as same:
        for number, path in enumerate(kept):
            os.symlink(path.resolve(), pathlib.Path(same, f"{number:05}{path.suffix}"))
        subprocess.run(
            ["cargo", "run", "--quiet", "--release", "--package", "luna-benches", "--example", "stages", "--", same],
            check=True,
        )


if __name__ == "__main__":
    main()
