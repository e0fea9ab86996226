"""When a part of what is trained stops learning: after so many steps, after a share of the run, or after so many epochs."""

from __future__ import annotations

from sdtui.profile.targets import block_of, whole_path

StopPoint = int | float | str


def stop_step(point: StopPoint, steps: int, steps_per_epoch: int) -> int:
    """After how many optimizer steps `point` comes in a run of `steps`: 500, 0.5 (of the run), "3 epochs"."""
    if isinstance(point, str):
        return int(point.split()[0]) * steps_per_epoch
    return round(point * steps) if isinstance(point, float) else point


def stop_block(name: str, stops: dict[str, StopPoint]) -> str:
    """The key of `stops` that the layer or group `name` ("component.path") goes by, "" if it learns to the end."""
    whole = {whole_path(key): key for key in stops}
    return whole.get(block_of(name, whole), "")
