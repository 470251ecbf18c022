"""What a simulator offers of OAuth2 and the Manager API, for any thread."""

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
    scope_set,
)
from .phones import World
from .serving import ServerThread
from .website import REQUESTS_KEPT, Website


class Access:
    """The part of `Simulator` that is about access to the account."""

    _thread: ServerThread
    _world: World
    _website: Website

    @property
    def authorize_url(self) -> str:
        """Where an application sends its visitor: a page that asks for consent."""
        return self._thread.origin + oauth2_site.PATH + oauth2_site.AUTHORIZE

    @property
    def token_url(self) -> str:
        """Where an application gets and renews its tokens."""
        return self._thread.origin + oauth2_site.PATH + oauth2_site.TOKEN

    @property
    def manager_url(self) -> str:
        """The base of the Manager API, for example "http://127.0.0.1:40001/manager/1.0"."""
        return self._thread.origin + manager_site.PATH

    def oauth2_application(
        self,
        client_id: str,
        client_secret: str,
        redirect_uris: Iterable[str],
        scopes: Union[str, Iterable[str], None] = None,
        default_scopes: Union[str, Iterable[str], None] = None,
    ) -> Application:
        """Register an application; one with the same client id is replaced.

        `DEFAULT_APPLICATION` is registered from the start.

        :param client_id: its name.
        :param client_secret: its password.
        :param redirect_uris: where its visitors may be sent back to, each compared as a whole.
        :param scopes: what it may ask for; None for every scope.
        :param default_scopes: what it gets if its request has no ``scopes``. None takes the
            ``scopes``, or "full_access_read_only" if there are none either: a program that asks
            for nothing by name gets no "cti_admin".
        :raises TypeError: an argument has the wrong type.
        :raises ValueError: an argument is empty, a redirect URI is not absolute or has a
            fragment, or there is no such scope.
        """
        if isinstance(redirect_uris, str):
            raise TypeError("redirect_uris: expected a list of strings, got str")
        if default_scopes is None:
            default_scopes = FULL_ACCESS_READ_ONLY if scopes is None else scopes
        application = Application(
            client_id,
            client_secret,
            tuple(redirect_uris),
            scope_set(SCOPES if scopes is None else scopes),
            scope_set(default_scopes),
        )
        self._thread.call(self._website.authority.register, application)
        return application

    def grant_only(self, scopes: Union[str, Iterable[str], None]) -> None:
        """From now on, grant less than is asked for: only those of these scopes.

        What was granted before stays as it is.

        :param scopes: with blanks or commas between, or one by one; None ends it.
        :raises ValueError: there is no such scope.
        """
        limit = None if scopes is None else scope_set(scopes)
        if limit is not None and not limit <= SCOPES.keys():
            raise ValueError(f"scopes: expected some of {', '.join(SCOPES)}; got {scopes!r}")
        self._thread.call(self._website.authority.grant_only, limit)

    def consent(self, url: str, *, allow: bool = True) -> str:
        """Play the owner of the account, who opens the consent page in a browser and clicks.

        :param url: where an application sends its visitor, see `authorize_url`.
        :param allow: whether to click on Allow or on Refuse.
        :returns: where the browser is sent to: the redirect URI, with a code or an error.
        :raises ValueError: no application that is registered asks so; there is an error page.
        """
        asked = dict(parse_qsl(urlsplit(url).query))
        try:
            return self._thread.call(self._website.oauth2.decide, asked, allow)
        except NotRedirectable as error:
            raise ValueError(f"url: {error}") from error

    def account_tokens(
        self, scope: str = " ".join(CTI_SCOPES), *, application: Optional[Application] = None
    ) -> Dict[str, Any]:
        """Tokens as an application gets them, without anybody's click.

        :param scope: what they allow, with blanks or commas between.
        :param application: whose they are; None takes the one that was registered last.
        :returns: `access_token`, `expires_in`, `token_type`, `scope` and `refresh_token`.
        :raises ValueError: the application may not have this scope.
        """
        authority = self._website.authority
        scopes = scope_set(scope)

        def grant() -> Dict[str, Any]:
            owner = application or authority.newest
            if not scopes or not scopes <= owner.scopes:
                raise ValueError(
                    f"scope: expected some of {', '.join(sorted(owner.scopes))}; got {scope!r}")
            return authority.grant(owner, scopes)

        return self._thread.call(grant)

    def revoke_access(self, token: str) -> None:
        """Make an access token invalid; its refresh token goes on.

        :raises ValueError: not an access token of this simulator.
        """
        self._thread.call(self._website.authority.revoke_access, token)

    def expire_refresh_tokens(self) -> None:
        """Make every refresh token invalid, as if nobody had come back for too long."""
        self._thread.call(self._website.authority.expire_refresh_tokens)

    def requested(self, path_prefix: str = "/") -> List[str]:
        """The HTTP requests that came in, oldest first, for example "POST /oauth2/token.php".

        :param path_prefix: only those whose path begins so.
        """
        return self._thread.call(self._website.requested, path_prefix)

    def wait_for_request(
        self, path_prefix: str, timeout: float = 5.0, *, count: int = 1
    ) -> str:
        """Wait until `count` such HTTP requests have come in, and give that one.

        :param path_prefix: how their paths begin.
        :param timeout: seconds.
        :param count: 1 waits for the first one ever, and so on.
        :raises TimeoutError: there were fewer.
        """
        require_integer(count, "count", 1, REQUESTS_KEPT)

        def complaint() -> str:
            seen = self._website.requested("/")
            return f"no request {path_prefix!r} number {count} after {timeout} s: saw {seen}"

        return self._world.wait(
            lambda: self._website.nth_requested(path_prefix, count), timeout, complaint)
