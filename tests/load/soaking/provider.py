"""Token providers as programs have them: some keep a token, some are slow, some fail."""

from __future__ import annotations

import random
import threading
from typing import Callable, Optional

from .findings import WRONG, Findings
from .mischief import Dismissed, NoNetwork
from .tally import Tally


class Provider:
    """The option ``token_provider`` of one client, which mints a token each time.

    :param who: in findings.
    :param mint: makes a token.
    :param dice: of its own.
    :param over: set when the soak ends: then nothing is slow any more, and nothing fails.
    """

    def __init__(
        self,
        who: str,
        mint: Callable[[], str],
        dice: random.Random,
        over: threading.Event,
        tally: Tally,
        findings: Findings,
    ) -> None:
        self._who = who
        self._mint = mint
        self._dice = dice
        self._over = over
        self._tally = tally
        self._findings = findings
        self._busy = threading.Lock()
        #: The last token that was given out; None when there was none.
        self.current: Optional[str] = None
        #: Whether it was ever dismissed since `lost` was last told.
        self.dismissed = False

    def __call__(self) -> str:
        busy = self._busy
        if not busy.acquire(blocking=False):
            self._findings.add(WRONG, self._who, "two token requests at once")
            return self._mint()
        try:
            if not self._over.is_set():
                self._whim()
            return self._give()
        finally:
            busy.release()

    def excuse(self) -> None:
        """The program has closed: a request that is under way cannot be interrupted, and is no
        reason to let another one wait."""
        self._busy = threading.Lock()

    def plain(self) -> str:
        """A token without any whim."""
        self.current = self._mint()
        return self.current

    def _give(self) -> str:
        self._tally.add("tokens given")
        return self.plain()

    def _whim(self) -> None:
        chance = self._dice.random()
        if chance < 0.10:
            self._tally.add("slow token requests")
            self._over.wait(self._dice.uniform(0.05, 1.0))
        elif chance < 0.18:
            self._tally.add("failed token requests")
            raise NoNetwork("the provider has no network")
        elif chance < 0.20:
            self._tally.add("refused token requests")
            self.dismissed = True
            raise Dismissed


class KeepingProvider(Provider):
    """One that gives the same token again, until it is told that this one is refused."""

    def _give(self) -> str:
        if self.current is None:
            return super()._give()
        self._tally.add("tokens given again")
        return self.current

    def invalidate(self, token: str) -> None:
        """See the option ``token_provider``."""
        self._tally.add("tokens invalidated")
        if token == self.current:
            self.current = None
