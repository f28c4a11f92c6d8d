from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Final, Literal, Protocol, TypeAlias, TypedDict, final, overload

from luna_py.plot import Plots

__all__ = [
    "Client",
    "FileView",
    "Finding",
    "ImageError",
    "LunaError",
    "Profile",
    "ProfileError",
    "Record",
    "Records",
    "Report",
    "ReportDiff",
    "Rule",
    "ServiceError",
    "SourceError",
    "Table",
    "Validator",
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

_Severity: TypeAlias = Literal["error", "warning", "info"]
_Profile: TypeAlias = _Path | Mapping[str, Any] | Profile

class _Readable(Protocol):
    def read(self) -> bytes: ...

class _Dataset(Protocol):
    """pydicom's, which has more of it than is written down there."""

    file_meta: Any

    def save_as(self, filename: Any, /) -> object: ...

class _Array(Protocol):
    @property
    def __array_interface__(self) -> dict[str, Any]: ...

_Source: TypeAlias = _Path | bytes | bytearray | _Readable | _Dataset | _Array
_Table: TypeAlias = _Path | Mapping[str, Any] | Table | _Frame

class _Frame(Protocol):
    """A data frame, or an Arrow table."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

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
    def _repr_html_(self) -> str: ...
    def __len__(self) -> int: ...

@final
class Record:
    @property
    def ok(self) -> bool: ...
    @property
    def findings(self) -> Table: ...
    @property
    def facts(self) -> dict[str, Any]: ...
    @property
    def format(self) -> str | None: ...
    @property
    def width(self) -> int | None: ...
    @property
    def height(self) -> int | None: ...
    @property
    def frames(self) -> int | None: ...
    @property
    def channels(self) -> int | None: ...
    @property
    def bits_stored(self) -> int | None: ...
    def to_json(self) -> str: ...
    @staticmethod
    def from_json(json: str) -> Record: ...
    def __reduce__(self) -> tuple[Callable[[str], Record], tuple[str]]: ...

@final
class Records:
    def __iter__(self) -> Iterator[Record]: ...
    def __next__(self) -> Record: ...

@final
class Finding:
    def __new__(
        cls,
        message: str,
        *,
        help: str | None = None,
        found: str | None = None,
        expected: str | None = None,
        box: tuple[int, int, int, int] | None = None,
        frame: int = 0,
    ) -> Finding: ...

@final
class Rule:
    def __new__(
        cls,
        code: str,
        function: Callable[..., object],
        *,
        severity: _Severity = "error",
        name: str | None = None,
        pixels: bool = False,
        scope: Literal["image", "any"] = "image",
        summary: str | None = None,
        help: str | None = None,
    ) -> Rule: ...
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    def __call__(self, *arguments: Any) -> Any: ...
    def __reduce__(
        self,
    ) -> tuple[Callable[..., Rule], tuple[str, Callable[..., object], dict[str, Any]]]: ...

@final
class Profile:
    def __new__(cls, profile: _Profile | None = None) -> Profile: ...
    @classmethod
    def load(cls, name: _Path) -> Profile: ...
    @classmethod
    def _of_toml(cls, toml: str) -> Profile: ...
    def with_rule(
        self,
        rule: str,
        *,
        severity: _Severity | None = None,
        **options: float | Sequence[str],
    ) -> Profile: ...
    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str: ...
    def to_toml(self) -> str: ...
    def __reduce__(self) -> tuple[Callable[[str], Profile], tuple[str]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Validator:
    def __new__(
        cls,
        profile: _Profile | None = None,
        *,
        rules: Iterable[Rule] | None = None,
        threads: int | None = None,
        memory: int | str | None = None,
        identity_key: str | None = None,
        cache: object = None,
    ) -> Validator: ...
    @classmethod
    def _make(cls, profile: Profile, rules: tuple[Rule, ...], options: dict[str, Any]) -> Validator: ...
    def validate(
        self,
        source: _Source | Iterable[_Source | tuple[str, _Source]] | Mapping[str, _Source],
        *,
        manifest: _Table | None = None,
        labels: object = None,
        reference: object = None,
        storage_options: dict[str, Any] | None = None,
        filesystem: Any = None,
        bits_stored: int | None = None,
        progress: bool | Callable[[int, int], object] | None = None,
    ) -> Report: ...
    def examine(self, source: _Source, *, bits_stored: int | None = None) -> Record: ...
    def examine_many(
        self,
        sources: Iterable[_Source | tuple[str, _Source]],
        *,
        bits_stored: int | None = None,
    ) -> Records: ...
    def conclude(
        self,
        records: Mapping[str, Record] | Iterable[tuple[str, Record]],
        *,
        manifest: _Table | None = None,
        labels: object = None,
        reference: object = None,
    ) -> Report: ...
    @property
    def profile(self) -> Profile: ...
    def __reduce__(
        self,
    ) -> tuple[Callable[..., Validator], tuple[Profile, tuple[Rule, ...], dict[str, Any]]]: ...

@final
class FileView:
    @property
    def findings(self) -> Table: ...
    def _repr_html_(self) -> str: ...

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
    def show(self, path: str) -> FileView: ...
    @property
    def plot(self) -> Plots: ...
    def _thumbnail(self, path: str, side: int) -> tuple[bytes, int, int] | None: ...
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
    source: _Source | Iterable[_Source | tuple[str, _Source]] | Mapping[str, _Source],
    *,
    profile: _Profile | None = None,
    manifest: _Table | None = None,
    labels: object = None,
    reference: object = None,
    rules: Iterable[Rule] | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    storage_options: dict[str, Any] | None = None,
    filesystem: Any = None,
    bits_stored: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
) -> Report: ...
def read_image(
    source: _Path | bytes | bytearray | _Readable | _Dataset, *, modality: bool = False
) -> Any: ...
def examine(
    source: _Source,
    *,
    profile: _Profile | None = None,
    rules: Iterable[Rule] | None = None,
    bits_stored: int | None = None,
) -> Record: ...
def conclude(
    records: Mapping[str, Record] | Iterable[tuple[str, Record]],
    *,
    profile: _Profile | None = None,
    rules: Iterable[Rule] | None = None,
    manifest: _Table | None = None,
    labels: object = None,
    reference: object = None,
) -> Report: ...
def read_report(path: _Path) -> Report: ...
def rules() -> list[dict[str, Any]]: ...
def explain(rule: str) -> str: ...
def main(arguments: Sequence[str]) -> int: ...
