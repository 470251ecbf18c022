"""A test browser that reads a page's form and clicks one of its buttons."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from keyyo_cti.simulator import DEFAULT_APPLICATION, Application, Simulator
from keyyo_cti.simulator.oauth2 import CTI_SCOPES

TIMEOUT = 30.0

STATE = "st&te"


class Page(HTMLParser):
    """The form, the buttons and the text of a page.

    :param url: the page's URL.
    :param html: the page's HTML.
    """

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url = url
        self.action = ""
        self.method = ""
        self.fields: Dict[str, str] = {}
        self.buttons: Dict[str, Tuple[str, str]] = {}
        self.text = ""
        self._button: Optional[Tuple[str, str]] = None
        self.tags: List[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.tags.append(tag)
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.method = values["action"], values["method"]
        elif tag == "input":
            self.fields[values["name"]] = values["value"]
        elif tag == "button":
            self._button = values["name"], values["value"]

    def handle_endtag(self, tag: str) -> None:
        self._button = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._button is not None:
            self.buttons[data] = self._button

    def click(self, button: str) -> requests.Response:
        """Submit the form by the button of that name; a redirect is not followed."""
        name, value = self.buttons[button]
        return requests.request(
            self.method,
            urljoin(self.url, self.action),
            data={**self.fields, name: value},
            allow_redirects=False,
            timeout=TIMEOUT,
        )


def request_of(application: Application = DEFAULT_APPLICATION, **changes: str) -> Dict[str, str]:
    """Return the parameters of an authorization request."""
    return {
        "client_id": application.client_id,
        "response_type": "code",
        "state": STATE,
        "redirect_uri": application.redirect_uris[0],
        "scopes": ",".join(sorted(application.scopes & set(CTI_SCOPES))),
        **changes,
    }


def visit(sim: Simulator, parameters: Dict[str, str]) -> requests.Response:
    """Open the page of an authorization request; a redirect is not followed."""
    return requests.get(
        sim.authorize_url, params=parameters, allow_redirects=False, timeout=TIMEOUT)


def read(response: requests.Response) -> Page:
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(response.url, response.text)


def sent_back(response: requests.Response) -> Tuple[str, Dict[str, str]]:
    """Return the target of a redirect without its query, and the query."""
    assert response.status_code == 302
    target = urlsplit(response.headers["Location"])
    return target._replace(query="").geturl(), dict(parse_qsl(target.query))


def get_code(
    sim: Simulator, application: Application = DEFAULT_APPLICATION, **changes: str
) -> str:
    """Return the code that a click on Allow gives an application."""
    page = read(visit(sim, request_of(application, **changes)))
    return sent_back(page.click("Allow"))[1]["code"]


def ask_token(
    sim: Simulator, application: Application = DEFAULT_APPLICATION, **fields: Any
) -> requests.Response:
    """Send a token request with the credentials of an application."""
    credentials = {
        "client_id": application.client_id, "client_secret": application.client_secret}
    return requests.post(sim.token_url, data={**credentials, **fields}, timeout=TIMEOUT)


def ask_refresh(
    sim: Simulator, token: str, application: Application = DEFAULT_APPLICATION, **changes: Any
) -> requests.Response:
    """Send a refresh token, as an application does that follows Keyyo's page."""
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "redirect_uri": application.redirect_uris[0],
    }
    return ask_token(sim, application, **{**fields, **changes})
