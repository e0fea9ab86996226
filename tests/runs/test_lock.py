from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sdtui.errors import UserError
from sdtui.runs import lock
from sdtui.runs.layout import RunFolder
from tests.runs.helpers import until

HOLDER = (
    "import sys, time; from pathlib import Path; from sdtui.runs import lock; from sdtui.runs.layout import RunFolder\n"
    "held = lock.hold(RunFolder(Path(sys.argv[1]))); print('held', flush=True); time.sleep(600)"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(lock, "_PROBE_SECONDS", 0.1)
    return RunFolder.create(tmp_path, "lora")


def test_a_lock_is_seen_from_outside_until_it_is_released(run: RunFolder) -> None:
    assert not lock.is_held(run)
    with lock.hold(run):
        assert lock.is_held(run)
    assert not lock.is_held(run)


def test_only_one_may_hold_it(run: RunFolder) -> None:
    with lock.hold(run), pytest.raises(UserError) as caught:
        lock.hold(run)
    assert caught.value.where == str(run.path)


def test_kill_9_releases_it_and_a_reused_pid_means_nothing(run: RunFolder) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(run.path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    assert lock.is_held(run)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    run.lock_file.write_text(str(os.getpid()))
    assert not lock.is_held(run)


def test_a_forked_child_does_not_keep_it(run: RunFolder) -> None:
    held = lock.hold(run)
    child = os.fork()
    if child == 0:  # pragma: no cover
        time.sleep(600)
        os._exit(0)
    try:
        held.release()
        until(lambda: not lock.is_held(run), "the lock to be free while the child lives")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_watchers_question_does_not_keep_a_trainer_out(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    asking = os.open(run.lock_file, os.O_RDONLY | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _seconds: fcntl.flock(asking, fcntl.LOCK_UN))
    with lock.hold(run):
        assert lock.is_held(run)
    os.close(asking)


def test_the_lock_is_handed_over_by_inheritance(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    given = lock.acquire(run.lock_file)
    inherited = os.dup(given.handle)
    os.set_inheritable(inherited, True)
    monkeypatch.setenv(lock.HANDLE_VARIABLE, str(inherited))
    adopted = lock.hold(run)
    assert adopted.handle == inherited
    assert not os.get_inheritable(inherited)
    assert lock.HANDLE_VARIABLE not in os.environ
    given.release()
    assert lock.is_held(run)
    adopted.release()
    assert not lock.is_held(run)


@pytest.mark.parametrize("value", ["", "x", "1", "99999"])
def test_a_handle_that_is_not_this_lock_is_not_adopted(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(lock.HANDLE_VARIABLE, value)
    with lock.hold(run) as held:
        assert str(held.handle) != value
        assert lock.is_held(run)
