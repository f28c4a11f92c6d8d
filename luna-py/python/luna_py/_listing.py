"""Files of this machine, named as the report of :func:`luna_py.validate` names them."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from luna_py._luna import SourceError

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

# Zip, gzip and zstd; a plain tar says what it is further in.
_PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


class File(NamedTuple):
    """A plain file.

    Attributes
    ----------
    path : str
        What reports call it, with ``/``.
    place : str
        Where it lies, from the root of the file system.
    """

    path: str
    place: str


def list_files(places: Sequence[str]) -> list[File]:
    """List folders, with everything below them, and single files as one data set.

    Parameters
    ----------
    places : sequence of str
        Paths are relative to a single folder; of several places each path begins with the last
        part of its place, and a second ``a`` is ``a-2``.

    Returns
    -------
    list of File
        In the order of their paths.

    Raises
    ------
    SourceError
        If a place is not there, or holds what only :func:`luna_py.validate` can report: links,
        devices, folders that cannot be listed, names that are not UTF-8, archives.
    """
    folders: list[str] = []
    singles: list[str] = []
    for place in places:
        (folders if _is_folder(place) else singles).append(place)
    if len(folders) == 1 and not singles:
        files = list(_below(os.path.abspath(folders[0])))
    else:
        files = [*_side_by_side(folders), *_one_by_one(singles)]
    return sorted(files)


def _side_by_side(folders: Sequence[str]) -> Iterator[File]:
    taken: set[str] = set()
    for folder in folders:
        name = _free(os.path.basename(os.path.realpath(folder)) or "root", "", taken)
        for file in _below(os.path.abspath(folder)):
            yield File(_as_text(f"{name}/{file.path}"), file.place)


def _one_by_one(places: Sequence[str]) -> Iterator[File]:
    taken: set[str] = set()
    for place in places:
        if os.path.islink(place) or not os.path.isfile(place):
            raise _beyond_records(place)
        if _is_packed(place):
            raise SourceError(
                f"source {place!r}: is packed; unpack it and name the folder,"
                " or call luna_py.validate, which reads archives in place"
            )
        name = os.path.basename(place)
        stem, dot, ending = name.rpartition(".")
        parts = (stem, dot + ending) if stem else (name, "")
        yield File(_as_text(_free(*parts, taken)), os.path.abspath(place))


def _below(root: str) -> Iterator[File]:
    pending = [("", root)]
    while pending:
        prefix, folder = pending.pop()
        try:
            with os.scandir(folder) as found:
                entries = list(found)
        except OSError as error:
            raise _unreadable(folder, error) from error
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append((f"{path}/", entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield File(_as_text(path), entry.path)
            else:
                raise _beyond_records(path)


def _free(stem: str, ending: str, taken: set[str]) -> str:
    """The first of ``stem``, ``stem-2``, ``stem-3``, … with this ending that is not taken."""
    name, number = stem + ending, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{ending}"
    taken.add(name)
    return name


def _is_folder(place: str) -> bool:
    if _URI.match(place):
        # Not repeated in the message: a URI may hold a password.
        raise SourceError(
            "source: a URI is read by Ray itself: pass"
            " ray.data.read_binary_files(uri, include_paths=True)"
        )
    if not os.path.lexists(place):
        raise SourceError(f"source {place!r}: there is no such file or folder")
    return os.path.isdir(place)


def _is_packed(place: str) -> bool:
    try:
        with open(place, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise _unreadable(place, error) from error
    return head.startswith(_PACKED) or head[257:262] == b"ustar"


def _as_text(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise SourceError(
            f"source {path!r}: the name is not UTF-8; rename it,"
            " or call luna_py.validate, which reports it"
        ) from error
    return path


def _beyond_records(path: str) -> SourceError:
    return SourceError(
        f"source {path!r}: is a link or a device, and no record stands for one; remove it,"
        " or call luna_py.validate, which reports it"
    )


def _unreadable(place: str, error: OSError) -> SourceError:
    return SourceError(f"source {place!r}: cannot be read: {error.strerror}")
