"""Starting a trainer so that it belongs to the machine: own session, no terminal, no parent, its lock already held."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import sdtui
from sdtui import locks
from sdtui.errors import SdtuiError, UserError
from sdtui.files import make_folder, write_atomic
from sdtui.runs import lock, record
from sdtui.runs.control import Inbox
from sdtui.runs.layout import RunFolder

TRAINER = "sdtui.training"

# Run by a bare interpreter in the new session: ignores SIGHUP (the setting survives exec) and forks, so that the
# trainer has no parent that must reap it and can never get a controlling terminal; then becomes the trainer.
_DETACH = (
    "import os, signal, sys\n"
    "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    "if os.fork(): os._exit(0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)


def start(
    frozen: str, runs_dir: Path, name: str, *, steps_total: int = 0, dataset_digest: str = "", module: str = TRAINER
) -> RunFolder:
    """Make a run folder for the frozen profile (TOML text), start its trainer, and return at once.

    Raises:
        SdtuiError: the folder cannot be written or no process can be started.
    """
    run = prepare(frozen, runs_dir, name, steps_total=steps_total, dataset_digest=dataset_digest)
    begin(run, module=module)
    return run


def prepare(
    frozen: str, runs_dir: Path, name: str, *, steps_total: int = 0, dataset_digest: str = "", queue: str = ""
) -> RunFolder:
    """A run folder with its frozen profile, waiting to be begun; `queue` is the folder of the queue it waits in."""
    run = RunFolder.create(runs_dir, name)
    record.write(
        run, record.RunRecord(state="queued", steps_total=steps_total, dataset_digest=dataset_digest, queue=queue)
    )
    write_atomic(run.profile_file, frozen)
    return run


def begin(run: RunFolder, *, module: str = TRAINER) -> None:
    """Start the trainer of a prepared run.

    Raises:
        UserError: the run already has a living process.
        SdtuiError: no process can be started; the run is then recorded as failed.
    """
    with lock.acquire(run.lock_file) as held:
        _launch(run, module, held)


def start_job(folder: Path, kind: str, module: str, *, before: Callable[[], None] = lambda: None) -> RunFolder:
    """Start `python -m module folder` as a job (`runs.job`) of this kind, in place of one that lived there before.

    Args:
        folder: the job's.
        kind: what `run.json` calls it.
        module: what does it.
        before: leaves in the folder what the process will read; called once no other one lives there.

    Raises:
        UserError: the one before is still alive.
        SdtuiError: the folder cannot be written or no process can be started.
    """
    run = RunFolder(folder)
    make_folder(run.control_dir)
    with lock.acquire(run.lock_file) as held:
        for told in (run.events_file, run.log_file):
            told.unlink(missing_ok=True)
        record.write(run, record.RunRecord(kind=kind))
        before()
        _launch(run, module, held)
    return run


def resume(run: RunFolder, *, module: str = TRAINER) -> None:
    """Start the trainer of an ended run again; it goes on from the last complete checkpoint, or from the beginning.

    Raises:
        UserError: the run is finished, is alive, waits in a queue, cannot be read, or is from a newer version.
    """
    record.read(run)
    if lock.is_held(run):
        raise UserError("this run is still going", where=str(run.path), remedy=f"Watch it: sdtui watch {run.name}")
    if not run.profile_file.exists():
        raise UserError("profile.toml is missing, so the run cannot go on", where=str(run.path))
    # Judged and cleared under the lock: another resume may have been quicker, and its commands are not ours to drop.
    with lock.acquire(run.lock_file) as held:
        found = record.read(run)
        if found.state == "finished":
            raise UserError("this run is finished, there is nothing to resume", where=str(run.path))
        if found.state == "queued" and queue_lives(found):
            raise UserError("this run waits in a queue and will start by itself", where=str(run.path))
        run.make_folders()
        # A stop that the dead process never read must not end its successor.
        Inbox(run).clear()
        _launch(run, module, held)


def _launch(run: RunFolder, module: str, held: lock.Lock) -> None:
    found = record.read(run)
    record.update(
        run, state="starting", reason="", host=socket.gethostname(), pid=0, launched=time.time(),
        launches=found.launches + 1, ended=0.0, queue="",
    )  # fmt: skip
    try:
        spawn(run, module, [str(run.path)], held)
    except OSError as error:
        record.update(run, state="failed", reason=f"no process could be started: {error.strerror}")
        raise SdtuiError(f"cannot start the trainer: {error.strerror}", where=str(run.path)) from error


def spawn(run: RunFolder, module: str, arguments: list[str], held: lock.Lock) -> None:
    """Run `python -m module arguments` detached, printing to the log of `run` and owning the lock `held`.

    The lock file's handle is inherited, so the process holds the lock from its first instant to its last and no
    watcher can take a slow start for a death.
    """
    command = [sys.executable, "-I", "-S", "-c", _DETACH, sys.executable, "-m", module, *arguments]
    with run.log_file.open("ab") as log:
        starter = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Not the user's folder: a `random.py` lying there would be imported instead of the real one.
            cwd=run.path,
            env=_environment(held),
            pass_fds=(held.handle,),
            start_new_session=True,
        )
    if starter.wait() != 0:
        raise OSError(0, f"the starter process ended with {starter.returncode}, see {run.log_file}")


def queue_lives(found: record.RunRecord) -> bool:
    """Whether the process that is to start this queued run is alive."""
    return bool(found.queue) and locks.is_taken(RunFolder(Path(found.queue)).lock_file)


def _environment(held: lock.Lock) -> dict[str, str]:
    environment = dict(os.environ, PYTHONUNBUFFERED="1")
    environment[lock.HANDLE_VARIABLE] = str(held.handle)
    package_parent = Path(sdtui.__file__).parent.parent
    if package_parent.name not in {"site-packages", "dist-packages"}:
        # A checkout that was never installed must be found by the child too, which starts in another folder.
        inherited = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(package_parent), inherited]))
    return environment
