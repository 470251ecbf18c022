"""phone.html, ported by samples/PORTING.md: shows incoming calls, and dials, in a terminal.

With a CSI token, and for a simulator its endpoint, in the environment::

    KEYYO_CSI_TOKEN=... python samples/porting/phone.py

The page's buttons are words that you type: ``dial 33199020000``, ``dial Bob``, and, with the
number of a row, ``answer 1``, ``reject 1``, ``hang_up 1``, ``pause 1``, ``unpark 1``. ``quit``
leaves the page.
"""

import json
import logging
import os
import sys
import threading
import time

from keyyo_cti import Keyyo

FAVOURITES = {"Bob": "33199020000", "Carol": "33172587948"}

WORDS = {"SETUP": "ringing", "CONNECT": "talking", "RELEASE": "ended", "MISSED": "missed"}


class Phone:
    def __init__(self, options):
        self.cti = Keyyo.CTI({"cookie_name": "my_telephone", "cookie_expires": 7}, **options)
        self.number = None
        self.missed = 0
        self.rows = []  # of callrefs; handlers add, the main thread reads
        self.cti.onNewCall = self.on_new_call
        self.cti.onDisconnected = lambda: self.say("Not connected any more")

    def on_new_call(self, call):
        def on_setup():
            if call.callee == self.number:
                self.say(f"{self.name_of(call.caller)} is calling")

        def on_connect():
            self.say(f"Picked up after {call.get_ringing_duration()} s")

        def on_release():
            self.say(f"Talked for {call.get_duration()} s")

        def on_missed():
            if call.callee == self.number:
                self.missed += 1
                self.say(f"{self.missed} missed")
                told = json.dumps({"from": call.caller, "at": call.setup_date})
                print("missed", told, flush=True)

        self.show(call)
        call.onSetup = on_setup
        call.onConnect = on_connect
        call.onRelease = on_release
        call.onMissed = on_missed

    def say(self, text):
        print(time.strftime("%H:%M:%S"), text, flush=True)

    def name_of(self, number):
        for name, favourite in FAVOURITES.items():
            if favourite == number:
                return name
        return ascii(number)[1:-1] if number else "somebody"  # no control characters

    def start(self, csi_token, callback):
        # After a restart the session goes on; the first time, there is none.
        def restored(err, res):
            if err and err.status_code == 400 and err.error_code == "missing_parameter":
                self.cti.create_session(csi_token, callback)
                return
            callback(err, res)

        self.cti.restore_session(csi_token, restored)

    def connected(self, err, res):
        if err:
            self.say(f"Not connected: {err.status_code} {err.message}")
            return
        self.number = res.number
        self.say(f"Connected, line {res.number}")

    def show(self, call):
        """A row for each call: what it is, and the words for what can be done with it."""
        if call.callref not in self.rows:
            self.rows.append(call.callref)
        row = self.rows.index(call.callref) + 1
        parties = f"{self.name_of(call.caller)} -> {self.name_of(call.callee)}"
        actions = []
        if call.state == "SETUP" and call.callee == self.number:
            actions = ["answer", "reject"]
        if call.state == "CONNECT":
            actions = ["hang_up", "pause"]
        if call.callpark_slot:
            actions = ["unpark"]
        words = ", ".join(f"{action} {row}" for action in actions)
        self.say(f"{parties}: {WORDS.get(call.state) or ascii(call.state)} {words}".rstrip())

    def act(self, action, row):
        """A click on a button of a row."""
        rows = list(self.rows)
        if not row.isdigit() or not 1 <= int(row) <= len(rows):
            self.say(f"There is no row {row}")
            return

        def done(err, res):
            if err:
                self.say(f"{action} failed: {err.message}")

        call = self.cti.get_call(rows[int(row) - 1])
        getattr(call, action)(done)

    def dial(self, number):
        # A callback, and not result(): the call is shown first, as on the page.
        def dialled(err, res):
            if err:
                self.say(f"Cannot call {number}: {err.message}")
                return
            self.say(f"Calling {self.name_of(number)}")

        self.cti.dial(number, dialled)

    def remind(self, stopped):
        """A call that rings for long deserves a hint."""
        while not stopped.wait(1):
            for call in self.cti.get_calls():
                if call.state == "SETUP" and call.get_ringing_duration() > 20:
                    self.say(f"{self.name_of(call.caller)} has been waiting for long")


def main():
    logging.basicConfig()
    options = {"endpoint": os.environ["KEYYO_ENDPOINT"]} if "KEYYO_ENDPOINT" in os.environ else {}
    phone = Phone(options)
    phone.start(os.environ["KEYYO_CSI_TOKEN"], phone.connected)
    stopped = threading.Event()
    threading.Thread(target=phone.remind, args=(stopped,), daemon=True).start()
    with phone.cti:
        for line in sys.stdin:
            word, _, argument = line.strip().partition(" ")
            if word == "dial" and argument:
                phone.dial(FAVOURITES.get(argument, argument))
            elif word in ("answer", "reject", "hang_up", "pause", "unpark"):
                phone.act(word, argument)
            elif word == "quit":
                break
        stopped.set()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
