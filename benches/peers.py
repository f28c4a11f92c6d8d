"""LUNA beside what people use for the same question today, in one run on two cores.

    make peers FOLDER=scans PEERS="--rounds 3"
    make peers PEERS=--overhead

luna         `luna_py.validate(folder, threads=2)`.
pipeline     What people write, in two processes: OpenCV, or pydicom with its compiled plugins;
             SHA-256 of the file, minimum, maximum, mean, deviation, percentiles, share of clipped
             values, entropy, Laplacian variance, perceptual hash; then groups of equal files and
             pairs of near hashes.
statistics   The same loop with pixels, statistics and SHA-256 alone, as `make yardsticks` has it.
cleanvision  `Imagelab.find_issues(n_jobs=2)` with all its default checks; it reads no DICOM.

Both pipelines are of LUNA's kind and do less: no header rules, no identity, no text in pictures, no
word on files that are cut or that only a lenient decoder reads, no pixels compared where hashes are
near, no tables, no report. They are written as by one who knows the libraries: the quicker decoder,
one histogram for entropy and clipping. The marks name "the usual pipeline" without its parts, so
they stand beside both.

Sets: `pictures`, the 8-bit PNG and JPEG of a folder; `dicom`, its 16-bit DICOM images as they are,
often compressed; `native`, uncompressed 16-bit DX of 10 MB, generated unless the folder holds eight
or more uncompressed ones. A folder's files are copied several times to last longer, which makes
duplicates of them; each copy is a plain file that every contender reads and decodes. What LUNA or
the pipeline cannot decode is left out for all.

Each contender runs in a process of its own: all in turn, then the other way around. Its start and
that of its workers (interpreters, imports) is told apart from its work. Memory is the peak of its
largest process; the pipelines and cleanvision have three. `--overhead` shows what Python adds to
the program `luna`. Of both, the optimised builds are to be compared: those of `make peers` and
`make build`.
"""

import argparse
import collections
import contextlib
import hashlib
import importlib
import io
import json
import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import synthetic

# Only the standard library at the top, as in synthetic.py: a child's peak memory begins with its
# parent's, and each contender is to import only what it needs.

DATA = pathlib.Path("../shared/data")
PROGRAM = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release/luna"
PROCESSES = 2
PICTURES = {".png", ".jpg", ".jpeg"}
SETS = ("pictures", "dicom", "native")
# SciPy is what imagehash would import at its first picture; the last three are plugins that pydicom
# would quietly do without.
LIBRARIES = (
    "cv2",
    "imagehash",
    "scipy.fftpack",
    "numpy",
    "PIL.Image",
    "pydicom",
    "libjpeg",
    "openjpeg",
    "rle",
)
# How many times as many images a CPU second LUNA is to look at.
MARKS = {
    ("pictures", "pipeline"): 1.9,
    ("pictures", "statistics"): 1.9,
    ("pictures", "cleanvision"): 16,
    ("native", "pipeline"): 4.5,
    ("native", "statistics"): 4.5,
}
OVERHEAD_MARK = 0.03
# Fewer real files than this would be a measurement of those files.
ENOUGH_NATIVE = 8
# Below this a file's header costs more than its picture.
LEAST_SIDE = 256
NEAR_BITS = 4
CALLS = 5_000
IMPORTS = 20


# What contends. A start imports, and gives back the work to be timed and the CPU seconds so far of
# the processes that it started and that still run.


def start_luna():
    import luna_py

    def work(folder):
        report = luna_py.validate(folder, threads=PROCESSES, progress=False)
        counts = report.counts
        said = f"{report.verdict}, {counts['error']} errors, {counts['warning']} warnings"
        return len(report.files), said

    return work, 0.0


def start_pipeline():
    return start_pool(look_closely)


def start_statistics():
    return start_pool(look_briefly)


def start_pool(look):
    import_libraries()
    context = multiprocessing.get_context("spawn")
    ready = context.SimpleQueue()
    pool = context.Pool(PROCESSES, start_worker, [ready])
    elsewhere = sum(ready.get() for _ in range(PROCESSES))

    def work(folder):
        paths = sorted(str(path) for path in pathlib.Path(folder).iterdir())
        looked = list(pool.imap_unordered(look, paths, chunksize=4))
        pool.close()
        pool.join()
        looked = [found for found in looked if found]
        return len(looked), compared(looked)

    return work, elsewhere


def import_libraries():
    for name in LIBRARIES:
        importlib.import_module(name)


def start_worker(ready):
    import_libraries()
    # There is a process for each core already.
    sys.modules["cv2"].setNumThreads(1)
    ready.put(cpu_seconds())


def start_cleanvision():
    from cleanvision import Imagelab

    def work(folder):
        # Its progress and its greeting are no result.
        with contextlib.redirect_stdout(io.StringIO()):
            lab = Imagelab(data_path=str(folder))
            lab.find_issues(n_jobs=PROCESSES, verbose=False)
        found = zip(lab.issue_summary["issue_type"], lab.issue_summary["num_images"])
        return len(lab.issues), ", ".join(f"{number} {kind}" for kind, number in found if number)

    return work, 0.0


START = {
    "luna": start_luna,
    "pipeline": start_pipeline,
    "statistics": start_statistics,
    "cleanvision": start_cleanvision,
}


# The pipeline that people write.


def decoded(data, suffix):
    """Grey values of a picture at their own depth."""
    import cv2
    import numpy
    import pydicom

    if suffix == ".dcm":
        return pydicom.dcmread(io.BytesIO(data)).pixel_array
    pixels = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise ValueError("OpenCV cannot decode it")
    return pixels


def read(path):
    """Pixels and SHA-256; None where there are no pixels, and stderr has the reason."""
    path = pathlib.Path(path)
    data = path.read_bytes()
    try:
        return decoded(data, path.suffix), hashlib.sha256(data).hexdigest()
    except Exception as reason:  # any refusal by any codec
        print(f"{path.name}: {type(reason).__name__}: {reason}", file=sys.stderr)
        return None


def figures(pixels):
    import numpy

    extremes = int(pixels.min()), int(pixels.max())
    return [*extremes, pixels.mean(), pixels.std(), *numpy.percentile(pixels, [1, 50, 99])]


def look_briefly(path):
    """SHA-256, no hash of the picture, statistics."""
    found = read(path)
    if found is None:
        return None
    pixels, digest = found
    return digest, None, figures(pixels)


def look_closely(path):
    """SHA-256, perceptual hash, statistics and blur."""
    import cv2
    import imagehash
    import numpy
    import PIL.Image

    found = read(path)
    if found is None:
        return None
    pixels, digest = found
    said = figures(pixels)
    values = pixels.ravel()
    counts = numpy.bincount(values if said[0] >= 0 else values.astype(int) - said[0])
    shares = counts[counts > 0] / values.size
    entropy = -(shares * numpy.log2(shares)).sum()
    clipped = shares[0] + shares[-1]
    sharpness = cv2.Laplacian(pixels, cv2.CV_64F).var()
    grey = pixels
    if pixels.dtype != numpy.uint8:
        grey = cv2.normalize(pixels, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    bits = imagehash.phash(PIL.Image.fromarray(grey)).hash
    word = int.from_bytes(numpy.packbits(bits).tobytes(), "big")
    return digest, word, [*said, entropy, clipped, sharpness]


def compared(looked):
    """Groups of equal files, and pairs whose hashes are near."""
    import numpy

    groups = collections.Counter(digest for digest, _, _ in looked)
    said = f"{sum(number > 1 for number in groups.values())} groups of equal files"
    words = numpy.array([word for _, word, _ in looked if word is not None], numpy.uint64)
    if not words.size:
        return said
    pairs = sum(
        int((numpy.bitwise_count(words[at + 1 :] ^ word) <= NEAR_BITS).sum())
        for at, word in enumerate(words)
    )
    return f"{said}, {pairs} pairs of near hashes"


# Processes and what they cost.


def cpu_seconds():
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(of.ru_utime + of.ru_stime for of in used)


def peak_mib():
    """Of the largest: this process, or a child that has ended. Linux counts in KiB."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(of.ru_maxrss for of in used) / 1024


def contend(name, folder):
    """A contender's whole life in this process; without a folder it only starts."""
    work, elsewhere = START[name]()
    ready, spent = time.monotonic(), cpu_seconds() + elsewhere
    images, said = work(folder) if folder else (0, "")
    return {
        "ready": ready,
        "start_cpu": spent,
        "wall": time.monotonic() - ready,
        "cpu": cpu_seconds() - spent,
        "peak": peak_mib(),
        "images": images,
        "said": said,
    }


class Refused(Exception):
    """A child that ended badly, with the last it said."""


def child(*arguments):
    """What this program says as a process of its own, and when that began."""
    command = [sys.executable, __file__, *map(str, arguments)]
    began = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise Refused(lines[-1] if lines else f"exit status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1]), began


def run(name, folder):
    before = cpu_seconds()
    found, began = child("--as", name, folder)
    found["start_wall"] = found.pop("ready") - began
    found["whole_cpu"] = cpu_seconds() - before
    return found


def able(names):
    """Those of the contenders that start, which also warms the disk's cache for their libraries."""
    kept = []
    for name in names:
        try:
            child("--as", name)
        except Refused as reason:
            print(f"left out: {name}: {reason}")
        else:
            kept.append(name)
    if "luna" not in kept:
        sys.exit("without luna there is nothing to compare with")
    return kept


# Sets.


def make(kind, place, folder, number):
    """Makes a set; says how many files were taken, left out and written, and what they are."""
    place.mkdir()
    if kind == "radiographs":
        return synthetic.make_radiographs(place, number)
    if kind == "pictures":
        return copied(*sound_pictures(folder), place, number)
    taken, left_out = sound_dicom(folder, native=kind == "native") if folder else ([], 0)
    if kind == "native" and len(taken) < ENOUGH_NATIVE:
        return synthetic.make_native(place, number)
    return copied(taken, left_out, place, number)


def copied(taken, left_out, place, times):
    for number, path in enumerate(taken):
        data = path.read_bytes()
        for copy in range(times):
            suffix = path.suffix.lower()
            (place / f"{number:05}-{copy}{suffix}").write_bytes(data)
    what = f"{len(taken)} real files, each {times} times"
    return {"what": what + (f"; {left_out} left out" if left_out else "")}


def decodes(path, decode):
    """Whether both LUNA and the pipeline get pixels of it."""
    import luna_py

    try:
        luna_py.read_image(path)
        return decode(path.read_bytes(), path.suffix.lower()).ndim == 2
    except Exception:  # any refusal by any codec
        return False


def files_of(folder, suffixes):
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in found if path.suffix.lower() in suffixes)


def sound_pictures(folder):
    """PNG and JPEG of 8 bits, and how many do not decode; OpenCV reads no deeper JPEG."""
    paths = files_of(folder, PICTURES)
    shallow = [path for path in paths if not is_deep_png(path)]
    taken = [path for path in shallow if decodes(path, decoded)]
    return taken, len(shallow) - len(taken)


def is_deep_png(path):
    with path.open("rb") as file:
        head = file.read(25)
    return head.startswith(b"\x89PNG") and head[24:] > b"\x08"


def sound_dicom(folder, native):
    """16-bit images, and how many do not decode; or the native ones alone, of a detector's size."""
    import pydicom

    taken, left_out = [], 0
    for path in files_of(folder, {".dcm"}):
        try:
            head = pydicom.dcmread(path, stop_before_pixels=True)
            sides = int(head.Rows), int(head.Columns)
            fits = head.BitsAllocated == 16 and min(sides) >= LEAST_SIDE
            if native:
                compressed = head.file_meta.TransferSyntaxUID.is_compressed
                fits = fits and not compressed and sides[0] * sides[1] >= 1 << 20
        except Exception:  # no header, no picture, no transfer syntax: nothing to be timed
            continue
        if fits:
            sound = decodes(path, decoded)
            taken += [path] if sound else []
            left_out += not sound
    return taken, left_out


# Side by side.


def side_by_side(arguments, folder):
    names = able(START)
    for kind in arguments.sets:
        print(flush=True)
        if kind != "native" and not arguments.folder:
            print(f"left out: {kind}: no folder is named, and there is no {DATA}")
            continue
        number = arguments.natives if kind == "native" else arguments.copies
        place = folder / kind
        try:
            made, _ = child("--make", kind, place, arguments.folder or "", number)
        except Refused as reason:
            print(f"left out: {kind}: {reason}")
            continue
        sizes = [path.stat().st_size for path in place.iterdir()]
        if not sizes:
            print(f"left out: {kind}: the folder has no such files")
            continue
        # What is still to be written would be laid to the first one's account.
        os.sync()
        print(f"{kind}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB ({made['what']})", flush=True)
        contest(kind, names, place, len(sizes), arguments.rounds)


def contest(kind, names, place, number, rounds):
    if kind != "pictures" and "cleanvision" in names:
        print("left out: cleanvision: reads no DICOM")
        names = [name for name in names if name != "cleanvision"]
    found = collections.defaultdict(list)
    failed = {}
    for at in range(rounds):
        for name in names if at % 2 == 0 else reversed(names):
            if name in failed:
                continue
            try:
                found[name].append(run(name, place))
            except Refused as reason:
                failed[name] = reason
    for name, reason in failed.items():
        print(f"left out: {name}: {reason}")
        found.pop(name, None)
    if "luna" in failed:
        return
    print_table(kind, found)
    for name, of in found.items():
        looked = of[-1]["images"]
        fewer = "" if looked == number else f"looked at {looked} of {number} only; "
        print(f"  {name}: {fewer}{of[-1]['said']}")


def median(of, what):
    return statistics.median(it[what] for it in of)


def print_table(kind, found):
    """Medians over the rounds; a ratio is that of two medians, beside those of single rounds."""
    columns = "{:<11} {:>7} {:>7} {:>7} {:>8}  {:>7} {:>14} {:>6}  {:>7} {:>7} {:>5}"
    groups = "{:<11} {:>7} {:>7} {:>7} {:>8}  {:>7} {:>14} {:>6}  {:>15} {:>5}"
    print(
        groups.format(
            "", "wall", "CPU", "least", "images a", "LUNA", "", "", "start: wall, CPU", ""
        )
    )
    print(columns.format("", "s", "s", "s", "CPU s", "is", "in rounds", "mark", "s", "s", "MiB"))
    ours = found["luna"]
    for name, of in found.items():
        cpu = median(of, "cpu")
        ratio = spread = mark = ""
        if name != "luna":
            each = [theirs["cpu"] / own["cpu"] for theirs, own in zip(of, ours)]
            ratio = f"{cpu / median(ours, 'cpu'):.2f} x"
            spread = f"{min(each):.2f} to {max(each):.2f}"
            mark = f"{MARKS[kind, name]} x" if (kind, name) in MARKS else "none"
        work = [f"{it:.2f}" for it in (median(of, "wall"), cpu, min(it["cpu"] for it in of))]
        start = [f"{median(of, what):.2f}" for what in ("start_wall", "start_cpu")]
        pace, peak = f"{of[-1]['images'] / cpu:.1f}", f"{median(of, 'peak'):.0f}"
        print(columns.format(name, *work, pace, ratio, spread, mark, *start, peak), flush=True)


# What Python adds.


def overhead(arguments, folder):
    able(["luna"])
    place = folder / "radiographs"
    made, _ = child("--make", "radiographs", place, "", arguments.images)
    os.sync()
    print(made["what"], flush=True)
    beside_the_program(arguments, place)
    print_calls(min(place.iterdir(), key=lambda path: path.stat().st_size))
    print_import()


def beside_the_program(arguments, place):
    """The call alone, without the interpreter's start, beside all that the program takes."""
    said = version(arguments.binary)
    if said is None:
        print(f"left out: the program: {arguments.binary} does not run; make build, or --binary")
        return
    ours, theirs = [], []
    turns = (
        lambda: ours.append(run("luna", place)),
        lambda: theirs.append(program(arguments.binary, place)),
    )
    for at in range(arguments.rounds):
        for turn in turns if at % 2 == 0 else reversed(turns):
            turn()
    alone = statistics.median(theirs)
    call, whole = (median(ours, what) for what in ("cpu", "whole_cpu"))
    each = [own["cpu"] / other - 1 for own, other in zip(ours, theirs)]
    print(f"{said}: {alone:.2f} s of CPU time, median of {arguments.rounds} rounds")
    print(
        f"luna_py.validate: {call:.2f} s, {call / alone - 1:+.1%}, "
        f"in rounds {min(each):+.1%} to {max(each):+.1%}, mark at most {OVERHEAD_MARK:+.0%}; "
        f"with interpreter and imports {whole:.2f} s, {whole / alone - 1:+.1%}"
    )


def version(binary):
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()[0]


def program(binary, place):
    """CPU seconds of `luna validate`, which prints nothing that it keeps."""
    options = f"--jobs {PROCESSES} --progress never --fail-on never".split()
    command = [binary, "validate", place, *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        sys.exit(f"{binary} ended with {running.returncode}")
    return used.ru_utime + used.ru_stime


def examine_often(path):
    import luna_py

    data = pathlib.Path(path).read_bytes()
    luna_py.examine(data)
    began = time.process_time()
    for _ in range(CALLS):
        luna_py.examine(data)
    return (time.process_time() - began) / CALLS


def print_calls(path):
    seconds, _ = child("--as", "examine", path)
    print(
        f"luna_py.examine: {seconds * 1e6:.0f} us of CPU time a call, mean of {CALLS:,}, for a PNG "
        f"of {path.stat().st_size:,} bytes; cargo bench has the core's own figure"
    )


def print_import():
    """Medians: a busy machine stretches wall time, so CPU time stands beside it."""
    took = {"import luna_py": [], "pass": []}
    for _ in range(IMPORTS):
        for statement, times in took.items():
            began, before = time.monotonic(), cpu_seconds()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times.append((time.monotonic() - began, cpu_seconds() - before))
    (wall, cpu), (empty_wall, empty_cpu) = (
        [statistics.median(of) * 1e3 for of in zip(*times)] for times in took.values()
    )
    print(
        f"import luna_py: {wall - empty_wall:.1f} ms wall time ({wall:.1f} less {empty_wall:.1f} "
        f"of an empty interpreter), {cpu - empty_cpu:.1f} ms CPU time; medians of {IMPORTS}"
    )


def as_child(arguments):
    """This program as its own child; the last line that it prints is the answer."""
    if arguments[0] == "--make":
        kind, place, folder, number = arguments[1:]
        answer = make(
            kind, pathlib.Path(place), pathlib.Path(folder) if folder else None, int(number)
        )
    elif arguments[1] == "examine":
        answer = examine_often(arguments[2])
    else:
        answer = contend(*arguments[1:3], *[None] * (3 - len(arguments)))
    print(json.dumps(answer))


def parsed():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "folder", nargs="?", type=pathlib.Path, help=f"real images; {DATA} where it is there"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--copies", type=int, default=3, help="of each real file")
    parser.add_argument(
        "--natives", type=int, default=40, help="generated DX, or copies of each real one"
    )
    parser.add_argument("--overhead", action="store_true", help="what Python adds to the program")
    parser.add_argument(
        "--binary", type=pathlib.Path, default=PROGRAM, help="the program of --overhead"
    )
    parser.add_argument("--images", type=int, default=2_000, help="generated PNG of --overhead")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.copies, arguments.natives, arguments.images) < 1:
        parser.error("counts begin at 1")
    if arguments.folder and not arguments.folder.is_dir():
        parser.error(f"{arguments.folder} is no folder")
    if not arguments.folder and DATA.is_dir():
        arguments.folder = DATA
    return arguments


def main():
    if sys.argv[1:2] in (["--as"], ["--make"]):
        return as_child(sys.argv[1:])
    arguments = parsed()
    with tempfile.TemporaryDirectory() as folder:
        (overhead if arguments.overhead else side_by_side)(arguments, pathlib.Path(folder))


if __name__ == "__main__":
    main()
