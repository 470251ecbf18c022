"""Answer: Bob calls Alice, and her application answers."""

import stage

cti = stage.connect()
call = stage.ringing_call(cti)


def answered(err, res):
    if err:
        print(err)
        return
    print(res)


call.answer(answered)

stage.expect("1")
stage.see(call, "CONNECT")
