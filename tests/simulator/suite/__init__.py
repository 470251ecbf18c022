"""The applicable cases of sockjs-protocol 0.3.3: 45 of 68.

The other 23 test features that the simulator omits on purpose. These are the transports
eventsource, htmlfile and jsonp with their cookies (16), the iframe page (4), the raw websocket
(2) and the websocket before RFC 6455 (1). The cases are rewritten from the suite's requirements.

Each case also runs against npm's SockJS server, where that is installed. That server passes the
original suite, so a case that it fails demands too much.
"""
