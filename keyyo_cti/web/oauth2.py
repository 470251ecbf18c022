"""OAuth2 of Keyyo: how a program is let into an account, and stays let in.

``requests-oauthlib`` makes the authorization URL, and its ``oauthlib`` the forms of the token
requests. They are sent by this SDK's own hand: ``OAuth2Session.fetch_token`` and
``refresh_token`` log the client secret and every token at DEBUG.
"""

import hmac
import os
import re
import secrets
import time
from typing import Any, Callable, Dict, Iterable, Mapping, NoReturn, Optional, Tuple, Union
from urllib.parse import parse_qs, urlsplit, urlunsplit

from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

from ..clock import as_seconds
from ..errors import invalid_params
from .request import Reply, RequestFailed, SecretForm, Web, checked_url
from .tokens import Tokens

AUTHORIZE_URL = "https://ssl.keyyo.com/oauth2/authorize.php"
TOKEN_URL = "https://api.keyyo.com/oauth2/token.php"

#: Mint CSI tokens, and change CTI plugins.
CTI_ADMIN = "cti_admin"
#: Read the account.
FULL_ACCESS_READ_ONLY = "full_access_read_only"
SCOPES = (CTI_ADMIN, FULL_ACCESS_READ_ONLY)

SIGN_IN_AGAIN = "have the user authorize the application again"

#: In an address that a browser was sent to.
_ANSWER = re.compile(r"[?&](code|error|state)=")

#: What Keyyo says when the same request will never do, and what to do instead.
_FINAL = {
    "invalid_grant": "it has expired, was used already, or was revoked: " + SIGN_IN_AGAIN,
    "invalid_client": "check the client id and the client secret",
    "unauthorized_client": "check what Keyyo allows to this client id",
    "access_denied": "the user has not allowed it",
}


class OAuth2Error(RequestFailed):
    """Keyyo gave no tokens. ``error_code`` is OAuth2's ``error`` where Keyyo sent one."""


class CredentialsRefused(OAuth2Error):
    """Keyyo does not let this program in, and will not when it asks again: only a person can
    help, as ``hint`` says."""

    final = True


class OAuth2Client:
    """A program that Keyyo knows, and what it asks Keyyo's OAuth2 for. Blocking, thread-safe.

    Source: OAuth2 of Keyyo.

    :param client_id: the program's, as Keyyo gave it.
    :param client_secret: what Keyyo gave with it.
    :param redirect_uri: where the browser is sent afterwards, as Keyyo knows it.
    :param authorize_url: the page where the user allows it.
    :param token_url: where tokens come from: https, or http on this very machine.
    :param timeout: seconds that a request may take.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param wall: the clock, in Unix seconds.
    :raises TypeError: an argument is of a wrong kind.
    :raises ValueError: an argument has an impossible value.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        *,
        authorize_url: str = AUTHORIZE_URL,
        token_url: str = TOKEN_URL,
        timeout: float = 10.0,
        ca_certs: Union[str, "os.PathLike[str]", None] = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.client_id = _text("client_id", client_id)
        self.redirect_uri = _text("redirect_uri", redirect_uri)
        self.authorize_url = checked_url("authorize_url", authorize_url)
        self.token_url = checked_url("token_url", token_url)
        self._client_secret = _text("client_secret", client_secret)
        self._web = Web(OAuth2Error, timeout, ca_certs)
        self._wall = wall

    def authorization_url(self, scope: Union[str, Iterable[str]] = SCOPES) -> Tuple[str, str]:
        """Where to send the user's browser.

        :param scope: what is asked for: one string with spaces, or several.
        :returns: the URL, and the state: keep it for ``exchange``, with this user's browser.
        """
        state = secrets.token_urlsafe(32)
        wanted = scope.split() if isinstance(scope, str) else list(scope)
        # oauthlib takes https alone; that http leads to this very machine was seen to before.
        parts = urlsplit(self.authorize_url)
        secure = urlunsplit(parts._replace(scheme="https"))
        client = WebApplicationClient(self.client_id)
        with OAuth2Session(
            client=client, redirect_uri=self.redirect_uri, scope=wanted
        ) as session:
            url, _ = session.authorization_url(secure, state)
        return urlunsplit(urlsplit(url)._replace(scheme=parts.scheme)), state

    def exchange(self, code_or_redirected_url: str, state: Optional[str] = None) -> Tokens:
        """The tokens for what the browser brought back. It works once, and soon after.

        :param code_or_redirected_url: the URL that the browser was sent to, or only the code in
            it, as a person may have copied it.
        :param state: what ``authorization_url`` gave. A URL must bring the same.
        :raises CredentialsRefused: the user or Keyyo has refused.
        :raises OAuth2Error: the URL is not the answer to this request, or there is no answer
            from Keyyo.
        """
        code = _code(_brought(code_or_redirected_url), state)
        client = WebApplicationClient(self.client_id)
        credentials = SecretForm(
            client.prepare_request_body(
                code=code, redirect_uri=self.redirect_uri, client_secret=self._client_secret
            ),
            self._client_secret,
            code,
        )
        return self._ask(credentials, None)

    def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for old ones. The old refresh token is dead then: keep the new one safely
        before anything else is done. ``Account`` does that.

        It is asked once: whether a request without an answer was heard, nobody knows.

        :param tokens: with a refresh token.
        :raises CredentialsRefused: there is no refresh token, or Keyyo has refused it.
        :raises OAuth2Error: there is no answer that could be understood.
        """
        if not isinstance(tokens, Tokens):
            raise invalid_params("tokens", f"expected Tokens, got {type(tokens).__name__}")
        if tokens.refresh_token is None:
            raise CredentialsRefused(
                401, "There is no refresh token", "no_refresh_token", SIGN_IN_AGAIN
            )
        client = WebApplicationClient(self.client_id)
        credentials = SecretForm(
            client.prepare_refresh_body(
                refresh_token=tokens.refresh_token,
                client_id=self.client_id,
                client_secret=self._client_secret,
            ),
            self._client_secret,
            tokens.refresh_token,
            tokens.access_token,
        )
        return self._ask(credentials, tokens)

    def _ask(self, credentials: SecretForm, old: Optional[Tokens]) -> Tokens:
        asked_at = self._wall()
        reply = self._web.send("POST", self.token_url, credentials)
        new = _tokens(reply.fields(), old, asked_at) if reply.good else None
        if new is None:
            _refuse(reply, credentials)
        return new

    def __repr__(self) -> str:
        return f"<OAuth2Client {self.client_id} at {self.token_url}>"


def _text(name: str, value: Any) -> str:
    # The value is not shown: it may be a secret.
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a string, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeError:
        raise ValueError(f"{name}: expected text") from None
    if not value.strip():
        raise ValueError(f"{name}: expected a string that is not empty")
    return value


def _brought(code_or_redirected_url: Any) -> str:
    if not isinstance(code_or_redirected_url, str) or not code_or_redirected_url.strip():
        raise invalid_params("code_or_redirected_url", "expected a string that is not empty")
    # A terminal may have given bytes that are no text; no code has them.
    return code_or_redirected_url.strip().encode("utf-8", "replace").decode()


def _code(code_or_redirected_url: str, state: Optional[str]) -> str:
    """The authorization code, if it is ours."""
    if "://" not in code_or_redirected_url and not _ANSWER.search(code_or_redirected_url):
        return code_or_redirected_url
    # Browsers show an address without its beginning, and people copy it so.
    answer = parse_qs(code_or_redirected_url.partition("#")[0].partition("?")[2])
    [theirs] = answer.get("state", [""])[-1:]
    if not state or not hmac.compare_digest(theirs.encode(), state.encode()):
        raise OAuth2Error(
            400,
            "The state in the URL is not that of this authorization",
            "invalid_state",
            "the URL answers another request, perhaps an attacker's: " + SIGN_IN_AGAIN,
        )
    if "error" in answer:
        _raise_error(400, {name: values[-1] for name, values in answer.items()})
    if "code" not in answer:
        raise OAuth2Error(
            400, "There is no code in the URL", "invalid_request", "give the whole URL"
        )
    return answer["code"][-1]


def _tokens(fields: Mapping[str, Any], old: Optional[Tokens], asked_at: float) -> Optional[Tokens]:
    """The tokens of an answer, or None when it is not one. A refresh token that is not replaced
    goes on being good."""
    access_token = fields.get("access_token")
    refresh_token = fields.get("refresh_token") or (old.refresh_token if old else None)
    seconds = as_seconds(fields.get("expires_in"))
    try:
        return Tokens(
            access_token or "", refresh_token, None if seconds is None else asked_at + seconds
        )
    except ValueError:
        return None


def _refuse(reply: Reply, credentials: SecretForm) -> NoReturn:
    """Raises the error that an answer without tokens stands for."""
    said = _said(reply.fields(), credentials.hide)
    if "error" in said:
        _raise_error(400 if reply.good else reply.status, said)
    raise OAuth2Error(
        502 if reply.good else reply.status,
        f"The answer has no tokens: {reply.status} {credentials.hide(reply.phrase)}",
        "unreadable" if reply.status < 500 else None,
        "check the token_url" if reply.status < 500 else "try again later",
    )


def _said(answer: Mapping[str, Any], hide: Callable[[str], str]) -> Dict[str, str]:
    """Those words of an answer that say why there are no tokens."""
    names = ("error", "error_description")
    said = {name: hide(answer[name]) for name in names if isinstance(answer.get(name), str)}
    if answer.get("error") in _FINAL:
        # A person may have pasted a code that is part of the word.
        said["error"] = answer["error"]
    return said


def _raise_error(status: int, said: Mapping[str, str]) -> NoReturn:
    code, reason = said["error"], said.get("error_description") or None
    kind = CredentialsRefused if code in _FINAL else OAuth2Error
    words = reason or code or "Refused without a reason"
    raise kind(status, words, code or None, _FINAL.get(code), reason=reason)
