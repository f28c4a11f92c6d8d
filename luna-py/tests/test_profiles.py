"""Profiles without a file."""

import pickle
from pathlib import Path

import pytest

import luna_py as luna


def test_a_profile_of_any_kind(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text('extends = "chest-xray"\nname = "ours"\n[rules]\npreview = true\n')
    of_file = luna.Profile(file)
    of_dict = luna.Profile({"extends": "chest-xray", "name": "ours", "rules": {"preview": True}})
    assert of_file == of_dict == luna.Profile.load(file) == luna.Profile(of_dict)
    assert of_file.hash == of_dict.hash != luna.Profile("chest-xray").hash
    assert luna.Profile() == luna.Profile("default")
    assert repr(of_dict).startswith("<luna_py.Profile: ours, ")
    again = tmp_path / "again.toml"
    again.write_text(of_dict.to_toml())
    assert luna.Profile(again) == of_dict == pickle.loads(pickle.dumps(of_dict))


def test_a_rule_is_set_otherwise() -> None:
    profile = luna.Profile("chest-xray").with_rule("LP012", severity="warning", min_side=1024)
    assert profile == luna.Profile(
        {
            "extends": "chest-xray",
            "name": "chest-xray",
            "rules": {"LP012": {"severity": "warning", "min_side": 1024}},
        }
    )


def test_what_is_no_profile_is_said() -> None:
    with pytest.raises(luna.ProfileError, match="did you mean `chest-xray`"):
        luna.Profile("chest-xry")
    with pytest.raises(luna.ProfileError, match=r"^profile dict: unknown key `selct` in \[rules\]"):
        luna.validate({"a": b""}, profile={"rules": {"selct": ["LF"]}})
    with pytest.raises(luna.ProfileError, match="LP999"):
        luna.Profile({"rules": {"LP999": {"severity": "info"}}})
    with pytest.raises(luna.ProfileError, match="LQ"):
        luna.Profile({"rules": {"ignore": ["LQ"]}})
    with pytest.raises(luna.ProfileError, match="did you mean `min_side`"):
        luna.Profile({"rules": {"LP012": {"min_sides": 512}}})
    assert luna.Profile({"rules": {"ignore": ["ORG001"]}}).name
    with pytest.raises(luna.ProfileError, match="LP0012"):
        luna.Profile().with_rule("LP0012", severity="info")
    with pytest.raises(luna.ProfileError, match="min_size.*did you mean `min_side`"):
        luna.Profile().with_rule("LP012", min_size=3)
    with pytest.raises(luna.ProfileError, match="expected"):
        luna.Profile().with_rule("LP012", min_side=-3)
    with pytest.raises(TypeError, match="^min_side: a number or a list of texts"):
        luna.Profile().with_rule("LP012", min_side=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="^severity: fatal is none of"):
        luna.Profile().with_rule("LP012", severity="fatal")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="^profile: the name of a built-in.*not int"):
        luna.examine(b"", profile=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="^profile: a dict with the keys"):
        luna.examine(b"", profile={"rules": {1, 2}})
