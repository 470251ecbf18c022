"""The protocol's own suite, sockjs-protocol 0.3.3, as far as it applies: 45 of its 68 cases.

The other 23 are about what the simulator leaves out on purpose: the transports eventsource,
htmlfile and jsonp with their cookies (16), the page for an iframe (4), the raw websocket (2) and
the websocket of before RFC 6455 (1). The cases are written anew, from what the suite demands.

Each case also runs against npm's SockJS server, where that is installed. It passes the original
suite, so a case that it fails demands something that the suite does not.
"""
