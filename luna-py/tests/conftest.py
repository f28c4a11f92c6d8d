"""Small data sets, made on the spot."""

import struct
import zlib
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pages", type=Path, help="a folder for the notebooks, executed, as HTML")


def png(width: int = 64, height: int = 64) -> bytes:
    """A grey PNG with a gradient."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    rows = b"".join(
        b"\0" + bytes((x * y) % 256 for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def broken_set(tmp_path: Path) -> Path:
    """One good picture and one empty file."""
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "good.png").write_bytes(png(512, 512))
    (folder / "empty.png").write_bytes(b"")
    return folder


@pytest.fixture
def large_set(tmp_path: Path) -> Path:
    """More work than is done in a blink."""
    folder = tmp_path / "large"
    folder.mkdir()
    picture = png(1024, 1024)
    for number in range(300):
        (folder / f"{number:04}.png").write_bytes(picture)
    return folder
