"""Inside a cassette of vcrpy, which replaces connections of urllib3."""

from pathlib import Path

import pytest

from keyyo_cti.simulator import DEFAULT_APPLICATION, Simulator

from .hosting import needs, run
from .whole_way import BOB, EXPECTED

#: Somebody whose access token has run out asks for the lines, and opens a session.
RECORDED = """
import sys
import vcr

(imported, endpoint, token, transport, token_url, manager_url, client_id, client_secret,
 redirect_uri, refresh_token, ca_certs) = sys.argv[1:]
if imported == "before":
    import keyyo_cti._net.http_adapter

with vcr.use_cassette("cassette.yaml", record_mode="all"):
    from keyyo_cti.account import Account, TokenMemory
    from keyyo_cti.manager import Manager
    from keyyo_cti.oauth2 import OAuth2, Tokens
    from tests.hosts.whole_way import whole_way

    trusted = ca_certs or None
    oauth2 = OAuth2(client_id, client_secret, redirect_uri, token_url=token_url, ca_certs=trusted)
    account = Account(oauth2, TokenMemory(Tokens("old", refresh_token, 0)))
    [line] = Manager(account, manager_url, ca_certs=trusted).lines().result(10)
    print(line.csi, *whole_way(endpoint, token, trusted, transport))
"""


@pytest.mark.fault(56)
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("imported", ["before", "inside"])
@needs("vcr")
def test_requests_pass_inside_a_cassette(imported: str, tls: bool, tmp_path: Path) -> None:
    """OAuth2, the Manager and a session work, and no cassette holds their secrets."""
    application = DEFAULT_APPLICATION
    with Simulator(tls=tls) as sim:
        alice = sim.line("33199000001")
        sim.phone(BOB)
        printed = run(
            RECORDED,
            imported,
            sim.endpoint,
            sim.token(alice),
            "xhr-streaming",
            sim.token_url,
            sim.manager_url,
            application.client_id,
            application.client_secret,
            application.redirect_uris[0],
            sim.account_tokens("cti_admin full_access_read_only")["refresh_token"],
            str(sim.ca_certs) if tls else "",
        )
    assert printed.split() == ["33199000001", *EXPECTED]
    assert not (tmp_path / "cassette.yaml").exists(), "nothing was recorded"
