"""An Airflow task that stops a pipeline at a data set with errors, and keeps the report.

    pip install luna-py apache-airflow
    cp airflow_step.py "$AIRFLOW_HOME/dags/"
    airflow dags test validated_training --conf '{"folder": "/scans", "reports": "/reports"}'

Needs Airflow 3. The step itself is plain Python, and works in any other scheduler.
"""

from pathlib import Path

from airflow.sdk import dag, get_current_context, task

import luna_py as luna


def check(folder: str, reports: str, profile: str | None = None) -> str:
    """Validate a folder, and return the place of its report.

    Raises
    ------
    luna_py.VerdictError
        If the data set does not pass; the report is there all the same.
    """
    report = luna.validate(folder, profile=profile, progress=False)
    artefact = Path(reports, Path(folder).name + ".html")
    artefact.parent.mkdir(parents=True, exist_ok=True)
    report.save(artefact)
    report.save(artefact.with_suffix(".json"))
    report.raise_for_verdict()
    return str(artefact)


@dag(schedule=None, params={"folder": "scans", "reports": "reports", "profile": "chest-xray"})
def validated_training() -> None:
    """Trains on what passed."""

    # Another try would find the same.
    @task(retries=0)
    def validate() -> str:
        params = get_current_context()["params"]
        return check(params["folder"], params["reports"], params["profile"])

    @task
    def train(report: str) -> None:
        print(f"the data set passed: {report}")

    train(validate())


validated_training()
