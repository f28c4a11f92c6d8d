"""``python -m luna_py`` and the script ``luna``: the same command as the Rust binary."""

import sys

from luna_py import _luna


def main() -> int:
    """Run the command with the arguments of this process and return its exit code."""
    return _luna.main(["luna", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
