"""A Celery task that validates a data set and keeps its reports.

    pip install luna-py "celery[redis]"
    export CELERY_BROKER_URL=redis://localhost
    celery --app celery_task worker --concurrency 1
    python -c 'import celery_task; celery_task.validate_dataset.delay("scans", "reports")'

The task uses all cores by itself: one process a worker is enough.
"""

from pathlib import Path
from typing import TypedDict

from celery import Celery

import luna_py as luna

# Celery itself looks for its broker and its result backend in the environment.
app = Celery("luna")


class Outcome(TypedDict):
    """What a task returns; the findings are in the reports."""

    verdict: str
    errors: int
    warnings: int
    json: str
    html: str


@app.task(acks_late=True)  # Validated again, should the worker die of something.
def validate_dataset(folder: str, reports: str, profile: str | None = None) -> Outcome:
    """Validate a folder; a bad data set is an outcome, one that cannot be read an exception.

    Parameters
    ----------
    folder : str
        The data set.
    reports : str
        A folder for ``<name of the data set>.json`` and ``.html``.
    profile : str, optional
        Name of a built-in profile, or a TOML file.
    """
    report = luna.validate(folder, profile=profile, progress=False)
    Path(reports).mkdir(parents=True, exist_ok=True)
    json, html = (Path(reports, Path(folder).name + ending) for ending in (".json", ".html"))
    report.save(json)
    report.save(html)
    counts = report.counts
    return {
        "verdict": report.verdict,
        "errors": counts["error"],
        "warnings": counts["warning"],
        "json": str(json),
        "html": str(html),
    }
