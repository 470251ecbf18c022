"""Supervised transfer: Dave is called first, and talks to Bob once he answers."""

import stage

stage.reaches(stage.dave)
cti = stage.connect()
call = stage.incoming_call(cti)


def transferred(err, res):
    if err:
        print(err)
        return
    print(res)


call.supervised_transfer("caller", "33172587949", 30, transferred)

stage.expect("1")
stage.dave.picks_up()
stage.see(call, "RELEASE")
stage.dave.sees("talking")
stage.bob.sees("talking")
