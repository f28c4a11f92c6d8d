"""Loads the scripts of .ci, whose names have no ending, as modules."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

CI = Path(__file__).parent.parent


def load(name: str) -> ModuleType:
    loader = SourceFileLoader(name.replace("-", "_"), str(CI / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def script(request: pytest.FixtureRequest) -> ModuleType:
    """The script that the test module's SCRIPT names."""
    return load(request.module.SCRIPT)
