"""The checks of a line, one after the other, as far as they need no call."""

import os
from concurrent.futures import TimeoutError as NoAnswer
from typing import Callable, Dict, List, Optional, Protocol, Tuple, Union

from .._manager.responses import WEBSOCKET, CSIToken
from .._oauth2.scopes import advise_consent, describe_missing
from ..cti import CTI
from ..errors import KeyyoError
from ..results import LineInfo, PluginInfo, Result
from .faults import Fault, NotSeen, make_fault
from .findings import Diagnosis, Finding

#: Maximum seconds to open a session, and for each reply.
_SESSION_TIMEOUT = 15.0

#: Seconds, as of every CTI.
_HEARTBEAT_TIMEOUT = 60.0

NOT_CHECKED = "not checked, because of the fault before"

#: Errors of the program itself, or of its end. They say nothing about the line.
_NO_FINDING = ("invalid_params", "closed", "internal")


class LineQueries(Protocol):
    """The methods of a ``ManagerClient`` that ``diagnose`` calls."""

    ca_certs: Union[str, "os.PathLike[str]", None]
    allow_http: bool

    def check_access(self) -> Tuple[str, ...]: ...

    def lines(self) -> List[LineInfo]: ...

    def line(self, csi: str) -> LineInfo: ...

    def cti_plugins(self, csi: str) -> List[PluginInfo]: ...

    def sip_records(self, csi: str) -> List[Result]: ...

    def csi_token(self, csi: str) -> CSIToken: ...


#: The name of a check, and the function that returns its fact.
Check = Tuple[str, Callable[[], Optional[str]]]


class Examination:
    """One diagnosis of a line."""

    def __init__(self, client: LineQueries, csi: Optional[str], endpoint: str) -> None:
        self._client = client
        self._wanted = csi
        self._csi = csi or ""
        self._endpoint = endpoint
        self._csi_token: Optional[CSIToken] = None
        self._short_number: Optional[str] = None
        # By the name of the check, in the order of the checks.
        self._findings: Dict[str, Finding] = {}

    def run(self) -> Diagnosis:
        is_over = False
        for name, check in self._list_checks():
            is_over = is_over or self._is_stopped()
            if is_over:
                self._add(Finding(name, None, self._explain_skip()))
            else:
                is_over = self._run_check(name, check)
        return Diagnosis(self._csi or None, tuple(self._findings.values()))

    def _list_checks(self) -> List[Check]:
        return [
            ("account", self._check_account),
            ("line", self._check_line),
            ("plugin", self._check_plugin),
            ("telephone", self._check_telephone),
            ("token", self._check_token),
            ("session", self._check_session),
        ]

    def _run_check(self, name: str, check: Callable[[], Optional[str]]) -> bool:
        """Add the finding of a check. Return True if the checks after it would fail too."""
        try:
            fact = check()
        except NotSeen as seen:
            self._add(Finding(name, None, str(seen)))
            return True
        except KeyyoError as error:
            if error.error_code in _NO_FINDING:
                raise
            fault = make_fault(name, error)
        except Fault as found:
            fault = found
        else:
            is_known = fact is not None
            self._add(Finding(name, True if is_known else None, fact or NOT_CHECKED))
            return False
        failed = fault.check or name
        self._add(Finding(failed, False, fault.fact, fault.word, fault.advice))
        if failed != name:
            self._add(Finding(name, None, NOT_CHECKED))
        return fault.final or failed != name

    def _add(self, finding: Finding) -> None:
        self._findings[finding.check] = finding

    def _is_stopped(self) -> bool:
        """Return True if the rest of the checks is to be left out."""
        return False

    def _explain_skip(self) -> str:
        return NOT_CHECKED

    def _check_account(self) -> str:
        missing = self._client.check_access()
        if missing:
            raise Fault(
                "missing_scope",
                f"this program is authorized without {describe_missing(missing)}",
                f"{advise_consent(missing)}; for example with \"keyyo-cti login\"",
            )
        return "this program is authorized"

    def _check_line(self) -> str:
        if self._wanted is None:
            self._csi = self._find_only_line()
        line = self._client.line(self._csi)
        self._short_number = line.short_number
        known = [f"{line.name}" if line.name else "", _describe_short_number(line.short_number)]
        return ", ".join(filter(None, known)) or "known"

    def _find_only_line(self) -> str:
        lines = [str(line.csi) for line in self._client.lines()]
        if len(lines) != 1:
            raise Fault(
                "unknown_line",
                f"the account has the lines {', '.join(lines)}" if lines else "there is no line",
                "say which line you mean" if lines else "order one from Keyyo",
                final=True,
            )
        return lines[0]

    def _check_plugin(self) -> str:
        plugins = {str(each.name): each.enabled for each in self._client.cti_plugins(self._csi)}
        enable = (
            f'enable it with enable_plugin("{self._csi}") of the Manager, or with '
            f'"keyyo-cti diagnose {self._csi} --enable-plugin", and open a new session'
        )
        if WEBSOCKET not in plugins:
            raise Fault(
                "plugin_missing",
                f"the line has no CTI plugin {WEBSOCKET}",
                f"{enable}; if that is refused, ask Keyyo for CTI on this line",
            )
        if not plugins[WEBSOCKET]:
            raise Fault("plugin_disabled", f"the CTI plugin {WEBSOCKET} is disabled", enable)
        return f"the CTI plugin {WEBSOCKET} is enabled"

    def _check_telephone(self) -> str:
        records = self._client.sip_records(self._csi)
        if not records:
            raise Fault(
                "no_telephone",
                "no telephone is registered on the line now",
                "switch the telephone on, or start the softphone, and check that it is registered "
                "with the line's own SIP account",
            )
        return f"{len(records)} registered"

    def _check_token(self) -> str:
        self._csi_token = self._client.csi_token(self._csi)
        return "a CSI token was created"

    def _check_session(self) -> Optional[str]:
        if self._csi_token is None:
            return None
        with self._make_cti() as cti:
            number = cti.create_session(self._csi_token.token).result().number
            try:
                cti.destroy_session().result(_SESSION_TIMEOUT)
            except (KeyyoError, NoAnswer):
                # It was opened, which is enough; the server ends it after a while.
                pass
        return f"a session was opened as {number}"

    def _make_cti(self, heartbeat_timeout: float = _HEARTBEAT_TIMEOUT) -> CTI:
        return CTI(
            endpoint=self._endpoint,
            ca_certs=self._client.ca_certs,
            allow_http=self._client.allow_http,
            cookie_auto=False,
            timeout=_SESSION_TIMEOUT,
            heartbeat_timeout=heartbeat_timeout,
        )


def _describe_short_number(number: object) -> str:
    return f"short number {number}" if number else ""
