"""``keyyo-cti --version``: the versions of everything that a bug report has to name."""

import argparse
import sys
from typing import Any, Dict, Iterator, Tuple

from .._version import __version__

#: The libraries that this package needs, and those that each extra adds.
LIBRARIES: Dict[str, Tuple[str, ...]] = {
    "": (
        "oauthlib", "platformdirs", "requests", "requests-oauthlib", "urllib3", "websocket-client"
    ),
    "notebook": ("ipywidgets", "matplotlib"),
    "simulator": ("aiohttp", "trustme"),
    "socks": ("PySocks",),
    "terminal": ("phonenumbers", "rich", "shtab"),
    "testing": ("pytest",),
    "translate": ("tree-sitter", "tree-sitter-javascript"),
}


class VersionAction(argparse._VersionAction):
    """Prints the versions, and ends the program."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        for line in describe_versions():
            print(line)
        parser.exit()


def describe_versions() -> Iterator[str]:
    """Yield a line for this package, for Python, for the system and for each library."""
    # Imported late: other commands do without.
    import platform
    import ssl

    yield f"keyyo-cti {__version__}"
    yield f"Python {platform.python_version()} ({platform.python_implementation()})"
    yield f"platform {platform.platform()}, {platform.machine()}, {sys.getfilesystemencoding()}"
    yield ssl.OPENSSL_VERSION
    for extra, names in LIBRARIES.items():
        for name in names:
            yield f"{name} {_find_version(name, extra)}"


def _find_version(name: str, extra: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"not installed (extra {extra})" if extra else "not installed"
