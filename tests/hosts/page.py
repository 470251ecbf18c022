"""The examples of samples/HOSTS.md, for its tests."""

import re
from pathlib import Path
from typing import Dict

from keyyo_cti.simulator import Simulator

from ..helpers.running import ROOT

PAGE = (ROOT / "samples" / "HOSTS.md").read_text("utf-8")

_EXAMPLE = re.compile(r"^## (?P<heading>[^\n]*)$|^```python\n(?P<code>.*?)^```", re.M | re.S)


def examples() -> Dict[str, str]:
    """Return each example of the page by the heading above it, of which there is one each."""
    found: Dict[str, str] = {}
    heading = ""
    for match in _EXAMPLE.finditer(PAGE):
        heading = match["heading"] or heading
        if match["code"]:
            assert heading not in found, f"two examples under {heading}"
            found[heading] = match["code"]
    return found


def write(folder: Path, name: str, heading: str, sim: Simulator, token: str) -> None:
    """Write an example into a file, as it stands but for where Keyyo is.

    :param name: of the file.
    """
    code = examples()[heading].replace('"<CSI token>"', repr(token))
    code = code.replace("CTI(", f"CTI(endpoint={sim.endpoint!r}, ")
    (folder / name).write_text(code, "utf-8")
