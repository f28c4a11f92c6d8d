"""Validate a folder on Dask: records from the workers, one report here.

    pip install luna-py "dask[bag]"
    python dask_bag.py scans report.html

runs on the cores of this machine. On a cluster, start a ``dask.distributed.Client`` first; its
workers need luna-py, and see the folder under the same path.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import dask.bag

import luna_py as luna


def examine(
    paths: Iterable[str], folder: str, validator: luna.Validator
) -> list[tuple[str, str]]:
    """Pairs of a path and its record as JSON; the bytes stay with the worker."""
    paths = list(paths)
    records = validator.examine_many(f"{folder}/{path}" for path in paths)
    return [(path, record.to_json()) for path, record in zip(paths, records, strict=True)]


def validate(folder: Path, profile: str | None = None) -> luna.Report:
    """The report of ``luna.validate(folder)``, as long as no table lies in the folder."""
    # Sent to the workers with its key, so that they know each other's patients.
    validator = luna.Validator(profile, threads=1)
    paths = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    bag = dask.bag.from_sequence(paths, partition_size=16)
    answers = bag.map_partitions(examine, str(folder.absolute()), validator).compute()
    return validator.conclude((path, luna.Record.from_json(record)) for path, record in answers)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("report", type=Path, help="its ending names the format")
    arguments.add_argument("--profile")
    given = arguments.parse_args()
    report = validate(given.folder, given.profile)
    report.save(given.report)
    print(report)
