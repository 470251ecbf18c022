"""Whose line a sample is about: yours, or Alice's on a simulator.

Samples stand on this; by itself it does nothing. Yours it is with a CSI token in
``KEYYO_CSI_TOKEN``, which is good for an hour, or with ``KEYYO_CLIENT_ID`` and
``KEYYO_CLIENT_SECRET``, once get_token.py has let your program in: then it is the first line of
your account, for as long as you like.
"""

import os
import time
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, NamedTuple, Optional

from keyyo_cti.directory import Directory
from keyyo_cti.options import ENDPOINT

if TYPE_CHECKING:
    from keyyo_cti.catch_up import CatchUp
    from keyyo_cti.manager import Manager
    from keyyo_cti.simulator import Phone, Simulator

#: What people do on the simulator once there is a session, at Alice's telephone and at Bob's.
People = Callable[["Simulator", "Phone", "Phone"], object]


class Whose(NamedTuple):
    """How to get a session of the line.

    :ivar new_token: gives a CSI token, for ``create_session`` and as ``token_provider``.
    :ivar options: for ``CTI(...)``. No cookie is kept: a sample leaves the session of your own
        program alone.
    :ivar names: names for numbers: of your account, or of the people on the simulator. With a CSI
        token alone there are none.
    :ivar catch_up: for the option of this name; None without an account, because a CSI token
        alone opens no history.
    """

    new_token: Callable[[], str]
    options: Dict[str, Any]
    names: Directory = Directory()
    catch_up: "Optional[CatchUp]" = None


@contextmanager
def whose_line(people: People) -> Iterator[Whose]:
    """The line, as long as the block lasts."""
    if mine():
        with my_names() as names:
            yield Whose(my_lines()[0], my_options(), names, my_catch_up())
        return

    # Imported here because it needs an extra, which Keyyo does not.
    try:
        from keyyo_cti.simulator import Simulator
    except ImportError as error:
        raise SystemExit(str(error)) from None

    with Simulator() as sim:
        alice = sim.line("33199000001", name="Alice")
        sim.line("33172587948", name="Carol")
        Thread(target=play, args=(sim, people, alice.phone), daemon=True).start()
        options = {"endpoint": sim.endpoint, "cookie_auto": False}
        names = Directory({"33199020000": "Bob", "33172587948": "Carol"})
        with names, simulated_account(sim) as manager:
            from keyyo_cti.catch_up import CatchUp

            # The simulator records a call at once.
            catch_up = CatchUp(manager, alice.number, quiet=2, limit=4)
            yield Whose(lambda: sim.token(alice), options, names, catch_up)


def mine() -> bool:
    """Whether the environment says how to get at lines of yours."""
    return bool(os.environ.get("KEYYO_CSI_TOKEN") or os.environ.get("KEYYO_CLIENT_ID"))


def my_options() -> Dict[str, Any]:
    return {"endpoint": os.environ.get("KEYYO_ENDPOINT", ENDPOINT), "cookie_auto": False}


def my_lines() -> List[Callable[[], str]]:
    """For each line, what gives a CSI token of it."""
    token = os.environ.get("KEYYO_CSI_TOKEN", "")
    if token:
        return [lambda: token]

    from keyyo_cti.token_provider import TokenProvider

    manager = my_account()
    lines = manager.lines().result()
    if not lines:
        raise SystemExit("the account has no line")
    return [TokenProvider(manager, line.csi) for line in lines]


def my_names() -> Directory:
    return Directory() if os.environ.get("KEYYO_CSI_TOKEN") else Directory(my_account())


def my_catch_up() -> "Optional[CatchUp]":
    """What asks the history of the first line about gaps, if there is an account."""
    if os.environ.get("KEYYO_CSI_TOKEN"):
        return None

    from keyyo_cti.catch_up import CatchUp

    manager = my_account()
    # True: also about the time in which the program did not run.
    return CatchUp(manager, manager.lines().result()[0].csi, remember=True)


def simulated_account(sim: "Simulator") -> "Manager":
    """The account of a simulator, as after a consent in its browser."""
    from keyyo_cti.account import Account, TokenMemory
    from keyyo_cti.manager import Manager
    from keyyo_cti.oauth2 import OAuth2, Tokens
    from keyyo_cti.simulator import DEFAULT_APPLICATION

    application = DEFAULT_APPLICATION
    oauth2 = OAuth2(
        application.client_id, application.client_secret, application.redirect_uris[0],
        authorize_url=sim.authorize_url, token_url=sim.token_url,
    )
    granted = sim.account_tokens("full_access_read_only cti_admin")
    until = time.time() + granted["expires_in"]
    tokens = Tokens(granted["access_token"], granted["refresh_token"], until)
    return Manager(Account(oauth2, TokenMemory(tokens)), sim.manager_url)


def my_account() -> "Manager":
    """The account that get_token.py has signed in to."""
    from get_token import REDIRECT_URI

    from keyyo_cti.account import Account
    from keyyo_cti.manager import Manager
    from keyyo_cti.oauth2 import OAuth2
    from keyyo_cti.token_file import TokenFile

    secret = os.environ.get("KEYYO_CLIENT_SECRET", "")
    oauth2 = OAuth2(os.environ["KEYYO_CLIENT_ID"], secret, REDIRECT_URI)
    return Manager(Account(oauth2, TokenFile(oauth2)))


def play(sim: "Simulator", people: People, alice: "Phone") -> None:
    try:
        # A session is not told of the calls that were there before it.
        sim.wait_for_action("create_session", 60)
    except RuntimeError:
        return  # The program is over already, and the simulator with it.
    people(sim, alice, sim.phone("33199020000"))
