"""What has a name already, and comes with a later version."""

from typing import Any, NoReturn


def fingerprints(source: Any, /, **options: Any) -> NoReturn:
    """Fingerprints of a reference set, against which others are held.

    Raises
    ------
    NotImplementedError
        In this version of luna-py: data sets are not compared with earlier ones yet. Copies within one data set
        are found by :func:`validate`; put both sets into one call to compare them.

    Examples
    --------
    >>> import luna_py as luna
    >>> report = luna.validate(["train", "test"])  # doctest: +SKIP
    """
    raise NotImplementedError(
        "fingerprints: not in this version of luna-py; validate([train, test]) finds copies across both"
    )
