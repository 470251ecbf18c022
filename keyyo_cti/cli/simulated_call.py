"""A call of a line of the simulator that the user is signed in to."""

from typing import Any

from .._manager.api import QUERIES, Api
from .._net.clock import wall_clock
from .._net.http_request import HttpClient
from ..errors import KeyyoError, ManagerError
from .login_account import LoginAccount

#: Seconds for a reply of a simulator, which is on this machine.
_TIMEOUT = 5.0


class SimulatedCall:
    """A call by a telephone of the simulator, from the start to the end of a ``with`` statement.

    :param account: of the simulator.
    :param caller: the number of the telephone; an unknown one becomes an outside telephone.
    :param callee: the number that it calls.
    :raises KeyyoError: the telephone is busy, or the server is no simulator.
    """

    def __init__(self, account: LoginAccount, caller: str, callee: str) -> None:
        self._api = Api(
            account.account, f"{account.login.simulator_url}",
            HttpClient(ManagerError, _TIMEOUT, account.ca_certs), QUERIES, None, wall_clock,
        )
        self._caller = caller
        self._callee = callee

    def __enter__(self) -> "SimulatedCall":
        self._api.post("call", {"caller": self._caller, "callee": self._callee})
        return self

    def __exit__(self, *_: Any) -> None:
        try:
            self._api.post("hang_up", {"caller": self._caller})
        except KeyyoError:
            pass  # The call, or the simulator, has ended.
