"""Subscribe: be notified of a colleague's calls too."""

import stage

cti = stage.connect()


def subscribed(err, res):
    if err:
        print(err)
        return
    print(res)


cti.subscribe("33172587948", subscribed)

stage.expect("1")
print(cti.get_subscriptions().result(stage.PATIENCE).numbers)
stage.expect("['33199000001', '33172587948']")
