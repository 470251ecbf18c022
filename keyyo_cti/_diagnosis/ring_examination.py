"""The checks of a line, up to the handlers of a call."""

from dataclasses import replace
from typing import Any, List, Optional

from .._net.clock import monotonic
from ..errors import KeyyoError
from .examination import NOT_CHECKED, Check, Examination, LineQueries
from .faults import Fault
from .findings import Finding
from .ring_layers import RingLayers
from .ring_test import RingTest

#: The names of its checks, in order.
RING_CHECKS = (
    "account", "line", "plugin", "telephone", "token", "session", "subscription", "frame",
    "newCall", "handler",
)

#: Faults that may be the reason why a call is not notified.
_EXCUSES = frozenset({
    "plugin_disabled", "plugin_missing", "no_telephone", "not_subscribed", "subscription_refused",
    "connection_silent",
})

#: Seconds that a silent connection stays open after the test.
_SILENCE_MARGIN = 30.0

_STOPPED = "not checked, because the test was stopped"


class RingExamination(Examination):
    """A diagnosis with a ring test. Use it in a ``with`` statement."""

    def __init__(
        self, client: LineQueries, csi: Optional[str], endpoint: str, test: RingTest
    ) -> None:
        super().__init__(client, csi, endpoint)
        self._test = test
        self._began = monotonic()
        self._layers: Optional[RingLayers] = None

    def __enter__(self) -> "RingExamination":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._layers is not None:
            self._layers.close()

    def _list_checks(self) -> List[Check]:
        return [
            *super()._list_checks()[:-1],
            ("session", self._open_session),
            ("subscription", lambda: self._get_layers().check_subscription()),
            ("frame", lambda: self._get_layers().wait_for_frame(self._is_excused())),
            ("newCall", lambda: self._get_layers().wait_for_call()),
            ("handler", lambda: self._get_layers().wait_for_handler()),
        ]

    def _is_stopped(self) -> bool:
        # From then on, each check says what was seen.
        return self._test.stopped and "frame" not in self._findings

    def _add(self, finding: Finding) -> None:
        timed = replace(finding, seconds=round(monotonic() - self._began, 3))
        super()._add(timed)
        self._test.on_finding(timed)

    def _explain_skip(self) -> str:
        return _STOPPED if self._test.stopped else NOT_CHECKED

    def _is_excused(self) -> bool:
        return any(finding.fault in _EXCUSES for finding in self._findings.values())

    def _get_layers(self) -> RingLayers:
        if self._layers is None:
            test = self._test
            numbers = [str(each) for each in (self._csi, self._short_number) if each]
            self._layers = RingLayers(
                self._csi, numbers, test.timeout, test.changed, lambda: test.stopped,
                test.on_ready, self._recheck,
            )
        return self._layers

    def _open_session(self) -> Optional[str]:
        if self._test.cti is not None:
            return self._get_layers().use_session(self._test.cti)
        if self._csi_token is None:
            return None
        # A silent connection stays open. Otherwise it would look like one that was dropped.
        cti = self._make_cti(self._test.timeout + _SILENCE_MARGIN)
        token, handler = self._csi_token.token, self._test.handler
        return self._get_layers().open_session(cti, token, handler)

    def _recheck(self) -> None:
        """Check again what may have changed while the line was called."""
        checks: List[Check] = [
            ("plugin", self._check_plugin), ("telephone", self._check_telephone)
        ]
        for name, check in checks:
            try:
                if self._findings[name].good:
                    check()
            except Fault as fault:
                fault.check = name
                raise
            except KeyyoError:
                pass  # The Manager cannot tell now.
