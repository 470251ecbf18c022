"""The CSI token that a lost session is restored with."""

from typing import Any, Callable, Optional

from ._net.clock import Monotonic, lasting
from .errors import invalid_params

#: Seconds for which a token is used: it lives an hour, and opening a connection takes time.
_GOOD_FOR = 3300.0


class HeldToken:
    """Asks the program for a CSI token, and holds it for as long as it is good.

    For the thread that restores.

    :param provide: the program's function; see the option ``token_provider``.
    :param clock: monotonic seconds, those included that the machine has slept.
    """

    def __init__(self, provide: Callable[[], str], clock: Monotonic = lasting) -> None:
        self._provide = provide
        self._clock = clock
        self._given: Optional[str] = None
        self._token: Optional[str] = None
        self._asked_at = 0.0

    def get(self) -> str:
        """A token that is good. Runs the program's function, which may take its time.

        White space at the ends is removed: a file or a command that gives a token ends it with a
        line break, and the server would refuse that.

        :raises KeyyoError: 400 ``invalid_params``: what it returned is no token.
        :raises Exception: whatever it raises.
        """
        if self._token is not None and self._clock() - self._asked_at < _GOOD_FOR:
            return self._token
        self._token, self._asked_at = None, self._clock()
        token: Any = self._provide()
        if not isinstance(token, str) or not token.strip():
            kind = "an empty string" if isinstance(token, str) else type(token).__name__
            error = invalid_params("token_provider", f"expected it to return a token, got {kind}")
            error.final = True
            raise error
        self._given, self._token = token, token.strip()
        return self._token

    def refused(self) -> None:
        """The server did not take it. Tells the provider, if it has a method ``invalidate``, as
        ``TokenProvider`` has.

        :raises Exception: whatever that raises.
        """
        token, self._token, self._given = self._given, None, None
        invalidate = getattr(self._provide, "invalidate", None)
        if invalidate is not None:
            # As the provider gave it: it may compare.
            invalidate(token)
