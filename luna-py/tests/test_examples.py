"""The examples do what their first lines say; those whose packages are missing are skipped."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import luna_py as luna
from conftest import dicom

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "luna-py" / "examples"


def run(code: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, which has warnings of its own."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, *code],
        cwd=EXAMPLES, env=environment, capture_output=True, text=True, check=False,
    )


def need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


@pytest.mark.parametrize(
    ("package", "example"), [("dask", "dask_bag.py"), ("pyspark", "spark_map_in_arrow.py")]
)
def test_a_cluster_makes_the_same_report(
    package: str, example: str, broken_set: Path, tmp_path: Path
) -> None:
    need(package)
    (broken_set / "sub").mkdir()
    # More than one worker takes at a time, and the same patient in all of them.
    for number in range(40):
        (broken_set / "sub" / f"ä {number}.dcm").write_bytes(dicom(f"P{number % 2}", number))
    report = tmp_path / "report.json"
    # Spark's own Python processes are to be this one.
    done = run([example, str(broken_set), str(report)], PYSPARK_PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    assert report.read_text(encoding="utf-8") == luna.validate(broken_set).to_json()


def test_a_celery_task_returns_the_outcome(broken_set: Path, tmp_path: Path) -> None:
    need("celery")
    code = (
        "import json, sys, celery_task\n"
        "celery_task.app.conf.task_always_eager = True\n"
        "print(json.dumps(celery_task.validate_dataset.delay(*sys.argv[1:]).get()))"
    )
    done = run(["-c", code, str(broken_set), str(tmp_path / "reports")])
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    whole = luna.validate(broken_set)
    assert outcome["verdict"] == "fail" and outcome["errors"] == whole.counts["error"]
    assert Path(outcome["json"]).read_text(encoding="utf-8") == whole.to_json()
    assert Path(outcome["html"]).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_an_airflow_step_stops_at_errors_and_keeps_the_report(
    broken_set: Path, tmp_path: Path
) -> None:
    need("airflow")
    code = "import sys, airflow_step; airflow_step.check(*sys.argv[1:])"
    done = run(["-c", code, str(broken_set), str(tmp_path)], AIRFLOW_HOME=str(tmp_path / "airflow"))
    assert done.returncode == 1
    assert "VerdictError: the verdict is fail: " in done.stderr
    assert (tmp_path / "set.html").is_file()
    kept = luna.read_report(tmp_path / "set.json")
    assert kept.to_json() == luna.validate(broken_set).to_json()


def test_the_page_about_clusters_leads_to_every_example() -> None:
    page = (ROOT / "docs" / "python-cluster.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        compile(block, "python-cluster.md", "exec")
    linked = set(re.findall(r"\.\./luna-py/examples/(\w+\.py)", page))
    assert linked == {example.name for example in EXAMPLES.glob("*.py")}
