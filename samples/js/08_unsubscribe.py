"""Unsubscribe: be notified of a colleague's calls no more."""

import stage

cti = stage.connect()
cti.subscribe("33172587948").result(stage.PATIENCE)


def unsubscribed(err, res):
    if err:
        print(err)
        return
    print(res)


cti.unsubscribe("33172587948", unsubscribed)

stage.expect("1")
print(cti.get_subscriptions().result(stage.PATIENCE).numbers)
stage.expect("['33199000001']")
