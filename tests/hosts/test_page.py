"""What samples/HOSTS.md says to write works."""

import re
from pathlib import Path

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import ROOT
from .hosting import needs, run
from .page import PAGE, examples, write
from .whole_way import BOB, EXPECTED

#: What each example prints that is a program by itself.
PRINTED = {
    "Threads": "1 1 1 1 1 1 1 1\n",
    "multiprocessing": "1 1 1 1\n",
    "gevent": "1\n",
    "eventlet": "1\n",
    "Twisted": "33199000001\n",
    "Tornado": "33199000001\n",
    "freezegun": "1 False\n",
}

#: The modules that an example needs.
NEEDS = {"Twisted": "twisted", "Tornado": "tornado", "gevent": "gevent", "eventlet": "eventlet",
         "freezegun": "freezegun"}

#: Examples that other tests run.
ELSEWHERE = {"One rule", "Flask", "Django", "Celery", "truststore", "responses"}

START = """
import runpy, sys, warnings
warnings.simplefilter("ignore")     # eventlet says of itself that it is old
sys.path.insert(0, ".")
runpy.run_path("program.py", run_name="__main__")
"""

FLASK = """
import sys; sys.path.insert(0, ".")
from program import app
answer = app.test_client().post("/dial/33199020000")
print(answer.status_code, answer.get_json())
"""

DJANGO = """
import sys; sys.path.insert(0, ".")
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["*"])
from django.test import RequestFactory
from program import dial
answer = dial(RequestFactory().post("/dial"), "33199020000")
print(answer.status_code, answer.content.decode())
"""


def test_every_example_is_run() -> None:
    assert set(examples()) == set(PRINTED) | ELSEWHERE


@pytest.mark.parametrize(
    "heading",
    [pytest.param(each, marks=needs(NEEDS[each]) if each in NEEDS else ()) for each in PRINTED],
)
def test_program_of_the_page_prints_what_it_should(
    heading: str, folder: Path, sim: Simulator, alice: Line
) -> None:
    write(folder, "program.py", heading, sim, sim.token(alice))
    assert run(START) == PRINTED[heading]


@needs("flask")
def test_flask_view_of_the_page_dials(folder: Path, sim: Simulator, alice: Line) -> None:
    write(folder, "program.py", "Flask", sim, "")
    assert run(FLASK) == f"200 {{'dialled': '{BOB}'}}\n"


@needs("django")
def test_django_view_of_the_page_dials(folder: Path, sim: Simulator, alice: Line) -> None:
    write(folder, "program.py", "Django", sim, "")
    assert run(DJANGO) == f'200 {{"dialled": "{BOB}"}}\n'


@needs("truststore")
def test_truststore_leaves_ca_certs_trusted() -> None:
    program = examples()["truststore"] + (
        "import sys\n"
        "from tests.hosts.whole_way import whole_way\n"
        "print(*whole_way(*sys.argv[1:]))\n"
    )
    with Simulator(tls=True) as sim:
        token = sim.token(sim.line("33199000001"))
        sim.phone(BOB)
        assert run(program, sim.endpoint, token, str(sim.ca_certs)).split() == EXPECTED


@needs("responses")
def test_responses_answers_the_manager() -> None:
    assert run(examples()["responses"]).startswith("403 Forbidden")


@needs("responses")
@pytest.mark.parametrize("transport", ["websocket", "xhr-streaming"])
def test_responses_lets_a_session_through(
    transport: str, folder: Path, sim: Simulator, alice: Line
) -> None:
    program = (
        "import responses, sys\n"
        "from tests.hosts.whole_way import whole_way\n"
        "with responses.RequestsMock() as mock:\n"
        "    mock.add_passthru(sys.argv[1])\n"
        "    print(*whole_way(*sys.argv[1:3], None, sys.argv[3]))\n"
    )
    assert run(program, sim.endpoint, sim.token(alice), transport).split() == EXPECTED


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", PAGE))
def test_links(link: str) -> None:
    """A link leads to a file."""
    assert (ROOT / "samples" / link).exists()
