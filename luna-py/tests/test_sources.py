"""Whatever Python holds a file or picture in."""

import io
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import png
from pictures import radiograph

import luna_py as luna


def rules_of(record: luna.Record) -> list[str]:
    return [row["rule"] for row in record.findings.to_pylist()]


@pytest.mark.parametrize(
    ("array", "bits", "shape"),
    [
        (radiograph(), None, (1, 1, 8, 8)),
        (radiograph(bits=12), 12, (1, 1, 16, 12)),
        (radiograph(bits=16).astype(">u2"), None, (1, 1, 16, 16)),
        (radiograph(bits=12).astype(np.int16), None, (1, 1, 16, 16)),
        (radiograph().astype(np.int32), None, (1, 1, 32, 32)),
        (radiograph().astype(np.float16), None, (1, 1, 32, 32)),
        (radiograph().astype(np.float64), None, (1, 1, 64, 64)),
        (np.stack([radiograph()] * 3, axis=-1), None, (1, 3, 8, 8)),
        (np.stack([radiograph(), radiograph(seed=2)]), None, (2, 1, 8, 8)),
        (radiograph()[::-1, ::2], None, (1, 1, 8, 8)),
    ],
)
def test_an_array_is_a_picture(array: Any, bits: int | None, shape: tuple[int, ...]) -> None:
    record = luna.examine(array, bits_stored=bits)
    facts = record.facts
    size = array.shape[:2] if shape[0] == 1 else array.shape[1:3]
    assert (record.height, record.width) == size
    known = (facts["frames"], facts["channels"], facts["bits_allocated"], facts["bits_stored"])
    assert known == shape
    assert record.format is None
    assert facts["measurements"]["max"] == pytest.approx(float(array.max()), rel=1e-5)
    assert facts["measurements"]["mean"] == pytest.approx(array.astype(float).mean(), rel=1e-4)


def test_an_array_is_judged_like_a_file() -> None:
    assert rules_of(luna.examine(radiograph())) == []
    assert "LP001" in rules_of(luna.examine(np.zeros((600, 560), np.uint8)))
    too_deep = luna.examine(radiograph(bits=16), bits_stored=12)
    assert not too_deep.ok, rules_of(too_deep)


@pytest.mark.parametrize(
    ("array", "bits", "says"),
    [
        (np.zeros(5, np.uint8), None, r"shape \[5\].*\(H, W\)"),
        (np.zeros((4, 4, 4, 9), np.uint8), None, "1 to 4 channels"),
        (np.zeros((4, 4), np.complex64), None, "astype"),
        (np.zeros((4, 4), bool), None, "astype"),
        (np.zeros((0, 4), np.uint8), None, "no pixels"),
        (np.zeros((4, 4), np.uint8), 9, "bits_stored is 1 to 8"),
        (np.zeros((4, 4), np.float32), 12, "bits_stored is 1 to 32, and for integers only"),
    ],
)
def test_what_is_no_picture_is_said(array: Any, bits: int | None, says: str) -> None:
    with pytest.raises(ValueError, match=f"^source: .*{says}"):
        luna.examine(array, bits_stored=bits)


def test_bits_belong_to_arrays() -> None:
    with pytest.raises(ValueError, match="^bits_stored: only an array needs it"):
        luna.examine(b"", bits_stored=8)


def test_all_ways_to_hold_a_file_are_one(tmp_path: Path) -> None:
    data = png(512, 512)
    place = tmp_path / "a.png"
    place.write_bytes(data)
    with place.open("rb") as file:
        ways: list[Any] = [data, bytearray(data), io.BytesIO(data), file, place, str(place), place.as_uri()]
        records = {luna.examine(way).to_json() for way in ways}
    assert len(records) == 1


def test_a_pydicom_dataset_is_a_file() -> None:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = UID("1.2.3")
    dataset.PatientName = "Doe^Jane"
    record = luna.examine(dataset)
    assert record.format == "dicom"
    assert "LI001" in rules_of(record)
    assert "Jane" not in record.to_json()
    with pytest.raises(luna.SourceError, match="TransferSyntaxUID"):
        bare = Dataset()
        bare.PatientName = "x"
        bare.file_meta = FileMetaDataset()
        luna.examine(bare)
    assert pydicom.__name__ == "pydicom"


def test_objects_are_a_data_set(tmp_path: Path) -> None:
    data = png(512, 512)
    (tmp_path / "set").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "set" / name).write_bytes(data)
    whole = luna.validate(tmp_path / "set").to_json()
    assert luna.validate({"a.png": data, "b.png": data}).to_json() == whole
    assert luna.validate([("a.png", data), ("b.png", io.BytesIO(data))]).to_json() == whole
    assert luna.validate((name, data) for name in ("b.png", "a.png")).to_json() == whole
    with (tmp_path / "set" / "a.png").open("rb") as a, (tmp_path / "set" / "b.png").open("rb") as b:
        assert luna.validate([a, b]).to_json() == whole


def test_names_that_nobody_gave() -> None:
    report = luna.validate([b"%PDF-1.7", radiograph(), ("x.png", b""), ("x.png", b"1")])
    paths = [row["path"] for row in report.files.to_pylist()]
    assert paths == ["item-1", "item-2", "x-2.png", "x.png"]


def test_pictures_of_objects_are_shown() -> None:
    report = luna.validate({"a": radiograph(), "b": radiograph()})
    assert report.to_dict()["findings"], "two equal pictures"
    assert "data:image/jpeg" in report._repr_html_()
    assert "data:image/jpeg" in report.show("a")._repr_html_()
    of_a_stream = luna.validate(("a", it) for it in [radiograph()])
    assert "data:image/jpeg" not in of_a_stream._repr_html_()


def test_a_stream_is_taken_little_by_little() -> None:
    taken = 0

    def pictures() -> Iterator[bytes]:
        nonlocal taken
        for number in range(1_000):
            taken = number + 1
            yield png(8, 8)

    records = luna.Validator(threads=2).examine_many(pictures())
    assert next(records).width == 8
    assert taken <= 6
    assert sum(1 for _ in records) == 999


def test_records_come_in_order_and_failures_in_their_turn(tmp_path: Path) -> None:
    sources = [png(8, 8 + number) for number in range(40)]
    records = luna.Validator(threads=4).examine_many(sources)
    assert [record.height for record in records] == list(range(8, 48))
    records = luna.Validator().examine_many([png(8, 8), tmp_path / "none.png", png(9, 9)])
    assert next(records).width == 8
    with pytest.raises(luna.SourceError, match="none.png: cannot be read"):
        next(records)
    assert next(records).width == 9
    with pytest.raises(StopIteration):
        next(records)
    with pytest.raises(RuntimeError, match="mine"):
        list(luna.Validator().examine_many(boom()))
    with pytest.raises(TypeError, match="^sources: an iterable"):
        luna.Validator().examine_many("a.png")


def boom() -> Iterator[bytes]:
    yield b""
    raise RuntimeError("mine")


def test_a_file_system_of_fsspec(broken_set: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    whole = luna.validate(broken_set).to_json()
    memory = fsspec.filesystem("memory")
    for file in broken_set.iterdir():
        memory.pipe(f"/luna/set/{file.name}", file.read_bytes())
    report = luna.validate("memory://luna/set")
    assert report.to_json() == whole
    assert "data:image/jpeg" in report._repr_html_()
    assert luna.validate("luna/set", filesystem=memory).to_json() == whole
    assert luna.validate("/luna/set/", filesystem=memory).to_json() == whole
    assert luna.validate(memory.get_mapper("/luna/set")).to_json() == whole
    with pytest.raises(luna.SourceError, match="no/such"):
        luna.validate("no/such", filesystem=memory)
    with pytest.raises(TypeError, match="^source: with filesystem, a text is due"):
        luna.validate(7, filesystem=memory)  # type: ignore[arg-type]


def test_a_bucket_with_options_beside_the_uri(broken_set: Path) -> None:
    given = os.environ.get("LUNA_TEST_S3")
    if given is None:
        pytest.skip("LUNA_TEST_S3 names no bucket; make test-python starts a server")
    bucket, _, options = given.partition("?")
    place = f"{bucket}/luna-py/{os.getpid()}"
    found = luna.validate(broken_set)
    found.save(f"{place}/set/report.json?{options}")
    storage_options = dict(pair.split("=", 1) for pair in options.split("&"))
    report = luna.validate(f"{place}/set", storage_options=storage_options)
    [file] = report.files.to_pylist()
    assert (file["path"], file["size_bytes"]) == ("report.json", len(found.to_json().encode()))


def test_wrong_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="^source: an empty list"):
        luna.validate([])
    with pytest.raises(ValueError, match="^source: it is empty"):
        luna.validate({})
    with pytest.raises(ValueError, match="^source: it is empty"):
        luna.validate(iter([]))
    with pytest.raises(TypeError, match="^source: .*not int"):
        luna.validate(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="^source, item 2: .*not NoneType"):
        luna.validate([b"", None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"^source, item 1 \(a\): an array of shape"):
        luna.validate({"a": np.zeros(5)})
    with pytest.raises(luna.SourceError, match="s4"):
        luna.validate("s4://bucket/x")
    with pytest.raises(luna.SourceError, match="regoin.*did you mean `region`"):
        luna.validate("s3://bucket/x", storage_options={"regoin": "eu"})
    with pytest.raises(ValueError, match="^storage_options: a path of this machine"):
        luna.validate(tmp_path, storage_options={"region": "eu"})
    with pytest.raises(luna.SourceError) as raised:
        luna.validate("s3://bucket/x", storage_options={"endpoint": "nowhere", "secret_access_key": "s3cr3t"})
    assert "s3cr3t" not in str(raised.value)
    with pytest.raises(NotImplementedError, match="^labels: not in this version"):
        luna.validate(tmp_path, labels="labels.csv")
    with pytest.raises(NotImplementedError, match="^reference: not in this version"):
        luna.validate(tmp_path, reference="ref.parquet")
    with pytest.raises(NotImplementedError, match="^fingerprints: not in this version"):
        luna.fingerprints(tmp_path)
    with pytest.raises(NotImplementedError, match="^cache: not in this version"):
        luna.Validator(cache="~/.cache/luna")


def test_a_manifest_of_any_kind(broken_set: Path, tmp_path: Path) -> None:
    import pandas
    import polars
    import pyarrow

    rows = {"file": ["good.png", "gone.png"]}
    as_csv = tmp_path / "manifest.csv"
    as_csv.write_text("file\ngood.png\ngone.png\n")
    tables: list[Any] = [
        as_csv,
        {"version": 1, "files": [{"path": name} for name in rows["file"]]},
        rows,
        pandas.DataFrame(rows),
        polars.DataFrame(rows),
        pyarrow.table(rows),
    ]
    for table in tables:
        report = luna.validate(broken_set, manifest=table)
        [missing] = [row for row in report.findings.to_pylist() if row["rule"] == "LM006"]
        assert "gone.png" in missing["message"], type(table)
    records = {it.name: luna.examine(it) for it in broken_set.iterdir()}
    whole = luna.validate(broken_set, manifest=as_csv).to_json()
    assert luna.conclude(records, manifest=as_csv).to_json() == whole
    with pytest.raises(TypeError, match="^manifest: a path, a dict.*not int"):
        luna.validate(broken_set, manifest=7)  # type: ignore[arg-type]


def test_a_validator_goes_to_other_processes(broken_set: Path) -> None:
    here = luna.Validator({"extends": "chest-xray", "name": "ours"}, threads=1, memory="1GiB")
    there = pickle.loads(pickle.dumps(here))
    assert there.profile == here.profile
    data = (broken_set / "good.png").read_bytes()
    assert there.examine(data).to_json() == here.examine(data).to_json()
    key = "0a" * 32
    assert luna.Validator(identity_key=key).profile.name == "default"
    with pytest.raises(ValueError, match="^identity_key: 64 hexadecimal digits"):
        luna.Validator(identity_key="short")
