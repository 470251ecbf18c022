"""The whole way, from signing in to the first call.

On the simulator, where the user clicks and Bob picks up::

    python samples/first_call.py

On Keyyo, with the client id and the client secret of your program, and a number of a friend who
expects the call. The first time it opens your browser; its tokens are kept in a file that only
you can read::

    KEYYO_CLIENT_ID=... KEYYO_CLIENT_SECRET=... python samples/first_call.py 33199020000
"""

import os
import sys
from threading import Thread
from typing import Any, Optional

from get_token import REDIRECT_URI, first_line, let_in, simulated

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti.account import Account
from keyyo_cti.loopback import Loopback
from keyyo_cti.manager import Manager
from keyyo_cti.oauth2 import CredentialsRefused, OAuth2
from keyyo_cti.options import ENDPOINT
from keyyo_cti.token_file import TokenFile
from keyyo_cti.token_provider import TokenProvider


class FirstCall:
    """Calls a number with the first line of an account, and follows the call to its end.

    :param manager: of the account.
    :param endpoint: of the CTI service.
    :param number: whom to call.
    """

    def __init__(self, manager: Manager, endpoint: str, number: str) -> None:
        self.manager = manager
        self.endpoint = endpoint
        self.number = number
        self.call: Optional[Call] = None
        self.failure: Optional[KeyyoError] = None

    def run(self) -> Optional[str]:
        """Lasts until the call is over.

        :returns: what went wrong, for ``sys.exit``.
        """
        csi = first_line(self.manager)
        diagnosis = self.manager.diagnose(csi, self.endpoint).result()
        print(diagnosis)
        if not diagnosis.good:
            return "the line is not ready"
        new_token = TokenProvider(self.manager, csi)
        with CTI(endpoint=self.endpoint, cookie_auto=False) as cti:
            self.cti = cti
            cti.onNewCall = self.on_new_call
            cti.create_session(new_token(), self.connected)
            cti.wait(timeout=300)
        if self.failure:
            return str(self.failure)
        talked = self.call is not None and self.call.state == "RELEASE"
        return None if talked else "nobody picked up"

    def connected(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.failure = err
            return
        print("connected as", res.number)
        self.cti.dial(self.number, self.dialled)

    def dialled(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.failure = err
            self.cti.close()

    def on_new_call(self, call: Call) -> None:
        self.call = call
        call.onSetup = lambda: print("it rings at", call.callee)
        call.onConnect = lambda: print("picked up after", call.get_ringing_duration(), "s")
        call.onRelease = self.over
        call.onMissed = self.over

    def over(self) -> None:
        print("the call has ended")
        self.cti.destroy_session()


def on_keyyo(client_id: str, client_secret: str, number: str) -> Optional[str]:
    oauth2 = OAuth2(client_id, client_secret, REDIRECT_URI)
    account = Account(oauth2, TokenFile(oauth2))
    try:
        account.access_token().result()
    except CredentialsRefused:
        let_in(oauth2, account, Loopback.open_browser)
    return FirstCall(Manager(account), ENDPOINT, number).run()


def on_the_simulator() -> Optional[str]:
    from keyyo_cti.simulator import Simulator

    with Simulator() as sim:
        sim.line("33199000001", name="Alice")
        bob = sim.phone("33199020000")

        def bob_picks_up() -> None:
            bob.wait_until("ringing", 60)
            bob.pick_up()
            bob.hang_up()

        Thread(target=bob_picks_up, daemon=True).start()
        return FirstCall(simulated(sim), sim.endpoint, bob.number).run()


def main() -> Optional[str]:
    client_id = os.environ.get("KEYYO_CLIENT_ID")
    try:
        if not client_id:
            return on_the_simulator()
        if len(sys.argv) != 2:
            return "whom to call? Give a number: python samples/first_call.py NUMBER"
        # Taken out of the environment, which the browser inherits.
        return on_keyyo(client_id, os.environ.pop("KEYYO_CLIENT_SECRET", ""), sys.argv[1])
    except (KeyyoError, ImportError, OSError, ValueError) as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
