from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Final, Literal, Protocol, TypeAlias, TypedDict, final, overload

__all__ = [
    "Client",
    "ImageError",
    "LunaError",
    "ProfileError",
    "Record",
    "Report",
    "ReportDiff",
    "ServiceError",
    "SourceError",
    "Table",
    "VerdictError",
    "__version__",
    "conclude",
    "examine",
    "explain",
    "main",
    "read_image",
    "read_report",
    "rules",
    "validate",
]

__version__: Final[str]

_Path: TypeAlias = str | PathLike[str]

class _Readable(Protocol):
    def read(self) -> bytes: ...

class _Counts(TypedDict):
    error: int
    warning: int
    info: int
    excepted: int
    by_rule: dict[str, int]

class LunaError(Exception): ...
class ProfileError(LunaError): ...
class SourceError(LunaError): ...
class ImageError(LunaError): ...
class VerdictError(LunaError): ...

class ServiceError(LunaError):
    status: int | None
    code: str | None
    detail: str | None
    request_id: str | None
    remedy: str | None

@final
class Table:
    @property
    def num_rows(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    def to_pylist(self) -> list[dict[str, Any]]: ...
    def to_arrow(self) -> Any: ...
    def to_pandas(self) -> Any: ...
    def to_polars(self) -> Any: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __len__(self) -> int: ...

@final
class Record:
    @property
    def ok(self) -> bool: ...
    @property
    def findings(self) -> Table: ...
    @property
    def facts(self) -> dict[str, Any]: ...
    def to_json(self) -> str: ...
    @staticmethod
    def from_json(json: str) -> Record: ...
    def __reduce__(self) -> tuple[Callable[[str], Record], tuple[str]]: ...

@final
class ReportDiff:
    @property
    def new(self) -> Table: ...
    @property
    def fixed(self) -> Table: ...
    @property
    def still(self) -> Table: ...

@final
class Report:
    @property
    def ok(self) -> bool: ...
    @property
    def verdict(self) -> Literal["pass", "fail", "incomplete"]: ...
    @property
    def counts(self) -> _Counts: ...
    @property
    def findings(self) -> Table: ...
    @property
    def files(self) -> Table: ...
    @property
    def summary(self) -> Table: ...
    @property
    def issues(self) -> Table: ...
    @property
    def passed(self) -> list[str]: ...
    @property
    def rejected(self) -> list[str]: ...
    def paths(
        self,
        *,
        rule: str | None = None,
        severity: Literal["error", "warning", "info"] | None = None,
    ) -> list[str]: ...
    def diff(self, old: Report) -> ReportDiff: ...
    def raise_for_verdict(self) -> None: ...
    def _repr_html_(self) -> str: ...
    def to_json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def save(self, path: _Path) -> None: ...

@final
class Client:
    def __new__(
        cls,
        url: str | None = None,
        *,
        api_key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        insecure: bool = False,
    ) -> Client: ...
    @overload
    def push(
        self,
        path: _Path,
        *,
        dataset_name: str | None = None,
        description: str = "",
        task: str | None = None,
        team: int | None = None,
        replaces: int | None = None,
        remove: Sequence[str] | None = None,
        profile: _Path | None = None,
        check: bool = True,
        fresh: bool = False,
        wait: Literal[True] = True,
        progress: bool | None = None,
    ) -> Report: ...
    @overload
    def push(
        self,
        path: _Path,
        *,
        dataset_name: str | None = None,
        description: str = "",
        task: str | None = None,
        team: int | None = None,
        replaces: int | None = None,
        remove: Sequence[str] | None = None,
        profile: _Path | None = None,
        check: bool = True,
        fresh: bool = False,
        wait: Literal[False],
        progress: bool | None = None,
    ) -> int: ...
    @overload
    def push(
        self,
        path: _Path,
        *,
        dataset_name: str | None = None,
        description: str = "",
        task: str | None = None,
        team: int | None = None,
        replaces: int | None = None,
        remove: Sequence[str] | None = None,
        profile: _Path | None = None,
        check: bool = True,
        fresh: bool = False,
        wait: bool = True,
        progress: bool | None = None,
    ) -> Report | int: ...
    def datasets(self) -> list[dict[str, Any]]: ...
    def report(self, dataset_id: int) -> Report: ...

def validate(
    path: _Path | Sequence[_Path],
    *,
    profile: _Path | None = None,
    manifest: _Path | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: bool | None = None,
) -> Report: ...
def read_image(
    source: _Path | bytes | bytearray | _Readable, *, modality: bool = False
) -> Any: ...
def examine(
    source: _Path | bytes | bytearray | _Readable, *, profile: _Path | None = None
) -> Record: ...
def conclude(
    records: Mapping[str, Record] | Iterable[tuple[str, Record]], *, profile: _Path | None = None
) -> Report: ...
def read_report(path: _Path) -> Report: ...
def rules() -> list[dict[str, Any]]: ...
def explain(rule: str) -> str: ...
def main(arguments: Sequence[str]) -> int: ...
