"""`luna_py.read_image`: samples as they are, or what is wrong."""

import gc
import io
from pathlib import Path

import numpy
import pytest

import luna_py as luna

from conftest import png


@pytest.fixture
def good(broken_set: Path) -> Path:
    return broken_set / "good.png"


def test_samples_are_those_of_the_file(good: Path) -> None:
    pixels = luna.read_image(good)
    rows, columns = numpy.indices((512, 512))
    assert pixels.dtype == numpy.uint8
    assert numpy.array_equal(pixels, rows * columns % 256)


def test_bytes_files_and_paths_are_one(good: Path) -> None:
    pixels = luna.read_image(str(good))
    data = good.read_bytes()
    assert numpy.array_equal(luna.read_image(data), pixels)
    assert numpy.array_equal(luna.read_image(bytearray(data)), pixels)
    assert numpy.array_equal(luna.read_image(io.BytesIO(data)), pixels)
    with good.open("rb") as file:
        assert numpy.array_equal(luna.read_image(file), pixels)


def test_an_array_holds_its_own_memory_and_is_read_only() -> None:
    pixels = luna.read_image(png(300, 200))
    gc.collect()
    assert pixels.shape == (200, 300)
    assert pixels[3, 5] == 15 and not pixels.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 1
    changed = pixels.copy()
    changed[0, 0] = 1


def test_what_is_no_whole_picture_is_said(good: Path, tmp_path: Path) -> None:
    with pytest.raises(luna.ImageError, match=r"these bytes: .*LF004"):
        luna.read_image(good.read_bytes()[:-600])
    with pytest.raises(luna.ImageError, match="these bytes: it holds no bytes"):
        luna.read_image(b"")
    with pytest.raises(luna.SourceError, match=r"none\.png: cannot be read"):
        luna.read_image(tmp_path / "none.png")
    with pytest.raises(luna.SourceError, match="is a folder, where a file is due"):
        luna.read_image(tmp_path)
    with pytest.raises(TypeError, match=r"^source: a path, bytes.*not int"):
        luna.read_image(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="rb"):
        luna.read_image(io.StringIO("text"))  # type: ignore[arg-type]
    closed = good.open("rb")
    closed.close()
    with pytest.raises(luna.SourceError, match="closed file; pass it open"):
        luna.read_image(closed)
