"""In workers that a master forks."""

from pathlib import Path

import pytest
import requests

from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import DEADLINE, Running
from .hosting import needs, run
from .page import write
from .whole_way import BOB

#: A WSGI application with a CTI of each worker's own, and two that the master made.
APPLICATION = """
from keyyo_cti import CTI
from line import get_cti

opened = CTI(endpoint={endpoint!r}, cookie_auto=False)
opened.create_session({token!r}).result(10)
never_opened = CTI(endpoint={endpoint!r}, cookie_auto=False)

def app(environ, start_response):
    path = environ["PATH_INFO"]
    try:
        if path == "/lazy":
            get_cti().dial("33199020000").result(10)
            said = "dialled"
        elif path == "/opened":
            said = opened.ping().result(10)
        else:
            said = never_opened.create_session({token!r}).result(10)
    except Exception as error:
        said = f"{{type(error).__name__}}: {{error}}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(said).encode()]
"""

REFUSED = "RuntimeError: this CTI belongs to the parent process: make another one after fork"

#: Tells a worker to do something, and waits for the outcome.
ASK = """
import sys; sys.path.insert(0, ".")
from tasks import dial
print(dial.delay("33199020000").get(timeout=20))
"""

BROKER = """
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue"},
    result_backend="file://results",
    broker_connection_retry_on_startup=True,
)
"""


@pytest.mark.fault(55)
@needs("gunicorn")
def test_gunicorn_with_preload_makes_a_cti_in_each_worker(
    folder: Path, sim: Simulator, alice: Line
) -> None:
    """What the master has opened raises in a worker, and says what to do."""
    code = APPLICATION.format(endpoint=sim.endpoint, token=sim.token(alice))
    (folder / "application.py").write_text(code, "utf-8")
    with Running(
        "-m", "gunicorn", "--preload", "--workers", "1", "--bind", "127.0.0.1:0",
        "--chdir", str(folder), "application:app",
    ) as gunicorn:
        url = gunicorn.until("Listening at: ", "err").split()[-2]
        answers = [
            requests.get(url + path, timeout=DEADLINE).text
            for path in ("/opened", "/never_opened", "/lazy")
        ]
        gunicorn.process.terminate()
        assert gunicorn.end() == 0
    assert [answers[0], answers[2]] == [REFUSED, "dialled"]
    assert f"number={alice.number!r}" in answers[1]


@pytest.mark.fault(55)
@needs("celery")
def test_celery_prefork_makes_a_cti_in_each_worker(
    folder: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task of the page, by a broker in a folder."""
    write(folder, "tasks.py", "Celery", sim, "")
    with (folder / "tasks.py").open("a", encoding="utf-8") as tasks:
        tasks.write(BROKER)
    for each in ("queue", "results"):
        (folder / each).mkdir()
    with Running(
        "-m", "celery", "--workdir", str(folder), "-A", "tasks", "worker",
        "--pool", "prefork", "--concurrency", "1", "--without-gossip", "--without-mingle",
        C_FORCE_ROOT="1",
    ) as worker:
        assert run(ASK) == f"{BOB}\n"
        worker.process.terminate()
        assert worker.end() == 0
