"""Transfer: Bob has called Alice, and is sent on to Dave."""

import stage

stage.reaches(stage.dave)
cti = stage.connect()
call = stage.incoming_call(cti)


def transferred(err, res):
    if err:
        print(err)
        return
    print(res)


call.transfer("caller", "33172587949", transferred)

stage.expect("1")
stage.see(call, "RELEASE")
stage.dave.sees("ringing")
stage.bob.sees("calling")
