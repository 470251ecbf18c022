"""Files of desktops: groups of keys. Pure. All other lines of a file stay as they are."""

from typing import Iterator, List, Optional


def read_key(text: str, group: str, key: str) -> Optional[str]:
    """Return the value of a key as it is written; the last one if it is there twice."""
    values = read_values(text, group, key)
    return values[-1] if values else None


def read_values(text: str, group: str, key: str) -> List[str]:
    """Return all values of a key, which is mostly one."""
    lines = text.split("\n")
    return [lines[place].partition("=")[2].strip() for place in _find(lines, group, key)]


def write_key(text: str, group: str, key: str, value: Optional[str]) -> str:
    """Return a text with another value of a key.

    :param value: None to remove the key.
    """
    lines = text.split("\n")
    places = list(_find(lines, group, key))
    if not places and value is not None:
        _insert(lines, group, f"{key}={value}")
    for index in reversed(places):
        # A key that is there twice is written once.
        is_kept = index == places[0] and value is not None
        lines[index:index + 1] = [f"{key}={value}{_end_of(lines[index])}"] if is_kept else []
    return "\n".join(lines)


def _insert(lines: List[str], group: str, line: str) -> None:
    header = f"[{group}]"
    place = next((index for index, each in enumerate(lines) if each.strip() == header), None)
    if place is not None:
        lines.insert(place + 1, f"{line}{_end_of(lines[place])}")
        return
    while lines and not lines[-1].strip():
        lines.pop()
    lines += [*([""] if lines else []), header, line, ""]


def _end_of(line: str) -> str:
    """Return the rest of a line break of two characters, which is kept."""
    return "\r" if line.endswith("\r") else ""


def _find(lines: List[str], group: str, key: str) -> Iterator[int]:
    """Yield the places of a key."""
    current = ""
    for index, line in enumerate(lines):
        text = line.strip()
        if text.startswith("["):
            current = text
        elif current == f"[{group}]" and "=" in text and text.partition("=")[0].strip() == key:
            yield index
