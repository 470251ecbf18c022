"""Access to the account of a simulator, as somebody has it who has signed in."""

from __future__ import annotations

import time
from typing import Optional

from keyyo_cti._oauth2.token_store import TokenMemory
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.account import AccountClient
from keyyo_cti.backoff import Backoff
from keyyo_cti.manager import ManagerClient
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.simulator import DEFAULT_APPLICATION, Simulator

ONCE = Backoff(attempts=1)


def oauth2_of(sim: Simulator, client_secret: Optional[str] = None) -> OAuth2Client:
    """The application that every simulator knows."""
    application = DEFAULT_APPLICATION
    return OAuth2Client(
        application.client_id,
        client_secret or application.client_secret,
        application.redirect_uris[0],
        authorize_url=sim.authorize_url,
        token_url=sim.token_url,
    )


def tokens_of(sim: Simulator, scope: str, stale: bool = False) -> Tokens:
    """Tokens as a consent gives them.

    :param stale: whether the access token has to be refreshed.
    """
    granted = sim.account_tokens(scope)
    expires_at = time.time() + (0 if stale else granted["expires_in"])
    return Tokens(granted["access_token"], granted["refresh_token"], expires_at)


def client_of(
    sim: Simulator,
    scope: str = "cti_admin full_access_read_only",
    *,
    stale: bool = False,
    client_secret: Optional[str] = None,
    backoff: Backoff = ONCE,
) -> ManagerClient:
    """The Manager API, for somebody with these scopes."""
    store = TokenMemory(tokens_of(sim, scope, stale))
    account = AccountClient(oauth2_of(sim, client_secret), store)
    return ManagerClient(account, sim.manager_url, backoff=backoff)
