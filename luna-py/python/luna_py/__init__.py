"""LUNA says exactly what is wrong with a set of X-ray images.

>>> import luna_py as luna
>>> report = luna.validate("scans", profile="chest-xray")  # doctest: +SKIP
>>> report.save("report.html")  # doctest: +SKIP
"""

from luna_py._luna import (
    FileView,
    Finding,
    ImageError,
    LunaError,
    Profile,
    ProfileError,
    Record,
    Records,
    Report,
    ReportDiff,
    Rule,
    ServiceError,
    SourceError,
    Table,
    Validator,
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
from luna_py._later import fingerprints
from luna_py._options import Options, options
from luna_py._rules import rule

__all__ = [
    "FileView",
    "Finding",
    "ImageError",
    "LunaError",
    "Options",
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
    "fingerprints",
    "options",
    "read_image",
    "read_report",
    "rule",
    "rules",
    "validate",
]
