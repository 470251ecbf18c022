"""How deep JSON may be nested: what Python's parser still reads, its ``repr`` may not be able to
show, depending on how deep in the program it is called."""

from typing import Any, List

#: Levels of objects and arrays; what Keyyo sends has five at most.
DEEPEST = 100


def may_be_deep(text: str) -> bool:
    """Whether this JSON could be too deep: it is not without as many brackets, which are much
    faster to count than levels."""
    return text.count("{") + text.count("[") > DEEPEST


def too_deep(value: Any) -> bool:
    """Whether a JSON value is nested more deeply than anything that is meant."""
    level: List[Any] = [value]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for container in level
            if isinstance(container, (dict, list))
            for inner in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return False
    return True
