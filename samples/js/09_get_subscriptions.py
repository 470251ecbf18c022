"""Get subscriptions: the line's own number, and what was subscribed to."""

import stage

cti = stage.connect()
cti.subscribe("callpark").result(stage.PATIENCE)


def got(err, res):
    if err:
        print(err)
        return
    print(res.numbers)


cti.get_subscriptions(got)

stage.expect("['33199000001', 'callpark']")
