"""Validate a folder on Spark: ``mapInArrow`` examines, the driver concludes.

    pip install luna-py pyspark
    python spark_map_in_arrow.py scans report.html

runs on the cores of this machine; ``spark-submit`` brings it to a cluster. The workers need
luna-py, and see the folder under the same path.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow
from pyspark.sql import SparkSession

import luna_py as luna

Batches = Iterator[pyarrow.RecordBatch]


def examiner(folder: str, validator: luna.Validator) -> Callable[[Batches], Batches]:
    """Turns batches of paths into batches of paths and records."""

    def examine(batches: Batches) -> Batches:
        for batch in batches:
            paths = batch["path"].to_pylist()
            records = validator.examine_many(f"{folder}/{path}" for path in paths)
            yield pyarrow.RecordBatch.from_pydict(
                {"path": paths, "record": [record.to_json() for record in records]}
            )

    return examine


def validate(spark: SparkSession, folder: Path, profile: str | None = None) -> luna.Report:
    """The report of ``luna.validate(folder)``, as long as no table lies in the folder."""
    # Sent to the workers with its key, so that they know each other's patients.
    validator = luna.Validator(profile, threads=1)
    paths = [(file.relative_to(folder).as_posix(),) for file in folder.rglob("*") if file.is_file()]
    files = spark.createDataFrame(paths, "path string").repartition(len(paths) // 16 + 1)
    examine = examiner(str(folder.absolute()), validator)
    # Some kilobytes a file: `spark.driver.maxResultSize` has to allow for them.
    answers = files.mapInArrow(examine, "path string, record string").collect()
    return validator.conclude((row.path, luna.Record.from_json(row.record)) for row in answers)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("report", type=Path, help="its ending names the format")
    arguments.add_argument("--profile")
    given = arguments.parse_args()
    report = validate(SparkSession.builder.getOrCreate(), given.folder, given.profile)
    report.save(given.report)
    print(report)
