"""Where pictures come from: a base model by itself, or a run, which knows its model and has made an adapter or a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import safe_open

from sdtui.errors import UserError
from sdtui.models.assemble import refill
from sdtui.models.family import Model, load_model
from sdtui.models.hub import fetched
from sdtui.models.noise_schedule import retarget
from sdtui.models.recognise import recognise
from sdtui.models.stable_diffusion import StableDiffusion
from sdtui.profile.load import load_frozen
from sdtui.profile.naming import WORD_FOLDER, outputs
from sdtui.profile.optimizers import OPTIMIZERS
from sdtui.runs.layout import ADAPTER, STATE
from sdtui.runs.registry import inspect
from sdtui.tools.axes import Checkpoints

if TYPE_CHECKING:
    from sdtui.profile.schema import Profile
    from sdtui.runs.layout import RunFolder

# What the shapes of weights do not tell: two models that differ in one of these differ in their pictures.
_MAKE = {"act_fn", "attention_head_dim", "hidden_act", "norm_num_groups", "num_attention_heads", "scaling_factor"}
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Source:
    """What is loaded, and how.

    Args:
        base: the base model's folder, file or name on the hub.
        vae: a VAE in place of the model's own; "" for that.
        prediction: "auto", or what the model predicts.
        zero_terminal_snr: whether its noise schedule ends in pure noise.
        checkpoints: the adapter and the words of a run.
        profile: the run's; None of a model by itself.
        learned: the tensors of a checkpoint, or a whole model in a single file, which stand in for the base model's own.
    """

    base: str
    vae: str = ""
    prediction: str = "auto"
    zero_terminal_snr: bool = False
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    profile: Profile | None = None
    learned: Path | None = None

    def load(self, device: str, precision: str) -> Model:
        """The model, ready to draw.

        Raises:
            UserError: it cannot be read, or there is no such device.
        """
        place = _device(device)
        dtype = _DTYPES[precision] if precision != "auto" else _dtype(place)
        vae = Path(self.vae) if self.vae else None
        model = load_model(fetched(self.base, download=False), vae, place, dtype)
        retarget(model, self.prediction, zero_terminal_snr=self.zero_terminal_snr)
        if self.learned is not None:
            _put_in(model, self.learned)
        return model


def of_run(run: RunFolder) -> Source:
    """What a run trains on, with the adapter and the words it has made so far; or the whole model that it has made.

    Raises:
        UserError: it has neither finished nor saved a checkpoint that can be drawn with.
    """
    profile = load_frozen(run.profile_file)
    finished = [(each.result, run.output_dir / each.path) for each in outputs(profile)]
    words = {name: path for name, path in reversed(finished) if name and path.is_file()}
    whole = [path for name, path in finished if not name]
    if profile.method.kind == "full":
        return _trained_model(run, profile, whole, words)
    steps, word_steps = _adapters(run), _words(run, profile)
    adapter = next(filter(Path.is_file, whole), None)
    if adapter is None and not words:
        adapter, words = next(reversed(steps.values()), None), next(reversed(word_steps.values()), {})
    if adapter is None and not words:
        raise _nothing_saved(run)
    objective = profile.objective
    return Source(
        profile.model.base, profile.model.vae, objective.prediction, objective.zero_terminal_snr,
        Checkpoints(adapter, steps, words, word_steps), profile,
    )  # fmt: skip


def _nothing_saved(run: RunFolder) -> UserError:
    info = inspect(run)
    remedy = "Its files are no longer there: train it again"
    if info.resumable:
        remedy = f"Its state is {info.state}; go on with it: sdtui resume {run.name}"
    elif info.state == "queued":
        remedy = "Wait until it has started and saved a checkpoint"
    elif info.live:
        remedy = f"Wait for its first checkpoint, or ask for one: sdtui save {run.name}"
    return UserError("the run has saved nothing yet", where=str(run.path), remedy=remedy)


def _adapters(run: RunFolder) -> dict[int, Path]:
    """The adapter of each checkpoint, if that is what learns."""
    files = {step: folder / ADAPTER for step, folder in run.complete_checkpoints()}
    return {step: file for step, file in files.items() if file.is_file()}


def _words(run: RunFolder, profile: Profile) -> dict[int, dict[str, Path]]:
    """The words of each checkpoint, if any learn."""
    names = [word.name for word in profile.method.words]
    found = {
        step: {name: folder / WORD_FOLDER / f"{name}.safetensors" for name in names}
        for step, folder in run.complete_checkpoints()
    }
    return {step: words for step, words in found.items() if words}


def _trained_model(run: RunFolder, profile: Profile, models: Sequence[Path], words: Mapping[str, Path]) -> Source:
    """The finished model, which has its VAE with it, and its noise schedule but for what no file tells; before there is
    one, the base model with what the last checkpoint has of it.
    """
    objective = profile.objective
    finished = next(filter(Path.exists, models), None)
    if finished is None:
        words, learned = next(reversed(_words(run, profile).values()), {}), _last_state(run, profile)
    elif finished.is_file() and not _tells(finished, profile.model.base):
        learned = finished
    else:
        learned = None
    if learned is not None:
        return Source(
            profile.model.base, profile.model.vae, objective.prediction, objective.zero_terminal_snr,
            Checkpoints(words=words), profile, learned,
        )  # fmt: skip
    return Source(
        str(finished),
        prediction=objective.prediction,
        zero_terminal_snr=objective.zero_terminal_snr,
        checkpoints=Checkpoints(words=words),
        profile=profile,
    )


def _tells(file: Path, base: str) -> bool:
    """Whether the single file's names and shapes tell all of the make of the base model that it was made of."""
    try:
        made, own = recognise(file).configs(), recognise(fetched(base, download=False)).configs()
    except UserError:
        return True  # what is there is all that can be had
    return all(
        own[part].get(key, value) == value
        for part, config in made.items() for key, value in config.items() if key in _MAKE
    )  # fmt: skip


def _last_state(run: RunFolder, profile: Profile) -> Path:
    """The tensors of the run's last checkpoint.

    Raises:
        UserError: there is none, or it holds other weights than those that would be written.
    """
    kind = OPTIMIZERS.get(profile.optimizer.name)
    if kind and kind.averages:
        raise UserError(
            f"the run has not finished, and the checkpoints of {profile.optimizer.name} hold weights that are not averaged",
            where=str(run.path),
            remedy="Wait for its end; its previews show how far it is",
        )
    saved = run.complete_checkpoints()
    if not saved:
        raise _nothing_saved(run)
    return saved[-1][1] / STATE


@torch.no_grad()
def _put_in(model: Model, state: Path) -> None:
    """The moving average of a checkpoint's `state`, its weights where none is kept, or a single file's; for the model's own."""
    assert isinstance(model, StableDiffusion)  # no other learns as a whole
    with safe_open(state, "pt") as opened:
        names = set(opened.keys())
        if not any(name.startswith("parameter/") for name in names):
            refill(model, state)
            return
        part = "average/" if any(name.startswith("average/") for name in names) else "parameter/"
        for component, module in model.components.items():
            for name, weight in module.named_parameters():
                key = f"{part}{component}.{name}"
                if key in names:
                    weight.copy_(opened.get_tensor(key))


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise UserError("no CUDA device can be used here", where="--device", remedy="Leave it out, or use cpu")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise UserError("no Apple GPU can be used here", where="--device", remedy="Leave it out, or use cpu")
    return torch.device(wanted)


def _dtype(device: torch.device) -> torch.dtype:
    """Halves where they are fast and exact enough to look at; whole floats on the processor."""
    return torch.float32 if device.type == "cpu" else torch.float16
