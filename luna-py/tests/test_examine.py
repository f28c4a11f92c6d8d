"""The two halves of a validation, apart from each other."""

import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import luna_py as luna


def test_halves_make_the_whole(broken_set: Path) -> None:
    (broken_set / "copy.png").write_bytes((broken_set / "good.png").read_bytes())
    (broken_set / "cut.png").write_bytes((broken_set / "good.png").read_bytes()[:900])
    files = sorted(broken_set.iterdir(), reverse=True)
    with ThreadPoolExecutor(4) as pool:
        records = [pickle.loads(pickle.dumps(it)) for it in pool.map(luna.examine, files)]
    pairs = [(file.name, record) for file, record in zip(files, records)]
    whole = luna.validate(broken_set).to_json()
    assert luna.conclude(pairs).to_json() == whole
    assert luna.conclude(dict(pairs)).to_json() == whole
    assert luna.conclude(iter(pairs)).to_json() == whole


def test_a_record_tells_what_is_known(broken_set: Path) -> None:
    record = luna.examine(broken_set / "good.png")
    assert record.ok and record.facts["width"] == 512
    assert repr(record).startswith("<luna_py.Record: PNG 512 x 512, ")
    cut = luna.examine(io.BytesIO((broken_set / "good.png").read_bytes()[:900]))
    assert not cut.ok
    assert "LF004" in [row["rule"] for row in cut.findings.to_pylist()]


def test_a_profile_decides(broken_set: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[rules]\nselect = ["LP"]\n')
    cut = (broken_set / "good.png").read_bytes()[:900]
    assert luna.examine(cut, profile=own).ok
    assert luna.conclude({}, profile=own).to_dict()["profile"]["name"] == "own"


def test_what_is_no_record_is_said() -> None:
    with pytest.raises(TypeError, match="records: item 1 is no pair of a path and a Record"):
        luna.conclude([("a.png", luna.examine(b"")), ("b.png", 7)])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="json: no record of this version"):
        luna.Record.from_json('{"a": "Jane Doe"}')
