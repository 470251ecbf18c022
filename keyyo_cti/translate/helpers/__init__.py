"""Small functions that a translation prints above itself where Python has no short equivalent.

Each module here is plain code, so that it can be tested; a translation holds the source of the
functions that it uses, and of those that they use.
"""

from __future__ import annotations

import pkgutil
import re
from functools import lru_cache
from typing import Dict, FrozenSet, Iterable, List, Set

_MODULES = ("errors", "values", "operators", "arrays", "strings", "dates")

_IMPORTS = {
    "math": "import math", "re": "import re", "json": "import json", "time": "import time",
    "datetime": "from datetime import datetime", "timezone": "from datetime import timezone",
    "timedelta": "from datetime import timedelta",
    "Decimal": "from decimal import Decimal", "urllib": "import urllib.parse",
    "ROUND_HALF_UP": "from decimal import ROUND_HALF_UP", "functools": "import functools",
    "random": "import random", "os": "import os", "sys": "import sys",
    "threading": "import threading",
}


@lru_cache(maxsize=None)
def _sources() -> Dict[str, str]:
    """Return the source of each helper, by its name."""
    found: Dict[str, str] = {}
    for module in _MODULES:
        # Also from a zip file.
        data = pkgutil.get_data(__name__, f"{module}.py")
        assert data is not None
        text = data.decode("utf-8").replace("\r\n", "\n")
        for part in re.split(r"\n\n\n(?=def |class )", text)[1:]:
            name = re.match(r"(?:def|class) (\w+)", part)
            assert name is not None
            found[name[1]] = part.strip("\n")
    return found


def with_needed(names: Iterable[str]) -> List[str]:
    """Return the names of helpers with those that they use, in the order of their modules."""
    sources = _sources()
    needed: Set[str] = set()
    left = [name for name in names if name in sources]
    while left:
        name = left.pop()
        if name not in needed:
            needed.add(name)
            left.extend(_used_by(name))
    return [name for name in sources if name in needed]


@lru_cache(maxsize=None)
def _used_by(name: str) -> List[str]:
    sources = _sources()
    return [
        other for other in re.findall(r"(?<![\w\"])(?:js_\w+|\w+Error)\b", sources[name])
        if other in sources
    ]


def names() -> List[str]:
    """Return the names of all helpers."""
    return list(_sources())


def source(name: str) -> str:
    """Return the source of a helper."""
    return _sources()[name]


@lru_cache(maxsize=None)
def imports(text: str) -> FrozenSet[str]:
    """Return the import statements that a helper's source needs."""
    return frozenset(
        statement for word, statement in _IMPORTS.items()
        if re.search(rf"(?<![\w.\"']){word}\b(?=[.(,)])", text)
    )
