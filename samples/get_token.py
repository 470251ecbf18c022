"""The first steps of Keyyo's page: an access token by OAuth2, and a CSI token with it.

On the simulator, where the click of the user is played::

    python samples/get_token.py

On Keyyo, after the very first step: register your program with Keyyo, which gives it a client id
and a client secret, with the redirect URI below. It opens your browser, and prints a CSI token of
your first line, which is a secret::

    KEYYO_CLIENT_ID=... KEYYO_CLIENT_SECRET=... python samples/get_token.py
"""

import os
import socket
import sys
from typing import TYPE_CHECKING, Callable
from urllib.request import urlopen

from keyyo_cti import KeyyoError
from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.loopback import Loopback
from keyyo_cti.manager import CSIToken, Manager
from keyyo_cti.oauth2 import OAuth2
from keyyo_cti.token_file import TokenFile

if TYPE_CHECKING:
    from keyyo_cti.simulator import Simulator

#: On this machine, where this program waits for the browser.
REDIRECT_URI = "http://127.0.0.1:8080/callback"

#: Seconds that the user has to let this program in.
PATIENCE = 300.0

#: Opens a URL in the user's browser, which comes back to the Loopback.
Visit = Callable[[Loopback, str], object]


def let_in(oauth2: OAuth2, account: Account, visit: Visit) -> None:
    """Asks the user to let this program into the account. Once is enough: the account keeps its
    tokens in the store that it was made with."""
    url, state = oauth2.authorization_url()
    with Loopback(oauth2.client.redirect_uri, state) as loopback:
        visit(loopback, url)
        brought = loopback.wait(PATIENCE)
    if brought is None:
        sys.exit("the browser did not come back")
    account.sign_in(brought, state).result()


def first_line(manager: Manager) -> str:
    """The CSI of the first line of the account."""
    lines = manager.lines().result()
    for line in lines:
        print(f"the account has the line {line.csi}, {line.name or 'without a name'}")
    if not lines:
        sys.exit("the account has no line")
    return str(lines[0].csi)


def get_token(manager: Manager) -> CSIToken:
    """A CSI token of the first line, good for an hour."""
    return manager.csi_token(first_line(manager)).result()


def on_keyyo(client_id: str, client_secret: str) -> CSIToken:
    oauth2 = OAuth2(client_id, client_secret, REDIRECT_URI)
    account = Account(oauth2, TokenFile(oauth2))
    let_in(oauth2, account, Loopback.open_browser)
    return get_token(Manager(account))


def on_the_simulator() -> CSIToken:
    from keyyo_cti.simulator import Simulator

    with Simulator() as sim:
        sim.line("33199000001", name="Alice")
        return get_token(simulated(sim))


def simulated(sim: "Simulator") -> Manager:
    """The same on a simulator: the redirect URI is at a port that is free, and the user, who
    clicks on "Allow", is played."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        redirect_uri = f"http://127.0.0.1:{server.getsockname()[1]}/callback"
    sim.oauth2_application("my-program", "not-a-secret", [redirect_uri])
    oauth2 = OAuth2(
        "my-program",
        "not-a-secret",
        redirect_uri,
        authorize_url=sim.authorize_url,
        token_url=sim.token_url,
    )
    account = Account(oauth2, TokenMemory())
    let_in(oauth2, account, lambda _, url: urlopen(sim.consent(url), timeout=10).close())
    return Manager(account, sim.manager_url)


def main() -> None:
    client_id = os.environ.get("KEYYO_CLIENT_ID")
    try:
        if client_id:
            # Taken out of the environment, which the browser inherits.
            minted = on_keyyo(client_id, os.environ.pop("KEYYO_CLIENT_SECRET", ""))
        else:
            minted = on_the_simulator()
    except (KeyyoError, ImportError, OSError, ValueError) as error:
        sys.exit(str(error))
    print(f"a token of {minted.csi}:")
    print(minted.token)


if __name__ == "__main__":
    main()
