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
