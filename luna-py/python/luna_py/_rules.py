"""Rules of one's own."""

import os
import traceback
from collections.abc import Callable
from typing import Any, Literal

from luna_py._luna import Rule


def rule(
    code: str,
    *,
    severity: Literal["error", "warning", "info"] = "error",
    name: str | None = None,
    pixels: bool = False,
    scope: Literal["image", "any"] = "image",
    help: str | None = None,
) -> Callable[[Callable[..., object]], Rule]:
    """Make a rule of a function.

    The function takes a :class:`Record`, without findings, and with ``pixels=True`` the decoded pixels as a
    numpy array of shape (H, W), (H, W, channels) or with the frames in front. It returns None or False for
    nothing, a :class:`Finding`, a message, or several of these. It is called from several threads, and its
    answer depends on nothing else, so that a report stays the same from run to run. What it raises becomes a
    finding about the rule, and the run goes on.

    A rule runs where it is passed in: ``luna.validate("data", rules=[portrait_only])``.

    Parameters
    ----------
    code : str
        2 to 8 capital letters and three digits, such as ``"ORG001"``; letters that no rule of LUNA has.
    severity : {"error", "warning", "info"}, default "error"
        Severity of its findings; a profile may set another.
    name : str, optional
        The defect in a few words, with dashes; the name of the function unless given.
    pixels : bool, default False
        True to be given the pixels.
    scope : {"image", "any"}, default "image"
        ``"image"``: decoded pictures; ``"any"``: every file.
    help : str, optional
        What to do about its findings.

    Returns
    -------
    callable
        A decorator that makes a :class:`Rule` of a function.

    Raises
    ------
    ValueError
        If the code is none, or belongs to LUNA; or another argument makes no sense.

    Examples
    --------
    >>> import luna_py as luna
    >>> @luna.rule("ORG001", help="Turn the picture.")
    ... def not_portrait(record):
    ...     if record.width > record.height:
    ...         return f"{record.width} pixels wide and only {record.height} high."
    >>> not_portrait
    <luna_py.Rule: ORG001 not-portrait>
    """

    def declare(function: Callable[..., object]) -> Rule:
        return Rule(
            code,
            function,
            severity=severity,
            name=name,
            pixels=pixels,
            scope=scope,
            help=help,
        )

    return declare


def make(code: str, function: Callable[..., object], options: dict[str, Any]) -> Rule:
    """Make a rule again that was pickled."""
    return Rule(code, function, **options)


def describe(error: BaseException) -> tuple[str, str]:
    """Tell what was raised and where, without folders, which differ from machine to machine."""
    frames = traceback.extract_tb(error.__traceback__)
    steps = [f"{os.path.basename(it.filename)}, line {it.lineno}, in {it.name}" for it in frames]
    text = str(error)
    what = type(error).__name__ + (f": {text}" if text else "")
    at = f" at {steps[-1]}" if steps else ""
    lines = [f"{step}: {it.line}" for step, it in zip(steps, frames, strict=True)]
    return what + at, "; ".join(lines)
