"""LUNA says exactly what is wrong with a set of X-ray images.

>>> import luna_py as luna
>>> report = luna.validate("scans", profile="chest-xray")  # doctest: +SKIP
>>> report.save("report.html")  # doctest: +SKIP
"""

from luna_py._luna import (
    ImageError,
    LunaError,
    ProfileError,
    Record,
    Report,
    ReportDiff,
    ServiceError,
    SourceError,
    Table,
    VerdictError,
    __version__,
    conclude,
    examine,
    explain,
    read_image,
    read_report,
    rules,
    validate,
)
from luna_py._options import Options, options

__all__ = [
    "ImageError",
    "LunaError",
    "Options",
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
    "options",
    "read_image",
    "read_report",
    "rules",
    "validate",
]
