"""Changes that many threads want at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, List, Optional, Tuple

import pytest

from keyyo_cti.group_commit import GroupCommit

SOON = 20.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class Commit:
    """Notes what it is to make and in how many seconds; the first time it waits to be told."""

    def __init__(self, *raises: Optional[BaseException]) -> None:
        self._raises = list(raises)
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.made: List[Tuple[List[str], float]] = []

    def __call__(self, changes: List[str], timeout: float) -> None:
        self.made.append((changes, timeout))
        self.begun.set()
        assert self.go_on.wait(SOON)
        error = self._raises.pop(0) if self._raises else None
        if error is not None:
            raise error

    @property
    def batches(self) -> List[List[str]]:
        return [changes for changes, _ in self.made]


def wait_for_waiting(group: GroupCommit[str], count: int) -> None:
    """Until so many changes wait for the one that is being made."""
    pause = threading.Event()
    for _ in range(int(SOON * 1000)):
        if len(group._wanted) == count:
            return
        pause.wait(0.001)
    raise AssertionError(f"waited in vain for {count} changes: {len(group._wanted)}")


def test_alone() -> None:
    """A change that nobody else's is in the way of is made at once, in the time that it has."""
    commit = Commit()
    commit.go_on.set()
    group = GroupCommit(commit, lambda: 0.0)
    group.make("a", 5.0)
    group.make("b", 4.0)
    assert commit.batches == [["a"], ["b"]]
    assert [timeout for _, timeout in commit.made] == [5.0, 4.0]


def test_together(pool: ThreadPoolExecutor) -> None:
    """Those that come while another is being made are made together, in the order they came."""
    commit = Commit()
    group = GroupCommit(commit)
    done = [pool.submit(group.make, "a", SOON)]
    assert commit.begun.wait(SOON)
    for count, change in enumerate("bcd", 1):
        done.append(pool.submit(group.make, change, SOON))
        wait_for_waiting(group, count)
    assert not any(each.done() for each in done)
    commit.go_on.set()
    assert [each.result(SOON) for each in done] == [None] * 4
    assert commit.batches == [["a"], ["b", "c", "d"]]


def test_what_waited_has_less_time(pool: ThreadPoolExecutor) -> None:
    """The time that a change has begins when it is wanted, not when its turn comes."""
    now = 0.0
    commit = Commit()
    group = GroupCommit(commit, lambda: now)
    first = pool.submit(group.make, "a", SOON)
    assert commit.begun.wait(SOON)
    second = pool.submit(group.make, "b", SOON)
    wait_for_waiting(group, 1)
    now = 7.0
    commit.go_on.set()
    first.result(SOON)
    second.result(SOON)
    assert [timeout for _, timeout in commit.made] == [SOON, SOON - 7.0]


def test_failure(pool: ThreadPoolExecutor) -> None:
    """A commit that fails is told to everybody whose change was in it, and to nobody else."""
    commit = Commit(None, OSError("the disk is full"))
    group = GroupCommit(commit)
    first = pool.submit(group.make, "a", SOON)
    assert commit.begun.wait(SOON)
    others = [pool.submit(group.make, change, SOON) for change in "bc"]
    wait_for_waiting(group, 2)
    commit.go_on.set()
    first.result(SOON)
    for other in others:
        with pytest.raises(OSError, match="the disk is full"):
            other.result(SOON)
    group.make("d", SOON)


def test_too_late(pool: ThreadPoolExecutor) -> None:
    """Who has waited for long enough is told so; the change is not made later, unless it is
    being made already."""
    commit = Commit()
    group = GroupCommit(commit)
    first = pool.submit(group.make, "a", SOON)
    assert commit.begun.wait(SOON)
    with pytest.raises(TimeoutError):
        group.make("b", 0.01)
    commit.go_on.set()
    first.result(SOON)
    group.make("c", SOON)
    assert commit.batches == [["a"], ["c"]]


def test_interrupted(pool: ThreadPoolExecutor) -> None:
    """A commit that is interrupted, as by Ctrl-C, leaves nobody waiting."""
    commit = Commit(None, KeyboardInterrupt())
    group = GroupCommit(commit)
    first = pool.submit(group.make, "a", SOON)
    assert commit.begun.wait(SOON)
    others = [pool.submit(group.make, change, SOON) for change in "bc"]
    wait_for_waiting(group, 2)
    commit.go_on.set()
    first.result(SOON)
    raised = sorted(type(other.exception(SOON)).__name__ for other in others)
    assert raised == ["KeyboardInterrupt", "RuntimeError"]
    group.make("d", SOON)
    assert commit.batches[2] == ["d"]
