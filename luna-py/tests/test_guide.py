"""The guide to Python, run from top to bottom: its examples, and what it says that they print."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import png
from pictures import radiograph

GUIDE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"^ *print\(.*\) +# (.+)$", flags=re.MULTILINE)


def dicom(place: Path) -> None:
    """A radiograph of 12 bits, of nobody."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    thorax = Dataset()
    thorax.SOPClassUID = SecondaryCaptureImageStorage
    for name in ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]:
        setattr(thorax, name, generate_uid(entropy_srcs=[name]))
    thorax.Modality, thorax.ConversionType = "CR", "DI"
    thorax.PatientName, thorax.PatientID = "P1", "P1"
    thorax.PatientBirthDate, thorax.PatientSex = "", ""
    thorax.PatientIdentityRemoved, thorax.DeidentificationMethod = "YES", "none was there"
    thorax.BurnedInAnnotation = "NO"
    thorax.SamplesPerPixel, thorax.PhotometricInterpretation = 1, "MONOCHROME2"
    thorax.Rows, thorax.Columns = 600, 560
    thorax.BitsAllocated, thorax.BitsStored, thorax.HighBit = 16, 12, 11
    thorax.PixelRepresentation = 0
    thorax.PixelData = radiograph(bits=12).tobytes()
    thorax.file_meta = FileMetaDataset()
    thorax.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(place, thorax, enforce_file_format=True)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A picture, its copy, half of another, a DICOM object; an archive and a second folder beside."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ["good.png", "again.png"]:
        (folder / name).write_bytes(png(512, 512))
    (folder / "cut.png").write_bytes(png(640, 640)[:-3_000])
    dicom(folder / "thorax.dcm")
    shutil.make_archive(str(folder), "zip", folder)
    shutil.copytree(folder, tmp_path / "more")
    return folder


def test_the_examples_run_and_print_what_they_say(
    scans: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(scans.parent)
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    claims = 0
    for number, block in enumerate(blocks, 1):
        if block.startswith("# needs a server\n"):
            compile(block, f"example {number}", "exec")
            continue
        exec(compile(block, f"example {number}", "exec"), names)
        printed = capsys.readouterr().out
        for claim in PRINTED.findall(block):
            claims += 1
            assert claim in printed.splitlines(), f"example {number}"
    assert len(blocks) > 10 and claims > 5
    assert Path("report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("document", ["README.md", "docs/guide.md"])
def test_who_looks_for_python_finds_the_guide(document: str) -> None:
    place = GUIDE.parents[1] / document
    links = re.findall(r"\]\(([^)#]*python\.md)\)", place.read_text(encoding="utf-8"))
    assert [(place.parent / link).resolve() for link in links] == [GUIDE.resolve()]


def test_its_notebooks_are_there() -> None:
    links = re.findall(r"\]\(([^)]+\.ipynb)\)", GUIDE.read_text(encoding="utf-8"))
    there = {it.name for it in (GUIDE.parents[1] / "luna-py" / "notebooks").glob("*.ipynb")}
    assert {Path(link).name for link in links} == there
    assert [link for link in links if not (GUIDE.parent / link).exists()] == []
