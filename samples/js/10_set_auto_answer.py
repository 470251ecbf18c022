"""Set auto-answer's state: whether Alice's telephone takes part without ringing first."""

import stage

cti = stage.connect()
cti.set_auto_answer(False).result(stage.PATIENCE)


def auto_answer_set(err, res):
    if err:
        print(err)
        return
    print(res)


cti.set_auto_answer(True, auto_answer_set)

stage.expect("1")
print(cti.get_auto_answer().result(stage.PATIENCE).auto_answer)
stage.expect("True")
