"""The methods of `Simulator` for OAuth2 and the Manager API."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Union
from urllib.parse import parse_qsl, urlsplit

from . import manager_site, oauth2_site
from .arguments import require_integer
from .oauth2 import (
    CTI_SCOPES,
    FULL_ACCESS_READ_ONLY,
    SCOPES,
    Application,
    NotRedirectable,
    parse_scopes,
)
from .runtime import Runtime
from .serving import ServerThread
from .website import MAX_RECORDED_REQUESTS, Website


class Access:
    """The part of `Simulator` that gives access to the account."""

    _thread: ServerThread
    _runtime: Runtime
    _website: Website

    @property
    def authorize_url(self) -> str:
        """The URL of the consent page, where an application sends its visitor."""
        return self._thread.origin + oauth2_site.PATH + oauth2_site.AUTHORIZE

    @property
    def token_url(self) -> str:
        """The URL where an application gets and refreshes its tokens."""
        return self._thread.origin + oauth2_site.PATH + oauth2_site.TOKEN

    @property
    def manager_url(self) -> str:
        """The base URL of the Manager API, for example "http://127.0.0.1:40001/manager/1.0"."""
        return self._thread.origin + manager_site.PATH

    def oauth2_application(
        self,
        client_id: str,
        client_secret: str,
        redirect_uris: Iterable[str],
        scopes: Union[str, Iterable[str], None] = None,
        default_scopes: Union[str, Iterable[str], None] = None,
    ) -> Application:
        """Register an application; replace one with the same client id.

        `DEFAULT_APPLICATION` is registered from the start.

        :param client_id: its name.
        :param client_secret: its password.
        :param redirect_uris: the allowed redirect URIs, each compared as a whole, but for the
            host and the port of one on loopback.
        :param scopes: the scopes that it may request; None allows every scope.
        :param default_scopes: the scopes of a request without ``scopes``. None takes `scopes`, or
            "full_access_read_only" if both are None. A request that names no scope then never gets
            "cti_admin".
        :raises TypeError: an argument has the wrong type.
        :raises ValueError: an argument is empty, a redirect URI is relative or has a fragment, or
            a scope is unknown.
        """
        if isinstance(redirect_uris, str):
            raise TypeError("redirect_uris: expected a list of strings, got str")
        if default_scopes is None:
            default_scopes = FULL_ACCESS_READ_ONLY if scopes is None else scopes
        application = Application(
            client_id,
            client_secret,
            tuple(redirect_uris),
            parse_scopes(SCOPES if scopes is None else scopes),
            parse_scopes(default_scopes),
        )
        self._thread.call(self._website.authority.register, application)
        return application

    def grant_only(self, scopes: Union[str, Iterable[str], None]) -> None:
        """Limit the scopes of grants from now on.

        Earlier grants keep their scopes.

        :param scopes: separated by blanks or commas, or one by one; None removes the limit.
        :raises ValueError: a scope is unknown.
        """
        limit = None if scopes is None else parse_scopes(scopes)
        if limit is not None and not limit <= SCOPES.keys():
            raise ValueError(f"scopes: expected some of {', '.join(SCOPES)}; got {scopes!r}")
        self._thread.call(self._website.authority.grant_only, limit)

    def consent(self, url: str, *, allow: bool = True) -> str:
        """Answer the consent page as the owner of the account does.

        :param url: where an application sends its visitor; see `authorize_url`.
        :param allow: True clicks Allow, False clicks Refuse.
        :returns: the redirect URI, with a code or an error.
        :raises ValueError: the client id or the redirect URI is not registered, so that the
            browser would see an error page.
        """
        asked = dict(parse_qsl(urlsplit(url).query))
        try:
            return self._thread.call(self._website.oauth2.decide, asked, allow)
        except NotRedirectable as error:
            raise ValueError(f"url: {error}") from error

    def account_tokens(
        self, scope: str = " ".join(CTI_SCOPES), *, application: Optional[Application] = None
    ) -> Dict[str, Any]:
        """Return new tokens for an application without a consent page.

        :param scope: the scopes, separated by blanks or commas.
        :param application: the owner of the tokens; None takes the one registered last.
        :returns: `access_token`, `expires_in`, `token_type`, `scope` and `refresh_token`.
        :raises ValueError: the application may not have this scope.
        """
        authority = self._website.authority
        scopes = parse_scopes(scope)

        def grant() -> Dict[str, Any]:
            owner = application or authority.newest
            if not scopes or not scopes <= owner.scopes:
                raise ValueError(
                    f"scope: expected some of {', '.join(sorted(owner.scopes))}; got {scope!r}")
            return authority.grant(owner, scopes)

        return self._thread.call(grant)

    def revoke_access(self, token: str) -> None:
        """Make an access token invalid; its refresh token stays valid.

        :raises ValueError: this simulator did not issue the token.
        """
        self._thread.call(self._website.authority.revoke_access, token)

    def expire_refresh_tokens(self) -> None:
        """Make every refresh token invalid, as Keyyo does after long disuse."""
        self._thread.call(self._website.authority.expire_refresh_tokens)

    def requested(self, path_prefix: str = "/") -> List[str]:
        """Return the HTTP requests, oldest first, for example "POST /oauth2/token.php".

        :param path_prefix: selects requests whose path starts with it.
        """
        return self._thread.call(self._website.get_requests, path_prefix)

    def wait_for_request(
        self, path_prefix: str, timeout: float = 5.0, *, count: int = 1
    ) -> str:
        """Wait for HTTP request number `count` and return it.

        :param path_prefix: counts only requests whose path starts with it.
        :param timeout: seconds.
        :param count: 1 is the first request since the start.
        :raises TimeoutError: fewer requests arrived.
        """
        require_integer(count, "count", 1, MAX_RECORDED_REQUESTS)

        def make_message() -> str:
            seen = self._website.get_requests("/")
            return f"no request {path_prefix!r} number {count} after {timeout} s: saw {seen}"

        return self._runtime.wait(
            lambda: self._website.find_request(path_prefix, count), timeout, make_message)
