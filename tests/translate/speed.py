"""Measures how long a page of 1,000 lines takes.

    python -m tests.translate.speed
"""

from __future__ import annotations

import sys
import time

from keyyo_cti.translate import translate

#: Seconds for the page, on an idle machine.
LIMIT = 0.2

#: Other programs on the machine may disturb most of the rounds.
_ROUNDS = 40

PAGE = "\n".join(
    f"function handle{n}(call, text) {{\n    var label = 'call ' + {n} + ' ' + text;\n"
    f"    if (call.state == 'SETUP' && text.length > {n}) {{\n"
    f"        console.log(label.toUpperCase(), call.caller);\n        return {n};\n    }}\n"
    f"    return label.length;\n}}\n"
    f"handle{n}(cti.get_calls()[0], 'a{n}');"
    for n in range(112)
)


def _slowness() -> float:
    """Return how much slower than an idle machine this one is at present, at least 1."""
    start = time.process_time()
    sum(each * each for each in range(300_000))
    return max(1.0, (time.process_time() - start) / 0.02)


def _seconds() -> float:
    slowness = _slowness()
    start = time.process_time()
    translate(PAGE)
    return (time.process_time() - start) / max(slowness, _slowness())


def main() -> int:
    translate("var warm = 1;")
    best = _seconds()
    for _ in range(_ROUNDS):
        if best < LIMIT:
            break
        best = min(best, _seconds())
    print(f"{PAGE.count(chr(10))} lines in {best:.3f} s")
    return 0 if best < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
