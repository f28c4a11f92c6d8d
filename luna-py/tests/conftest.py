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


def dicom(patient: str, number: int) -> bytes:
    """A grey digital X-ray image of 16 x 16 pixels, explicit VR little endian."""

    def element(group: int, tag: int, kind: str, value: bytes | str | int) -> bytes:
        if isinstance(value, int):
            value = struct.pack("<I" if kind == "UL" else "<H", value)
        elif isinstance(value, str):
            value = value.encode()
            value += (b"\0" if kind == "UI" else b" ") * (len(value) % 2)
        is_long = kind in ("OB", "OW")
        size = struct.pack("<HI", 0, len(value)) if is_long else struct.pack("<H", len(value))
        return struct.pack("<HH", group, tag) + kind.encode() + size + value

    image, root = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.826.0.1.3680043.10.1"
    meta = (
        element(2, 0x01, "OB", b"\0\1")
        + element(2, 0x02, "UI", image)
        + element(2, 0x03, "UI", f"{root}.{number}")
        + element(2, 0x10, "UI", "1.2.840.10008.1.2.1")
        + element(2, 0x12, "UI", root)
    )
    data = (
        element(8, 0x16, "UI", image)
        + element(8, 0x18, "UI", f"{root}.{number}")
        + element(8, 0x60, "CS", "DX")
        + element(0x10, 0x20, "LO", patient)
        + element(0x20, 0x0D, "UI", f"{root}.1.{number}")
        + element(0x20, 0x0E, "UI", f"{root}.2.{number}")
        + element(0x28, 0x02, "US", 1)
        + element(0x28, 0x04, "CS", "MONOCHROME2")
        + element(0x28, 0x10, "US", 16)
        + element(0x28, 0x11, "US", 16)
        + element(0x28, 0x100, "US", 16)
        + element(0x28, 0x101, "US", 12)
        + element(0x28, 0x102, "US", 11)
        + element(0x28, 0x103, "US", 0)
        + element(0x7FE0, 0x10, "OW", struct.pack("<256H", *(number + x for x in range(256))))
    )
    return b"\0" * 128 + b"DICM" + element(2, 0x00, "UL", len(meta)) + meta + data


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
