"""Files are named as `luna_py.validate` names them."""

import os
from pathlib import Path

import pytest

import luna_py as luna
from luna_py._listing import list_files


def put(place: Path, content: bytes = b"x") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def names(*places: Path) -> list[str]:
    return [file.path for file in list_files([str(place) for place in places])]


def names_in_report(*places: Path) -> list[str]:
    return [entry["path"] for entry in luna.validate(list(places)).to_dict()["files"]]


def test_nothing_below_a_folder_is_left_out(tmp_path: Path) -> None:
    paths = ["b.png", "a/1.png", "a-b.png", ".hidden/x", "_under", "a/.DS_Store", "ö ä/e\u0301"]
    for path in paths:
        put(tmp_path / path)
    (tmp_path / "empty").mkdir()
    assert sorted(names(tmp_path), key=str.encode) == names_in_report(tmp_path)
    assert sorted(names(tmp_path)) == sorted(paths)


def test_a_file_lies_where_it_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "set" / "a" / "1.png")
    monkeypatch.chdir(tmp_path)
    (file,) = list_files(["set"])
    assert file == ("a/1.png", str(tmp_path / "set" / "a" / "1.png"))
    (file,) = list_files(["set/a/1.png"])
    assert file == ("1.png", str(tmp_path / "set" / "a" / "1.png"))


def test_several_places_stand_side_by_side(tmp_path: Path) -> None:
    files = [put(tmp_path / path) for path in ["x/a/1.png", "y/a/1.png", "z/a.v2/2", "z/.b/3"]]
    folders = [file.parent for file in files]
    for places in [
        folders,
        files,
        [*folders, *files],
        [folders[0], folders[0]],
        [files[0], files[0]],
        [folders[0]],
        [files[2], folders[3]],
    ]:
        assert sorted(names(*places), key=str.encode) == names_in_report(*places)


def test_what_no_record_stands_for_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    link = folder / "sub" / "link.png"
    link.parent.mkdir(parents=True)
    link.symlink_to(put(tmp_path / "a.png"))
    for place in [folder, link]:
        with pytest.raises(luna.SourceError, match=r"link\.png': is a link.*luna_py\.validate"):
            names(place)
    link.unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(luna.SourceError, match="source 'pipe': is a link or a device"):
        names(folder)


def test_a_link_to_the_folder_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "set" / "a.png")
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert names(tmp_path / "link") == names_in_report(tmp_path / "link") == ["a.png"]


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.png", os.O_CREAT))
    with pytest.raises(luna.SourceError, match=r"source 'caf\\udce9\.png': the name is not UTF-8"):
        names(tmp_path)


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"\x1f\x8b\x08", b"\0" * 257 + b"ustar"])
def test_an_archive_is_for_one_machine(tmp_path: Path, head: bytes) -> None:
    place = put(tmp_path / "set.any", head)
    with pytest.raises(luna.SourceError, match=r"set\.any': is packed; unpack it"):
        names(place)
    # Below a folder it is a file like any other.
    assert names(tmp_path) == ["set.any"]


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(luna.SourceError, match="no-such' *: there is no such file or folder"):
        names(tmp_path / "no-such")
    with pytest.raises(luna.SourceError, match="read_binary_files") as said:
        list_files(["s3://ada:secret@bucket/set"])
    assert "secret" not in str(said.value)
