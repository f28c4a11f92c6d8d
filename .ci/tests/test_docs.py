"""Whether .ci/docs sees what is wrong with a document."""

from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = "docs"


def ran(script: ModuleType, folder: Path, text: str) -> str:
    document = folder / "page.md"
    document.write_text(text)
    said: str = script.run_document(document, [])
    return said.split(": ", 1)[-1].rsplit(",", 1)[0]


def test_blocks_share_a_shell_and_output_is_compared(script: ModuleType, tmp_path: Path) -> None:
    text = """\
<!-- before: echo secret > key -->
<!-- … is: cat key -->
```console
$ export K=… && mkdir inner && cd inner
```

<!-- exit: 3 -->
```console
$ echo "$K" && \\
  pwd && (exit 3)
sec…
…/inner
```

<!-- beside until: ready -->
```sh
trap 'exit 0' TERM
echo ready
while true; do sleep 0.1; done
```

<!-- end beside -->
<!-- example.org is: echo here -->
```console
$ echo https://example.org:8000
https://here:…
```

<!-- not run: needs a cluster here -->
```sh
false
```

```toml
not = "run"
```

<!-- file: kept.toml -->
```toml
it = "is kept"
```

<!-- exit: 0 1 -->
```console
$ cat kept.toml
it = "is kept"
$ false
```
"""
    assert ran(script, tmp_path, text) == "6 blocks with 7 commands run, 1 not"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("```console\n$ false\n```\n", "page.md:1: ends with 1, not 0: false"),
        ("```console\n$ echo one\none\ntwo\n```\n", "does not print (after what stands above it): two"),
        ("```console\n$ printf 'b\\na\\n'\na\nb\n```\n", "does not print"),
        ("```sh\nfalse\ntrue\n```\n", "ends with 1"),
        ("```console\nno prompt\n```\n", "begins with"),
        ("```console\n$ echo …\n```\n", "says not what"),
        ("<!-- … is: true -->\n```console\n$ echo …\n```\n", "prints no single line"),
        ("<!-- not run: no -->\n```sh\nfalse\n```\n", "needs a reason"),
        ("<!-- not run -->\n```sh\nfalse\n```\n", "lacks its text"),
        ("<!-- exit: 1 -->\nWords.\n", "above no block"),
        ("<!-- run -->\n```python\nraise SystemExit(1)\n```\n", "ends with 1"),
        ("<!-- before: false -->\n```sh\ntrue\n```\n", "before it"),
        ("```console\n$ exit\n```\n", "the shell ended"),
        ("<!-- beside until: up -->\n```console\n$ echo up\n$ true\n```\n", "is one command"),
        ("<!-- beside until: up -->\n```sh\necho up; sleep 9\n```\n<!-- end beside -->\n```sh\ntrue\n```\n", "ended with 143"),
        ("<!-- exit: 0 1 -->\n```console\n$ true\n$ true\n$ true\n```\n", "2 statuses for 3 commands"),
        ("<!-- x is: echo y -->\n```sh\ntrue\n```\n", "no `x` in it"),
        ("```sh\ntrue\n", "does not end"),
    ],
)
def test_what_is_wrong_is_said(script: ModuleType, tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(script.Wrong) as wrong:
        ran(script, tmp_path, text)
    assert why in str(wrong.value)


def test_a_document_without_commands_says_nothing(script: ModuleType, tmp_path: Path) -> None:
    assert ran(script, tmp_path, "Words.\n\n```python\nraise SystemExit(1)\n```\n") == ""
