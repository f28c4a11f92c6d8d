"""What an organiser writes; checked by mypy and pyright, never run."""

from pathlib import Path

import numpy as np

import luna_py as luna


@luna.rule("ORG001", severity="warning", help="Turn the picture.")
def portrait_only(record: luna.Record) -> str | None:
    if record.width is None or record.height is None:
        return None
    return "Wider than high." if record.width > record.height else None


@luna.rule("ORG002", pixels=True)
def has_air(record: luna.Record, pixels: np.ndarray) -> luna.Finding | None:
    if pixels.min() == 0:
        return None
    return luna.Finding("No pixel is 0.", found=str(pixels.min()), box=(0, 0, 10, 10))


def judge(folder: Path) -> list[str]:
    profile = luna.Profile("chest-xray").with_rule("LP012", severity="warning", min_side=1024)
    report = luna.validate(
        folder,
        profile=profile,
        manifest={"version": 1, "files": [{"path": "a.png"}]},
        rules=[portrait_only, has_air],
        progress=lambda done, total: print(done, total),
    )
    report.save(folder / "report.html")
    for row in report.findings.to_pylist():
        print(row["rule"])
    if not report.ok:
        report.diff(luna.read_report("old.json")).new.to_pandas()
        report.raise_for_verdict()
    return report.paths(rule="LF004", severity="error")


def spread(files: list[Path]) -> luna.Report:
    validator = luna.Validator({"extends": "strict"}, threads=2, memory="4GiB")
    names = [file.name for file in files]
    return validator.conclude(zip(names, validator.examine_many(files)))


def single(pixels: np.ndarray) -> luna.Record:
    luna.examine(b"", profile="dicom")
    luna.validate([("a", pixels), ("b", b"")])
    luna.validate("s3://bucket/x", storage_options={"region": "eu"})
    return luna.examine(pixels, bits_stored=12)
