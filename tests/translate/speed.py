"""Measures how long pages of 1,000 lines take, beside Python's compiler in the same run.

    python -m tests.translate.speed [--pages]

Pages of other kinds have no limit: with ``--pages`` their figures are printed.
"""

from __future__ import annotations

import sys
import time
from typing import Callable

from keyyo_cti.translate import translate

#: Seconds for the page, on an idle machine.
LIMIT = 0.2

#: Other programs on the machine may disturb most of the rounds.
_ROUNDS = 40
_OTHER_ROUNDS = 3

PAGE = "\n".join(
    f"function handle{n}(call, text) {{\n    var label = 'call ' + {n} + ' ' + text;\n"
    f"    if (call.state == 'SETUP' && text.length > {n}) {{\n"
    f"        console.log(label.toUpperCase(), call.caller);\n        return {n};\n    }}\n"
    f"    return label.length;\n}}\n"
    f"handle{n}(cti.get_calls()[0], 'a{n}');"
    for n in range(112)
)


#: Pages that are hard in different ways: dense functions, chains, handlers, literals, variables.
OTHERS = {
    "dense functions": "".join(
        f"function f{n}(call) {{ if (call && call.state === 'SETUP') {{\n"
        "  var q = [1, 2, 3].map(function (x) { return x * 2; });\n"
        "  console.log(q.join(), 'v' + call.caller);\n"
        "  setTimeout(function () { call.hang_up(function (err, res) {"
        " if (err) { console.log(err.message); } }); }, 1000);\n} }\n"
        for n in range(200)
    ),
    "chains": "".join(
        f"a{n % 9} = b.replace(/x/g, 'y').split(',').map(function (s) {{ return s.trim(); }});\n"
        for n in range(1000)
    ),
    "handlers": "".join(
        f"$('#b{n}').on('click', function (e) {{\n  var n = $('#n{n}').val();\n"
        "  cti.dial(n, function (err, res) {\n"
        "    if (err) { alert(err.message); return; }\n    console.log('ok', res);\n"
        "  });\n});\n"
        for n in range(150)
    ),
    "contacts": "var contacts = {\n" + "".join(
        f"  k{n}: {{ name: 'n{n}', tel: '331990000{n % 100:02}', tags: ['a', 'b'] }},\n"
        for n in range(1000)
    ) + "};\n",
    "variables": "".join(
        f"var v{n} = v{max(n - 1, 0)} ? v{max(n - 2, 0)} + 1 : 0;\n" for n in range(1000)
    ),
}


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


def _cpu(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of a few rounds."""
    found = []
    for _ in range(_OTHER_ROUNDS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def _compare(name: str, source: str) -> None:
    """Print what a page takes, and what Python takes to compile its translation."""
    python = translate(source).python
    ours = _cpu(lambda: translate(source))
    theirs = _cpu(lambda: compile(python, name, "exec"))
    print(
        f"{name}: {source.count(chr(10))} lines in {ours:.3f} s of CPU, "
        f"{ours / theirs:.1f} times Python's compiler ({theirs:.3f} s)"
    )


def main() -> int:
    translate("var warm = 1;")
    best = _seconds()
    for _ in range(_ROUNDS):
        if best < LIMIT:
            break
        best = min(best, _seconds())
    print(f"{PAGE.count(chr(10))} lines in {best:.3f} s")
    if "--pages" in sys.argv:
        for name, source in {"functions": PAGE, **OTHERS}.items():
            _compare(name, source)
    return 0 if best < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
