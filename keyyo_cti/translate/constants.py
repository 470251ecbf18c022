"""Properties of JavaScript's own namespaces."""

from __future__ import annotations

from typing import Optional

from .builtins import MATH_CONSTANTS
from .notes import Unsupported
from .pieces import Piece, atom
from .translator import Translator


def of_math(t: Translator, name: str) -> Optional[Piece]:
    """Return a property of Math, or None."""
    t.need("import math")
    if name in MATH_CONSTANTS:
        return atom(MATH_CONSTANTS[name])
    if name in ("floor", "ceil", "trunc", "sqrt", "sin", "cos", "tan", "exp"):
        return atom(f"math.{name}")
    if name in ("abs", "max", "min"):
        return atom(name)
    if name == "round":
        t.helpers.add("js_round")
        return atom("js_round")
    return None


_LIMITS = {
    "MAX_SAFE_INTEGER": "(2 ** 53 - 1)", "MIN_SAFE_INTEGER": "(1 - 2 ** 53)",
    "EPSILON": "(2 ** -52)", "NaN": "math.nan", "POSITIVE_INFINITY": "math.inf",
    "NEGATIVE_INFINITY": "-math.inf", "MAX_VALUE": "1.7976931348623157e308", "MIN_VALUE": "5e-324",
}


def of_number(t: Translator, name: str) -> Piece:
    """Return a property of Number."""
    if name not in _LIMITS:
        raise Unsupported(f"Number.{name} is not supported here")
    if "math" in _LIMITS[name]:
        t.need("import math")
    return atom(_LIMITS[name])


def of_process(t: Translator, name: str) -> Optional[Piece]:
    """Return a property of Node's process, or None."""
    t.need("import os" if name == "env" else "import sys")
    return {"env": atom("os.environ"), "argv": atom("[sys.executable, *sys.argv]")}.get(name)
