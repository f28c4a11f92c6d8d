"""LUNA says exactly what is wrong with a set of X-ray images.

>>> import luna_py as luna
>>> report = luna.validate("scans", profile="chest-xray")  # doctest: +SKIP
>>> report.save("report.html")  # doctest: +SKIP
"""

from luna_py._luna import (
    LunaError,
    ProfileError,
    Report,
    SourceError,
    __version__,
    validate,
)

__all__ = [
    "LunaError",
    "ProfileError",
    "Report",
    "SourceError",
    "__version__",
    "validate",
]
