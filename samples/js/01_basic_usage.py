"""Basic usage: every method takes a callback, of whose two arguments one is set."""

import stage

cti = stage.connect()


def method_name(error, result):
    print(error, result)


cti.ping(method_name)

stage.expect("None 1")
