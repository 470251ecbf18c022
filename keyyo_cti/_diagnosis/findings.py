"""Findings: what a diagnosis has found, for people and for programs."""

from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Tuple

from ..errors import plain


@dataclass(frozen=True)
class Finding:
    """The finding of one check.

    :ivar check: ``account`` (the program is authorized), ``line`` (it is known), ``plugin`` (the
        CTI plugin ``websocket`` is enabled), ``telephone`` (one is registered), ``token`` (a CSI
        token is created) or ``session`` (it can be opened). A ring test goes on with
        ``subscription`` (the session has the line), ``frame`` (the server notifies something),
        ``newCall`` (it is a call of the line) and ``handler`` (the handlers of it return).
    :ivar good: True, False for a fault, or None if it was not checked.
    :ivar fact: the finding in words.
    :ivar fault: the name of the fault, such as ``plugin_disabled``; None unless ``good`` is False.
    :ivar advice: what to do about the fault, in words.
    :ivar seconds: time of the finding since the start of a ring test; None without one.
    """

    check: str
    good: Optional[bool]
    fact: str
    fault: Optional[str] = None
    advice: Optional[str] = None
    seconds: Optional[float] = None

    def __str__(self) -> str:
        sign = {True: "good", False: "FAULT", None: "-"}[self.good]
        # A ring test has the time too, and longer names.
        time, width = ("", 9) if self.seconds is None else (f"{self.seconds:8.3f} s  ", 12)
        head = f"  {time}{sign:<5}  {self.check:<{width}}  "
        advice = f"\n{' ' * len(head)}-> {plain(self.advice)}" if self.advice else ""
        return f"{head}{plain(self.fact)}{advice}"


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
        - ``no_session``, ``wrong_line``, ``connection_lost``, ``connection_silent``: the session
          of a ring test;
        - ``subscription_refused``, ``not_subscribed``, ``no_frame``, ``unreadable_frame``,
          ``no_call``, ``other_line``: the awaited call;
        - ``no_handler``, ``handler_raised``, ``handler_blocked``, ``handler_not_run``: the
          program;
        - ``no_network``, ``untrusted_server``, ``no_connection``: the network;
        - ``session_refused``, ``access_refused``, ``timeout``, ``quota``, ``server_error`` and
          the other error codes of ``ManagerError``: Keyyo.
        """
        return list(dict.fromkeys(each.fault for each in self.findings if each.fault is not None))

    def to_dict(self) -> Dict[str, Any]:
        """Return the diagnosis as a dict of JSON values."""
        findings = [asdict(finding) for finding in self.findings]
        for each in findings:
            if each["seconds"] is None:
                del each["seconds"]
        return {"csi": self.csi, "good": self.good, "faults": self.faults, "findings": findings}

    def __str__(self) -> str:
        return "\n".join([f"line {plain(self.csi or 'unknown')}", *map(str, self.findings)])
