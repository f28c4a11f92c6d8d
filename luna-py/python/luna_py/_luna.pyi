from collections.abc import Sequence
from os import PathLike
from typing import Any, Final, Literal, TypeAlias, TypedDict, final

__all__ = [
    "LunaError",
    "ProfileError",
    "Report",
    "SourceError",
    "__version__",
    "main",
    "validate",
]

__version__: Final[str]

_Path: TypeAlias = str | PathLike[str]

class _Counts(TypedDict):
    error: int
    warning: int
    info: int
    excepted: int
    by_rule: dict[str, int]

class LunaError(Exception): ...
class ProfileError(LunaError): ...
class SourceError(LunaError): ...

@final
class Report:
    @property
    def ok(self) -> bool: ...
    @property
    def verdict(self) -> Literal["pass", "fail", "incomplete"]: ...
    @property
    def counts(self) -> _Counts: ...
    def to_json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def save(self, path: _Path) -> None: ...

def validate(
    path: _Path | Sequence[_Path],
    *,
    profile: _Path | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Report: ...
def main(arguments: Sequence[str]) -> int: ...
