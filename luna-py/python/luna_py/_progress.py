"""A bar in a notebook, where stderr is no terminal."""

import html
import sys
import time
from collections.abc import Callable
from typing import Any


def notebook_bar() -> Callable[[int, int], None] | None:
    """Make a bar for the notebook that this runs in.

    Returns
    -------
    callable or None
        Takes the files done and the files in all; None outside of notebooks.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import HTML, display

    started = time.monotonic()
    handle: Any = None
    shown = ""

    def tell(done: int, total: int) -> None:
        nonlocal handle, shown
        page = _page(done, total, time.monotonic() - started)
        if page == shown:
            return
        shown = page
        if handle is None:
            handle = display(HTML(page), display_id=True)
        else:
            handle.update(HTML(page))

    return tell


def _page(done: int, total: int, seconds: float) -> str:
    """One line in the words of tqdm: share, counts, time spent, time left, rate."""
    if total == 0:
        text = f"{done:,} files [{_clock(seconds)}]" if done else "listing files"
        return f"<p><progress></progress> {html.escape(text)}</p>"
    rate = done / seconds if seconds > 0 else 0.0
    left = _clock((total - done) / rate) if rate > 0 else "?"
    text = f"{done / total:4.0%} {done:,}/{total:,} files [{_clock(seconds)}<{left}, {rate:,.1f} files/s]"
    return f'<p><progress max="{total}" value="{done}"></progress> {html.escape(text)}</p>'


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"
