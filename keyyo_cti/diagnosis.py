"""Diagnosis of a line: each thing that a command needs is checked in turn."""

import os
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, List, Optional, Protocol, Tuple, Union

from ._display.error_page import advise, extend_hint
from ._manager.responses import WEBSOCKET, CSIToken
from ._net import urls
from ._oauth2.scopes import advise_consent, describe_missing
from .cti import CTI
from .errors import (
    ConnectionClosed,
    CredentialsRefused,
    KeyyoError,
    OAuth2Error,
    invalid_params,
    plain,
)
from .options import ENDPOINT
from .results import LineInfo, PluginInfo, Result

#: Maximum seconds to open a session, and for each reply.
_SESSION_TIMEOUT = 15.0

_NOT_CHECKED = "not checked, because of the fault before"

#: Errors of the program itself, or of its end. They say nothing about the line.
_NO_FINDING = ("invalid_params", "closed", "internal")

_SIGN_IN = 'sign in again, with "keyyo-cti login" or as your program does it'


@dataclass(frozen=True)
class Finding:
    """The finding of one check.

    :ivar check: ``account`` (the program is authorized), ``line`` (it is known), ``plugin`` (the
        CTI plugin ``websocket`` is enabled), ``telephone`` (one is registered), ``token`` (a CSI
        token is created) or ``session`` (it can be opened).
    :ivar good: True, False for a fault, or None if it was not checked.
    :ivar fact: the finding in words.
    :ivar fault: the name of the fault, such as ``plugin_disabled``; None unless ``good`` is False.
    :ivar advice: what to do about the fault, in words.
    """

    check: str
    good: Optional[bool]
    fact: str
    fault: Optional[str] = None
    advice: Optional[str] = None


@dataclass(frozen=True)
class Diagnosis:
    """The findings for a line. ``str()`` of it is for people, ``to_dict()`` for programs.

    :ivar csi: the line's CSI; None if unknown.
    :ivar findings: in the order in which a command needs them.
    """

    csi: Optional[str]
    findings: Tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """True if commands of a session should work."""
        return all(finding.good for finding in self.findings)

    @property
    def faults(self) -> List[str]:
        """The names of the faults, each once:

        - ``not_signed_in``, ``no_refresh_token``, ``refresh_token_expired``,
          ``application_refused``: Keyyo does not authorize the program;
        - ``missing_scope``: the authorization lacks a scope;
        - ``unknown_line``, ``plugin_disabled``, ``plugin_missing``, ``no_telephone``: the line;
        - ``no_network``, ``untrusted_server``, ``no_connection``: the network;
        - ``session_refused``, ``access_refused``, ``timeout``, ``quota``, ``server_error`` and
          the other error codes of ``ManagerError``: Keyyo.
        """
        return list(dict.fromkeys(each.fault for each in self.findings if each.fault is not None))

    def to_dict(self) -> Dict[str, Any]:
        """Return the diagnosis as a dict of JSON values."""
        findings = [asdict(finding) for finding in self.findings]
        return {"csi": self.csi, "good": self.good, "faults": self.faults, "findings": findings}

    def __str__(self) -> str:
        lines = [f"line {plain(self.csi or 'unknown')}"]
        for finding in self.findings:
            sign = {True: "good", False: "FAULT", None: "-"}[finding.good]
            lines.append(f"  {sign:<5}  {finding.check:<9}  {plain(finding.fact)}")
            if finding.advice:
                lines.append(f"  {'':<5}  {'':<9}  -> {plain(finding.advice)}")
        return "\n".join(lines)


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


def diagnose(
    client: LineQueries, csi: Optional[str] = None, endpoint: str = ENDPOINT
) -> Diagnosis:
    """Check everything that a command on a line needs. Blocking.

    It changes nothing. It opens a session of its own and destroys it.

    Source: Manager API 1.0, and section Create session of Keyyo's page.

    :param client: a ``ManagerClient`` of the account.
    :param csi: the line's CSI; None for the only line of the account.
    :param endpoint: the SockJS URL of the CTI service.
    :returns: the findings; faults are among them and are not raised.
    :raises KeyyoError: an argument is wrong, or the client is closed.
    """
    try:
        urls.check_secure(endpoint, client.allow_http)
    except ValueError as error:
        raise invalid_params("endpoint", str(error)) from None
    return _Examination(client, csi, endpoint).run()


class _Fault(Exception):
    """A failed check."""

    def __init__(self, word: str, fact: str, advice: str, final: bool = False) -> None:
        super().__init__(fact)
        self.word = word
        self.fact = fact
        self.advice = advice
        self.final = final


class _Examination:
    """One diagnosis of a line."""

    def __init__(self, client: LineQueries, csi: Optional[str], endpoint: str) -> None:
        self._client = client
        self._wanted = csi
        self._csi = csi or ""
        self._endpoint = endpoint
        self._csi_token: Optional[CSIToken] = None

    def run(self) -> Diagnosis:
        checks: Tuple[Tuple[str, Callable[[], Optional[str]]], ...] = (
            ("account", self._check_account),
            ("line", self._check_line),
            ("plugin", self._check_plugin),
            ("telephone", self._check_telephone),
            ("token", self._check_token),
            ("session", self._check_session),
        )
        findings: List[Finding] = []
        is_over = False
        for name, check in checks:
            finding = Finding(name, None, _NOT_CHECKED)
            if not is_over:
                finding, is_over = _run_check(name, check)
            findings.append(finding)
        return Diagnosis(self._csi or None, tuple(findings))

    def _check_account(self) -> str:
        missing = self._client.check_access()
        if missing:
            raise _Fault(
                "missing_scope",
                f"this program is authorized without {describe_missing(missing)}",
                f"{advise_consent(missing)}; for example with \"keyyo-cti login\"",
            )
        return "this program is authorized"

    def _check_line(self) -> str:
        if self._wanted is None:
            self._csi = self._find_only_line()
        line = self._client.line(self._csi)
        known = [f"{line.name}" if line.name else "", _describe_short_number(line.short_number)]
        return ", ".join(filter(None, known)) or "known"

    def _find_only_line(self) -> str:
        lines = [str(line.csi) for line in self._client.lines()]
        if len(lines) != 1:
            raise _Fault(
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
            raise _Fault(
                "plugin_missing",
                f"the line has no CTI plugin {WEBSOCKET}",
                f"{enable}; if that is refused, ask Keyyo for CTI on this line",
            )
        if not plugins[WEBSOCKET]:
            raise _Fault("plugin_disabled", f"the CTI plugin {WEBSOCKET} is disabled", enable)
        return f"the CTI plugin {WEBSOCKET} is enabled"

    def _check_telephone(self) -> str:
        records = self._client.sip_records(self._csi)
        if not records:
            raise _Fault(
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
        with CTI(
            endpoint=self._endpoint,
            ca_certs=self._client.ca_certs,
            allow_http=self._client.allow_http,
            cookie_auto=False,
            timeout=_SESSION_TIMEOUT,
        ) as cti:
            number = cti.create_session(self._csi_token.token).result().number
            try:
                cti.destroy_session().result(_SESSION_TIMEOUT)
            except (KeyyoError, NoAnswer):
                # It was opened, which is enough; the server ends it after a while.
                pass
        return f"a session was opened as {number}"


def _run_check(name: str, check: Callable[[], Optional[str]]) -> Tuple[Finding, bool]:
    """Return the finding of a check, and True if the checks after it would fail too."""
    try:
        fact = check()
    except KeyyoError as error:
        if error.error_code in _NO_FINDING:
            raise
        fault = _make_fault(name, error)
    except _Fault as found:
        fault = found
    else:
        if fact is None:
            return Finding(name, None, _NOT_CHECKED), False
        return Finding(name, True, fact), False
    return Finding(name, False, fault.fact, fault.word, fault.advice), fault.final


def _make_fault(check: str, error: KeyyoError) -> _Fault:
    """Return the fault for an error."""
    if isinstance(error, CredentialsRefused):
        return _make_credentials_fault(error)
    if check == "session":
        return _make_session_fault(error)
    word, final = _BY_CODE.get(error.error_code or "", (None, isinstance(error, OAuth2Error)))
    if check == "line" and word == "not_found":
        word, final = "unknown_line", True
    advice = advise(error, "try again later")
    if word in ("missing_scope", "access_refused"):
        advice = extend_hint(advice, ', for example with "keyyo-cti login"')
    return _Fault(
        word or error.error_code or "refused",
        f"{error.status_code} {error.message}",
        advice,
        final,
    )


#: Error code of ManagerError or OAuth2Error -> the name of the fault, and True if all later checks
#: would fail too.
_BY_CODE: Dict[str, Tuple[str, bool]] = {
    "unauthorized": ("access_refused", True),
    "forbidden": ("missing_scope", False),
    "not_found": ("not_found", False),
    "unreachable": ("no_network", True),
    "untrusted": ("untrusted_server", True),
    "timeout": ("timeout", True),
    "quota": ("quota", True),
}


def _make_credentials_fault(error: CredentialsRefused) -> _Fault:
    fact = f"{error.status_code} {error.message}"
    if error.error_code == "not_signed_in":
        return _Fault("not_signed_in", fact, _SIGN_IN, final=True)
    if error.error_code == "no_refresh_token":
        return _Fault("no_refresh_token", fact, _SIGN_IN, final=True)
    if error.error_code == "invalid_grant":
        fact = f"the refresh token has expired, or was revoked: {fact}"
        return _Fault("refresh_token_expired", fact, _SIGN_IN, final=True)
    advice = advise(error, "check what Keyyo has on this program")
    return _Fault("application_refused", fact, advice, final=True)


def _make_session_fault(error: KeyyoError) -> _Fault:
    word = "no_connection" if isinstance(error, ConnectionClosed) else "session_refused"
    advice = advise(error, "try again later")
    return _Fault(word, f"{error.status_code} {error.message}", advice)


def _describe_short_number(number: Any) -> str:
    return f"short number {number}" if number else ""
