"""The command that the package brings along."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import luna_py as luna


def test_the_script_and_the_module_are_the_same_command() -> None:
    script = Path(sysconfig.get_path("scripts")) / "luna"
    by_script = subprocess.run([script, "--version"], capture_output=True, check=True, text=True)
    by_module = subprocess.run(
        [sys.executable, "-m", "luna_py", "--version"], capture_output=True, check=True, text=True
    )
    assert by_script.stdout == by_module.stdout == f"luna {luna.__version__}\n"


def test_the_exit_code_reaches_the_shell() -> None:
    command = [sys.executable, "-m", "luna_py", "validate", "no/such/folder"]
    failed = subprocess.run(command, capture_output=True, check=False, text=True)
    assert failed.returncode == 3
    assert "no/such/folder" in failed.stderr


def test_what_lives_in_the_server_build_says_so() -> None:
    for arguments in [["worker"], ["worker", "healthcheck"], ["admin", "doctor", "--help"]]:
        command = [sys.executable, "-m", "luna_py", *arguments]
        refused = subprocess.run(command, capture_output=True, check=False, text=True)
        assert refused.returncode == 2
        assert f"`luna {arguments[0]}` lives in the server build" in refused.stderr


def test_push_is_there() -> None:
    command = [sys.executable, "-m", "luna_py", "push", "no/such/folder", "--server", "x"]
    failed = subprocess.run(command, capture_output=True, check=False, text=True)
    assert failed.returncode == 3
    assert "no/such/folder" in failed.stderr
