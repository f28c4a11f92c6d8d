"""`luna_py.ray`: workers examine, and the report is that of one machine."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import luna_py as luna
from conftest import dicom
from luna_py._listing import list_files

pytest.importorskip("ray")

import luna_py.ray  # noqa: E402

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    # What Ray says to itself of its own settings.
    pytest.mark.filterwarnings(r"ignore:`use_\w+` is deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two workers on this machine, as small as Ray lets them be."""
    import ray

    ray.init(
        num_cpus=2,
        object_store_memory=80_000_000,
        include_dashboard=False,
        log_to_driver=False,
    )
    yield
    ray.shutdown()


@pytest.fixture
def varied_set(broken_set: Path) -> Path:
    """Copies, a cut file, folders, hidden files, and three patients with four studies each."""
    good = (broken_set / "good.png").read_bytes()
    for path, content in {
        "copy.png": good,
        "cut.png": good[:900],
        "a/b/good.png": good,
        ".hidden/x.png": good,
        "_under.png": good,
        "a b/ö%20#?.png": good,
    }.items():
        (broken_set / path).parent.mkdir(parents=True, exist_ok=True)
        (broken_set / path).write_bytes(content)
    for number in range(12):
        (broken_set / f"{number:02}.dcm").write_bytes(dicom(f"P{number % 3}", number))
    return broken_set


def test_the_report_is_that_of_one_machine(varied_set: Path) -> None:
    whole = luna.validate(varied_set)
    patients = {entry["dicom"]["patient"] for entry in whole.to_dict()["files"] if entry["dicom"]}
    assert patients == {"patient-1", "patient-2", "patient-3"}
    shared = luna_py.ray.validate(varied_set, batch_size=2, concurrency=2)
    assert shared.to_json() == whole.to_json()


def test_places_profile_rules_and_manifest_go_along(varied_set: Path, tmp_path: Path) -> None:
    @luna.rule("ORG001", severity="error")
    def not_portrait(record: luna.Record) -> str | None:
        width, height = record.width or 0, record.height or 0
        return f"{width} pixels wide and {height} high." if width >= height else None

    manifest = tmp_path / "outside.csv"
    manifest.write_text("path,size\nset/good.png,1\nmissing.png,2\n")
    places: list[str | Path] = [varied_set, varied_set / "good.png", str(varied_set / "a")]
    whole = luna.validate(places, profile="strict", rules=[not_portrait], manifest=manifest)
    assert {"ORG001", "LM006", "LM008"} <= set(whole.counts["by_rule"])
    shared = luna_py.ray.validate(
        places, profile="strict", rules=[not_portrait], manifest=manifest
    )
    assert shared.to_json() == whole.to_json()


def test_a_dataset_has_paths_and_bytes(varied_set: Path) -> None:
    import ray.data

    files = [str(file) for file in varied_set.rglob("*") if file.is_file()]
    dataset = ray.data.read_binary_files(files, include_paths=True)
    shared = luna_py.ray.validate(dataset, root=str(varied_set), batch_size=4)
    assert shared.to_json() == luna.validate(varied_set).to_json()
    with pytest.raises(ValueError, match="^root: paths of the Dataset are absolute"):
        luna_py.ray.validate(dataset)
    with pytest.raises(ValueError, match="^root: .* is not below '/elsewhere/'"):
        luna_py.ray.validate(dataset, root="/elsewhere")


def test_a_dataset_that_is_none_is_refused() -> None:
    import ray.data

    unnamed = ray.data.from_items([{"bytes": b"%PDF"}])
    with pytest.raises(ValueError, match="^source: .* no column path; .*include_paths"):
        luna_py.ray.validate(unnamed)
    # Text is no file content, and above all not the path of a file to open.
    text = ray.data.from_items([{"path": "a.png", "bytes": "good.png"}])
    with pytest.raises(luna.SourceError, match="^source: column bytes .* holds string; binary"):
        luna_py.ray.validate(text)


def test_a_file_that_workers_cannot_read_ends_the_run(
    broken_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = list_files([str(broken_set)])
    monkeypatch.setattr("luna_py.ray.list_files", lambda _: listed)
    (broken_set / "good.png").unlink()
    with pytest.raises(luna.SourceError, match=r"good\.png.*is it there on all workers\?"):
        luna_py.ray.validate(broken_set)


def test_an_empty_folder_needs_no_worker(tmp_path: Path) -> None:
    assert luna_py.ray.validate(tmp_path).to_json() == luna.validate(tmp_path).to_json()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"source": []}, ValueError, "source: an empty list names no data set"),
        ({"source": 7}, TypeError, "source: a path, paths or a ray.data.Dataset is due, not int"),
        ({"source": ["scans", 7]}, TypeError, "source: .*not int"),
        ({"source": b"scans"}, TypeError, "source: .*not bytes"),
        ({"source": {"a.png": b""}}, TypeError, "source: .*not dict"),
        ({"source": "no-such"}, luna.SourceError, "source 'no-such': there is no such"),
        ({"source": "s3://bucket/x"}, luna.SourceError, "source: a URI .*read_binary_files"),
        ({"source": ".", "profile": "chest-xry"}, luna.ProfileError, "did you mean `chest-xray`"),
        ({"source": ".", "root": "/x"}, ValueError, "root: goes with a Dataset"),
        ({"source": ".", "batch_size": 0}, ValueError, "batch_size: .* at least 1, not 0"),
        ({"source": ".", "concurrency": 1.5}, ValueError, "concurrency: .* at least 1, not 1.5"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        luna_py.ray.validate(**arguments)


def test_without_ray_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "luna_py.ray")
    with pytest.raises(ImportError, match=r'pip install "luna-py\[ray\]"'):
        importlib.import_module("luna_py.ray")
