"""Requests that come to the simulator's port, right and wrong."""

from random import Random

from .mutation import Mutator

PATHS = (
    b"/cti", b"/cti/info", b"/cti/000/fuzzfuzz/websocket", b"/cti/000/fuzzfuzz/xhr",
    b"/cti/000/fuzzfuzz/xhr_streaming", b"/cti/000/fuzzfuzz/xhr_send", b"/cti/../..//", b"*",
    b"/oauth2/authorize.php", b"/oauth2/token.php", b"/manager/1.0/services",
    b"/manager/1.0/services/33199000001", b"/manager/1.0/services/33199000001/csi_token",
    b"/manager/1.0/services/33199000001/cti_plugins/websocket", b"/manager/1.0/services/%ff%00",
    b"/manager/1.0/services/33199000001/sip_records", b"http://[/cti", b"//[/x", b"/\xff\xfe",
    b"/%",
)

HEADERS = (
    b"Host: 127.0.0.1", b"Host: [", b"Host: \xff", b"Host: a:b:c", b"Host:", b"Origin: \xff\xfe",
    b"Origin: http://example.org", b"Cookie: JSESSIONID=\xff; x", b"Cookie: JSESSIONID=a\x7fb",
    b"Access-Control-Request-Headers: x\xe9", b"Authorization: Basic !!",
    b"Authorization: Basic w6k=", b"Authorization: Bearer \xff", b"Authorization: Bearer x",
    b"Connection: close", b"Upgrade: websocket", b"Connection: Upgrade",
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", b"Sec-WebSocket-Key: x",
    b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: x", b"Transfer-Encoding: chunked",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: text/plain; charset=nobody", b"Content-Type: multipart/form-data; boundary=",
    b"Content-Type: \xff", b"Content-Encoding: gzip", b"Content-Length: 3",
    b"Content-Length: -1", b"Content-Length: 99999999999", b"Expect: 100-continue", b"Expect: x",
    b"Accept-Encoding: br;q=x", b"If-Range: \xff", b"Range: bytes=9-", b"Via: x", b":",
    b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    b"Sec-WebSocket-Protocol: ,",
)

#: Of forms and queries.
FIELDS = (
    b"client_id=keyyo-cti", b"client_secret=not-a-secret", b"grant_type=authorization_code",
    b"grant_type=refresh_token", b"redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fcallback",
    b"code=x", b"redirect_uri=http%3A%2F%2F[", b"response_type=code", b"state=%ed%a0%80",
    b"state=\xff", b"state=x", b"scope=cti_admin+x", b"scopes=full_access_read_only",
    b"scopes=cti_admin%2C,", b"code_challenge=x", b"code_challenge_method=S256",
    b"form_token=x", b"code_verifier=%ed%a0%80",
    b"decision=allow", b"decision=refuse", b"limit=99999999999999999999", b"limit=-1",
    b"offset=1e9", b"enabled=2", b"enabled=1", b"domain_masks[0]=*", b"domain_masks[9999]=%ff",
    b"domain_masks[x]=", b"refresh_token=r", b"=", b"%", b"%ff=%ff", b"a[b]=c",
    b"offset=" + b"9" * 4400,
)

_METHODS = (
    b"GET", b"POST", b"OPTIONS", b"HEAD", b"PUT", b"DELETE", b"PATCH", b"CONNECT", b"X", b"",
)

_CLOSING = b"Host: x\r\nConnection: close\r\n"


def request(random: Random, mutator: Mutator) -> bytes:
    """A request that has something odd about it, perhaps."""
    draw = random.random
    method = _METHODS[int(draw() ** 2 * len(_METHODS))]
    path = PATHS[int(draw() * len(PATHS))]
    if draw() < 0.5:
        path += b"?" + _query(random)
    lines = [HEADERS[int(draw() * len(HEADERS))] for _ in range(int(draw() ** 2 * 5))]
    if draw() < 0.9:
        lines += [b"Host: x", b"Connection: close"]
    body = mutator.mutated() if draw() < 0.3 else _query(random)
    if draw() < 0.7:
        lines.append(b"Content-Length: %d" % len(body))
    version = b"HTTP/1.0" if draw() < 0.1 else b"HTTP/1.1"
    return b"\r\n".join([method + b" " + path + b" " + version, *lines, b"", body])


def form(random: Random) -> bytes:
    """A path, perhaps with a query, a line end, and perhaps a form."""
    draw = random.random
    path = PATHS[int(draw() * len(PATHS))]
    query = b"?" + _query(random) if draw() < 0.7 else b""
    return path + query + b"\n" + (_query(random) if draw() < 0.6 else b"")


def got(path: bytes, headers: bytes = b"") -> bytes:
    """A good request for what is there."""
    return b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path, _CLOSING, headers)


def posted(path: bytes, body: bytes, headers: bytes = b"") -> bytes:
    """A good request that brings something."""
    return b"POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s" % (
        path, _CLOSING, headers, len(body), body)


def _query(random: Random) -> bytes:
    draw = random.random
    return b"&".join(FIELDS[int(draw() * len(FIELDS))] for _ in range(int(draw() * 7)))
