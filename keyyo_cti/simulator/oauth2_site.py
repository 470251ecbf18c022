"""The OAuth2 site on aiohttp: the consent page for browsers, the token for applications."""

from __future__ import annotations

from typing import Mapping

from aiohttp import web

from .consent import ALLOW, DECISION, REFUSE, consent_page, error_page, redirect_url
from .forms import basic_credentials_of, form_of
from .oauth2 import Authority, NotRedirectable, OAuth2Error

PATH = "/oauth2"
AUTHORIZE = "/authorize.php"
TOKEN = "/token.php"

PRIVATE = {"Cache-Control": "no-store"}


class OAuth2Site:
    """Serves the pages of an authority.

    Nobody logs in: whoever looks at the consent page owns the account.

    :param authority: who grants.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def application(self) -> web.Application:
        """The aiohttp application to be mounted at `PATH`."""
        application = web.Application()
        application.add_routes([
            web.get(AUTHORIZE, self._authorize),
            web.post(AUTHORIZE, self._authorize),
            web.post(TOKEN, self._token),
        ])
        return application

    def decide(self, asked: Mapping[str, str], allow: bool) -> str:
        """Where the visitor's browser is sent after a click.

        :param asked: the parameters of the authorization request.
        :param allow: whether the click was on Allow.
        :raises NotRedirectable: the browser is not sent anywhere.
        """
        application = self._authority.applicant(asked)
        try:
            scopes = self._authority.asked(application, asked)
        except OAuth2Error as error:
            return _location(asked, error=error.error)
        if not allow:
            return _location(asked, error="access_denied")
        return _location(
            asked, code=self._authority.code(application, asked["redirect_uri"], scopes))

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        asked = {**request.query, **await form_of(request)}
        decision = asked.pop(DECISION, None) if request.method == "POST" else None
        try:
            application = self._authority.applicant(asked)
            scopes = self._authority.asked(application, asked)
        except NotRedirectable as error:
            return _page(error_page(str(error)), 400)
        except OAuth2Error as error:
            return _redirect(_location(asked, error=error.error))
        if request.method != "POST":
            return _page(
                consent_page(application.client_id, scopes, asked, PATH + AUTHORIZE))
        if decision not in (ALLOW, REFUSE):
            return _page(error_page("The answer must be Allow or Refuse."), 400)
        return _redirect(self.decide(asked, decision == ALLOW))

    async def _token(self, request: web.Request) -> web.StreamResponse:
        fields = await form_of(request)
        basic = basic_credentials_of(request)
        if basic is not None:
            fields["client_id"], fields["client_secret"] = basic
        try:
            return web.json_response(self._authority.answer(fields), headers=PRIVATE)
        except OAuth2Error as error:
            headers = dict(PRIVATE)
            if error.status == 401 and basic is not None:
                headers["WWW-Authenticate"] = "Basic"
            complaint = {"error": error.error, "error_description": error.description}
            return web.json_response(complaint, status=error.status, headers=headers)


def _page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html", headers=PRIVATE)


def _location(asked: Mapping[str, str], **answer: str) -> str:
    if "state" in asked:
        answer["state"] = asked["state"]
    return redirect_url(asked["redirect_uri"], answer)


def _redirect(location: str) -> web.Response:
    # Not HTTPFound, which would write the registered address in its own way.
    return web.Response(status=302, headers={**PRIVATE, "Location": location})
