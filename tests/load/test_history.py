"""Any number of recorded calls is read in the same memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from keyyo_cti.simulator import Simulator

from ..helpers.footprint import footprint
from ..helpers.in_full import in_full
from ..helpers.running import ROOT, environment

NOW = 1_700_000_000

#: Reads the history in a process of its own, because the simulator's records take memory too.
PROGRAM = f"""
import sys
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.manager import ManagerClient
from tests.helpers.footprint import footprint

class Account:
    def tokens(self):
        return Tokens(sys.argv[2])

Account.renewed = Account.tokens
client = ManagerClient(Account(), sys.argv[1], timeout=60)
client.lines()
before = most = footprint().resident
count = 0
for record in client.history("33199000001", {NOW} - 86_400 * 90, {NOW} + 1):
    count += 1
    if count % 100 == 0:
        most = max(most, footprint().resident)
print(count, most - before)
"""


def read(count: int) -> int:
    """Read so many records, and return how many KiB the process has grown."""
    with Simulator(page_size=500) as sim:
        alice = sim.line("33199000001")
        sim.history.set(window=86_400 * 36_500)
        sim.history.add_many(
            {
                "line": alice, "start": NOW - 86_400 * 80 * n / count, "seconds": n % 300,
                "caller": "33199020000", "callee": alice.number,
                "direction": "in" if n % 2 else "out",
            }
            for n in range(count)
        )
        token = sim.account_tokens()["access_token"]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, sim.manager_url, token],
            cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=600, check=True,
        )
    found, grown = map(int, done.stdout.split())
    assert found == count
    return grown


@pytest.mark.slow
@pytest.mark.watchdog(900.0)
@pytest.mark.skipif(footprint().resident is None, reason="the system tells no memory")
def test_many_records_are_read_in_the_memory_of_few() -> None:
    many = in_full(100_000, always=20_000)
    few = 10_000  # They fill the caches.
    few_kib, many_kib = read(few), read(many)
    print(f"{few} records: {few_kib / 1024:.1f} MiB; {many} records: {many_kib / 1024:.1f} MiB")
    assert many_kib < few_kib + 4 * 1024
