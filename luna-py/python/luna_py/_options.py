"""What holds for the whole process."""

from dataclasses import dataclass


@dataclass
class Options:
    """How reports are shown.

    Attributes
    ----------
    thumbnails : bool, default True
        False keeps pictures out of what a notebook shows, and so out of a saved one.
    """

    thumbnails: bool = True


options = Options()
