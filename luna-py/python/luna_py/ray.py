"""A validation on Ray: workers examine files, and one report is made of their records.

>>> import luna_py.ray
>>> report = luna_py.ray.validate("/mnt/scans", profile="chest-xray")  # doctest: +SKIP
>>> report.save("report.html")  # doctest: +SKIP
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from luna_py import Record, Report, Rule, SourceError, Validator
from luna_py._listing import File, list_files

if TYPE_CHECKING:
    from luna_py._luna import _Profile, _Table

try:
    import pyarrow
    import ray.data
except ImportError as error:
    raise ImportError('luna_py.ray works with Ray Data: pip install "luna-py[ray]"') from error

__all__ = ["validate"]

_Path: TypeAlias = str | PathLike[str]

_ABSOLUTE = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*:")

# Enough for any cluster to share out, few enough for the driver to keep track of.
_MOST_BLOCKS = 1024

_TEXT = (pyarrow.string(), pyarrow.large_string())
_BYTES = (pyarrow.binary(), pyarrow.large_binary())

_ANSWER = pyarrow.schema(
    [
        ("path", pyarrow.string()),
        ("record", pyarrow.string()),
        ("problem", pyarrow.string()),
    ]
)


def validate(
    source: "_Path | Sequence[_Path] | ray.data.Dataset",
    *,
    profile: "_Profile | None" = None,
    rules: Iterable[Rule] = (),
    manifest: "_Table | None" = None,
    root: str | None = None,
    batch_size: int = 16,
    concurrency: int | None = None,
) -> Report:
    """Validate a data set on a Ray cluster.

    Uses the cluster that this process is connected to, or starts Ray as ``ray.init()`` does.
    Workers need luna-py, and see the files under the same paths.

    Parameters
    ----------
    source : str, os.PathLike, a sequence of them, or ray.data.Dataset
        Folders and files, listed here and read by the workers, so that their bytes pass through
        nothing else; or a Dataset with the columns ``path`` and ``bytes``, as
        ``ray.data.read_binary_files(..., include_paths=True)`` gives it. Mind that this function
        of Ray leaves out names that begin with ``.`` or ``_``.
    profile : str, os.PathLike, dict or Profile, optional
        As of :func:`luna_py.validate`. A TOML file is read here only.
    rules : iterable of Rule, optional
        Rules of one's own, made with :func:`luna_py.rule`. They run in the workers.
    manifest : str, os.PathLike, dict, data frame or Arrow table, optional
        As of :func:`luna_py.validate`, read here.
    root : str, optional
        The folder that the paths of a Dataset are to be relative to, in the way they begin
        there; needed if they are absolute.
    batch_size : int, default 16
        Files a worker takes at a time. With a Dataset, as many are in its memory at once.
    concurrency : int, optional
        Number of workers, each on one CPU. Unless given, as many as find a free one. With a
        Dataset, leave a CPU to the tasks that read it.

    Returns
    -------
    Report
        The same, byte for byte, as that of :func:`luna_py.validate`, with three exceptions. MD5
        sums of a manifest are not held against the files. A file above the profile's
        ``file_bytes`` is examined, and not reported as LF009. And tables in the data set are
        examined as files, but not read as tables: a manifest (``manifest.json``, ``.csv``,
        ``.tsv`` or ``.parquet``, ``SHA256SUMS``, ``MD5SUMS``, ``*.sha256``, ``*.md5``) or label
        tables (``labels*.csv``, ``.tsv``, ``.parquet``) at its root. Keep a manifest outside and
        pass it as `manifest`; inside, it would be a file that it does not list (LM007).

        A page that is saved of the report has no pictures, for no file is read a second time.

    Raises
    ------
    ProfileError
        If the profile does not exist or cannot be used.
    SourceError
        If a file cannot be read, here or by a worker, or is one that no record stands for: a
        link, a device, an archive, a name that is not UTF-8. :func:`luna_py.validate` reports
        those. Also if columns of a Dataset hold something else.
    TypeError, ValueError
        If an argument makes no sense; the message names it.

    Notes
    -----
    Memory of this process grows with the number of files, by some kilobytes a file, and not with
    their size: records come in as they are made, and wait until all are there. Patients are
    compared by hashes under a random key, a secret that goes to the workers.

    Examples
    --------
    >>> import ray.data, luna_py.ray
    >>> scans = ray.data.read_binary_files(
    ...     "s3://bucket/scans", include_paths=True)  # doctest: +SKIP
    >>> luna_py.ray.validate(scans, root="bucket/scans").verdict  # doctest: +SKIP
    'fail'
    """
    _check_count("batch_size", batch_size)
    if concurrency is not None:
        _check_count("concurrency", concurrency)
    # One thread a worker, for Ray gives it one CPU. The identity key goes along, so that the same
    # patient has the same hash in all of them.
    validator = Validator(profile, rules=rules, threads=1)
    if isinstance(source, ray.data.Dataset):
        # Asking Ray for columns that it does not know yet would read the first files.
        if columns := source.columns(fetch_if_missing=False):
            _check_columns(columns)
        files, column, name = source, "bytes", _below(root)
    else:
        if root is not None:
            raise ValueError("root: goes with a Dataset; other paths are relative to their folder")
        listed = list_files(_places(source))
        if not listed:
            return validator.conclude([], manifest=manifest)
        files, column, name = _dataset(listed, batch_size), "place", str
    examined = files.map_batches(
        _Examine,
        fn_constructor_args=(validator, column),
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=_pool(concurrency),
        num_cpus=1,
    )
    return validator.conclude(_records(examined, name), manifest=manifest)


class _Examine:
    """What a worker does with a batch: files in, records as JSON out."""

    def __init__(self, validator: Validator, column: str) -> None:
        self._validator = validator
        self._column = column

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        if problem := _unfit(batch) if self._column == "bytes" else None:
            return _answer([None], [None], [problem])
        sources = batch[self._column]
        try:
            # A file leaves the batch when its turn is near, so that few are there twice.
            records = self._validator.examine_many(value.as_py() for value in sources)
            texts = [record.to_json() for record in records]
        except SourceError as error:
            # As text: an exception would come out of Ray as another one.
            return _answer([None], [None], [f"{error}; is it there on all workers?"])
        return _answer(batch["path"], texts, [None] * len(texts))


def _answer(paths: Any, records: Any, problems: Any) -> pyarrow.Table:
    return pyarrow.table([paths, records, problems], schema=_ANSWER)


def _records(
    examined: "ray.data.Dataset", name: Callable[[str], str]
) -> Iterator[tuple[str, Record]]:
    for batch in examined.iter_batches(batch_size=None, batch_format="pyarrow"):
        for answer in batch.to_pylist():
            if answer["problem"]:
                raise SourceError(answer["problem"])
            yield name(answer["path"]), Record.from_json(answer["record"])


def _places(source: _Path | Sequence[_Path]) -> list[str]:
    several = [source] if isinstance(source, (str, bytes, dict, PathLike)) else source
    for place in several if isinstance(several, Iterable) else [several]:
        if not isinstance(place, (str, PathLike)):
            kind = type(place).__name__
            raise TypeError(f"source: a path, paths or a ray.data.Dataset is due, not {kind}")
    if not several:
        raise ValueError("source: an empty list names no data set")
    return [os.fspath(place) for place in several]


def _dataset(files: Sequence[File], batch_size: int) -> "ray.data.Dataset":
    """Names and places only; a block is what Ray gives to a worker at a time."""
    rows = max(batch_size, -(-len(files) // _MOST_BLOCKS))
    blocks = (files[start : start + rows] for start in range(0, len(files), rows))
    return ray.data.from_arrow(
        [
            pyarrow.table(
                {"path": [file.path for file in block], "place": [file.place for file in block]}
            )
            for block in blocks
        ]
    )


def _pool(workers: int | None) -> "ray.data.ActorPoolStrategy":
    if workers is None:
        return ray.data.ActorPoolStrategy(min_size=1, max_size=None)
    return ray.data.ActorPoolStrategy(size=workers)


def _below(root: str | None) -> Callable[[str], str]:
    """How a path of a Dataset is named in the report."""
    start = None if root is None else root.rstrip("/") + "/"

    def name(path: str) -> str:
        if start is None:
            if _ABSOLUTE.match(path):
                raise ValueError(
                    f"root: paths of the Dataset are absolute ({path!r});"
                    " name the folder that they are to be relative to"
                )
            return path
        if not path.startswith(start):
            raise ValueError(f"root: {path!r} is not below {start!r}")
        return path[len(start) :]

    return name


def _check_columns(columns: Sequence[str]) -> None:
    missing = [column for column in ("path", "bytes") if column not in columns]
    if missing:
        raise ValueError(
            f"source: the Dataset has no column {' and no column '.join(missing)}; one that is"
            " read with ray.data.read_binary_files(..., include_paths=True) has"
        )


def _unfit(batch: pyarrow.Table) -> str | None:
    """What keeps a batch of a Dataset from being examined."""
    try:
        _check_columns(batch.column_names)
    except ValueError as error:
        return str(error)
    for column, fits in (("path", _TEXT), ("bytes", _BYTES)):
        kind, nulls = batch[column].type, batch[column].null_count
        if kind not in fits or nulls:
            holds = f"{kind}, {nulls} of it null" if nulls else str(kind)
            return f"source: column {column} of the Dataset holds {holds}; {fits[0]} is due"
    return None


def _check_count(argument: str, number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{argument}: a whole number of at least 1, not {number!r}")
