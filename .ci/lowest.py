"""Prints the lowest versions that setup.cfg allows, as constraints for pip.

    python .ci/lowest.py >constraints.txt

A requirement without a lowest version is left out.
"""

import configparser
import re
from pathlib import Path
from typing import Dict, Iterator

SETUP = Path(__file__).resolve().parent.parent / "setup.cfg"

#: Such as "requests >= 2.32.4" and "tomli >= 2.0; python_version < '3.11'".
_FLOOR = re.compile(r"(?P<name>[\w.-]+)\s*>=\s*(?P<version>[\w.]+)\s*(?P<marker>;.*)?")


def floors(setup: str) -> Dict[str, str]:
    """Return the constraint for each requirement in the text of a setup.cfg.

    :raises ValueError: a package has two lowest versions, or a line is in another form.
    """
    found: Dict[str, str] = {}
    for line in _requirements(setup):
        match = _FLOOR.fullmatch(line)
        if match is None:
            if not re.fullmatch(r"[\w.-]+", line):
                raise ValueError(f"setup.cfg: expected 'name >= version', got {line!r}")
            continue
        pin = f"{match['name']}=={match['version']}{match['marker'] or ''}"
        if found.setdefault(match["name"].lower(), pin) != pin:
            raise ValueError(f"setup.cfg: two lowest versions of {match['name']}")
    return found


def _requirements(setup: str) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(setup)
    lists = [parser["options"]["install_requires"], *parser["options.extras_require"].values()]
    for text in lists:
        yield from (line.strip() for line in text.splitlines() if line.strip())


if __name__ == "__main__":
    print("\n".join(floors(SETUP.read_text("utf-8")).values()))
