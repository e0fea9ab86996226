"""Stage `tagger`: a small convolutional network that names what a picture shows, in the files of a WD tagger."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import swa_utils

from sdtui.errors import UserError
from sdtui.files import write_atomic
from sdtui.starter.build import pacing, vocabulary
from sdtui.starter.build.artwork import as_float
from sdtui.starter.build.tagged import TaggedPictures, load
from sdtui.starter.style import MeanAndPeak

SIZE = 64
STEPS = 4000
BATCH = 64
PEAK_RATE = 2e-3
AVERAGE = 0.998
# A tag is worth having if its average precision is this or more on emoji kept from the network that says so.
LEAST_PRECISION = 0.3
SMOOTHING = 0.01
SEED = 11
SAVE_EVERY_SECONDS = 60.0
GENERAL, RATING = 0, 9
MODEL, TABLE = "model.onnx", "selected_tags.csv"


class Residual(nn.Module):
    """Two 3×3 convolutions beside a straight way through."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_convolution(channels, channels), *_convolution(channels, channels)[:-1])

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, h, w) to the same shape."""
        return functional.silu(features + self.body(features))


class Shipped(nn.Module):
    """The network as WD taggers are called: BGR pixels (B, h, w, 3) in 0…255 to probabilities, ratings first."""

    ratings: Tensor

    def __init__(self, network: nn.Sequential, columns: list[int]) -> None:
        super().__init__()
        *trunk, last = network
        assert isinstance(last, nn.Linear)
        narrowed = nn.Linear(last.in_features, len(columns))
        narrowed.load_state_dict({name: value[columns] for name, value in last.state_dict().items()})
        self.network = nn.Sequential(*trunk, narrowed)
        # Every emoji is fit for everyone; the four rating columns are there because readers of the layout expect them.
        self.register_buffer("ratings", torch.tensor([[1.0, 0.0, 0.0, 0.0]]))

    def forward(self, pixels: Tensor) -> Tensor:
        """Probabilities (B, 4 + tags)."""
        rgb = pixels.flip(-1).permute(0, 3, 1, 2) / 127.5 - 1  # (B, 3, h, w)
        probabilities = torch.sigmoid(self.network(rgb))
        return torch.cat([self.ratings.expand(probabilities.shape[0], 4), probabilities], dim=1)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.SiLU()]


def make_network(tags: int) -> nn.Sequential:
    """Pixels (B, 3, 64, 64) in −1…1 to logits (B, tags); 0.9 M parameters."""
    layers: list[nn.Module] = _convolution(3, 32, 2)
    for inputs, outputs in ((32, 48), (48, 96), (96, 160)):
        layers += [*_convolution(inputs, outputs, 2), Residual(outputs)]
    return nn.Sequential(*layers, MeanAndPeak(), nn.Dropout(0.3), nn.Linear(2 * 160, tags))


def train(work: Path, target: Path, steps: int = STEPS) -> None:
    """Find the tags worth having, learn, and write `model.onnx` and `selected_tags.csv` into `target`.

    A network that has not seen the checked fifth says which tags can be told there; the one that is shipped learns from
    all but the held-out emoji and keeps those tags. Goes on from `<work>/tagger-check.pt` and `<work>/tagger.pt`.
    """
    pictures = load(work)
    checker = learn(pictures, ~pictures.held_out & ~pictures.checked, work / "tagger-check.pt", steps)
    told = precisions(checker, pictures, pictures.checked)
    network = learn(pictures, ~pictures.held_out, work / "tagger.pt", steps)
    kept = [column for column, tag in enumerate(pictures.tags) if told.get(tag, 0.0) >= LEAST_PRECISION]
    print(f"tagger: {len(kept)} of {len(pictures.tags)} tags can be told", flush=True)
    export(network, pictures, kept, target)


def learn(pictures: TaggedPictures, part: Tensor, state: Path, steps: int) -> nn.Sequential:
    """The mean of the last steps' networks, learned from the pictures of the mask `part` (N,); goes on from `state`."""
    rows = torch.nonzero(part)[:, 0]
    torch.manual_seed(SEED)
    network = make_network(len(pictures.tags))
    average = swa_utils.AveragedModel(
        network,
        multi_avg_fn=swa_utils.get_ema_multi_avg_fn(AVERAGE),  # type: ignore[no-untyped-call]
        use_buffers=True,
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.05)
    pace = pacing.Pace(minutes=0, steps=steps)
    parts: dict[str, Any] = {"network": network, "average": average, "optimizer": optimizer}
    if state.exists():
        stored = torch.load(state, weights_only=True)
        for name, piece in parts.items():
            piece.load_state_dict(stored[name])
        pace.load(stored["pace"])
    saved = time.monotonic()
    while pace.tick():
        loss = _loss(network, pictures, rows, pace.step)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        pacing.set_learning_rate(optimizer, pace.learning_rate(PEAK_RATE))
        optimizer.step()
        average.update_parameters(network)
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            saved = time.monotonic()
            _keep(state, parts, pace)
            print(f"{state.stem} {pace.done:.0%} step {pace.step} loss {loss.item():.4f}", flush=True)
    _keep(state, parts, pace)
    assert isinstance(average.module, nn.Sequential)
    return average.module.eval()


@torch.no_grad()
def precisions(network: nn.Module, pictures: TaggedPictures, part: Tensor) -> dict[str, float]:
    """Average precision of every tag that a picture of the mask `part` (N,) has, on those pictures."""
    pixels, wanted = pictures.pixels[part], pictures.labels[part]
    scores = torch.cat([network(as_float(some)) for some in torch.split(pixels, 256)])
    return {
        tag: average_precision(scores[:, column], wanted[:, column])
        for column, tag in enumerate(pictures.tags)
        if wanted[:, column].any()
    }


def _keep(state: Path, parts: Mapping[str, Any], pace: pacing.Pace) -> None:
    pacing.save(state, {**{name: part.state_dict() for name, part in parts.items()}, "pace": pace.state()})


def _loss(network: nn.Module, pictures: TaggedPictures, rows: Tensor, step: int) -> Tensor:
    """Binary cross-entropy over all tags of one batch, drawn and varied by the step's own seed."""
    torch.manual_seed(SEED * 1_000_003 + step)
    picked = rows[torch.randint(len(rows), (BATCH,))]
    pixels = _varied(as_float(pictures.pixels[picked]))
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(_with_holes(pixels).contiguous(memory_format=torch.channels_last))
    wanted = pictures.labels[picked] * (1 - 2 * SMOOTHING) + SMOOTHING
    return functional.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none").sum(dim=1).mean()


def _varied(pixels: Tensor) -> Tensor:
    """Each picture mirrored or not, scaled by up to 10 % and shifted by up to 4 pixels, on white.

    Colours stay: they are tags themselves.
    """
    count = len(pixels)
    scale = 0.9 + 0.2 * torch.rand(count)
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    transform = torch.zeros(count, 2, 3)
    transform[:, 0, 0], transform[:, 1, 1] = scale * mirror, scale
    transform[:, :, 2] = 0.125 * (2 * torch.rand(count, 2) - 1)
    grid = functional.affine_grid(transform, list(pixels.shape), align_corners=False)
    # What lies outside is 0, so white must be 0 meanwhile.
    return functional.grid_sample(pixels - 1, grid, align_corners=False) + 1


def _with_holes(pixels: Tensor) -> Tensor:
    """One white square of 8 to 24 pixels in half of the pictures, so that no single spot decides."""
    count, along = len(pixels), torch.arange(SIZE)
    size = torch.randint(8, 25, (count, 1)) * (torch.rand(count, 1) < 0.5)
    left, top = torch.randint(0, SIZE - 8, (2, count, 1))
    inside_x, inside_y = ((along >= start) & (along < start + size) for start in (left, top))
    hole = (inside_y[:, :, None] & inside_x[:, None, :])[:, None]
    return torch.where(hole, torch.ones(()), pixels)


def export(network: nn.Sequential, pictures: TaggedPictures, kept: list[int], target: Path) -> None:
    """Write the network for the `kept` tags, and their table, commonest first as in WD taggers.

    Raises:
        UserError: `onnx` or `onnxscript` is not installed.
    """
    counts = pictures.labels[~pictures.held_out].sum(dim=0).long()
    order = sorted(kept, key=lambda column: -int(counts[column]))
    learned = int((~pictures.held_out).sum())
    ratings = [(name, RATING, learned if name == "general" else 0) for name in vocabulary.RATINGS]
    named = [(pictures.tags[column].replace(" ", "_"), GENERAL, int(counts[column])) for column in order]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["tag_id", "name", "category", "count"])
    writer.writerows([number, *row] for number, row in enumerate([*ratings, *named]))
    target.mkdir(parents=True, exist_ok=True)
    write_atomic(target / MODEL, _onnx(Shipped(network, order).eval()))
    write_atomic(target / TABLE, table.getvalue())


def _onnx(model: nn.Module) -> bytes:
    try:
        program: Any = torch.onnx.export(
            model,
            (torch.zeros(2, SIZE, SIZE, 3),),
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    except ImportError as error:
        raise UserError(
            "writing ONNX needs the packages onnx and onnxscript",
            remedy="Install them with: pip install 'sdtui[starter]'",
        ) from error
    return without_traces(program.model_proto)


def without_traces(model: Any) -> bytes:
    """An ONNX model as bytes, without what the exporter notes of the source files and folders it came from."""
    graphs = [model.graph, *model.functions]
    for noted in (model, *graphs, *(node for graph in graphs for node in graph.node), *model.graph.value_info):
        noted.ClearField("metadata_props")
        noted.ClearField("doc_string")
    written: bytes = model.SerializeToString()
    return written


def probabilities(folder: Path, pixels: Tensor) -> tuple[list[str], Tensor]:
    """What the shipped files say of `pixels` (N, 3, 64, 64) uint8: tag names without ratings, and values (N, tags)."""
    import onnxruntime

    with (folder / TABLE).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    session = onnxruntime.InferenceSession(folder / MODEL, providers=["CPUExecutionProvider"])
    inputs = pixels.flip(1).permute(0, 2, 3, 1).float().numpy()  # BGR (N, 64, 64, 3)
    (found,) = session.run(None, {session.get_inputs()[0].name: inputs})
    general = [column for column, row in enumerate(rows) if int(row["category"]) == GENERAL]
    return [rows[column]["name"] for column in general], torch.from_numpy(found)[:, general]


def average_precision(scores: Tensor, wanted: Tensor) -> float:
    """Mean of the precision at each wanted picture when all (N,) are ranked by score, highest first."""
    ranked = wanted[scores.argsort(descending=True)] > 0
    precision = ranked.cumsum(0) / torch.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def held_out_precisions(work: Path, folder: Path) -> dict[str, float]:
    """Average precision of every shipped tag that a held-out picture has, on those pictures, from the shipped files."""
    pictures = load(work)
    names, scores = probabilities(folder, pictures.pixels[pictures.held_out])
    wanted = {
        tag.replace(" ", "_"): pictures.labels[pictures.held_out, column] for column, tag in enumerate(pictures.tags)
    }
    return {
        name: average_precision(scores[:, column], wanted[name])
        for column, name in enumerate(names)
        if wanted[name].any()
    }


def candidate_precisions(work: Path) -> dict[str, float]:
    """The same for every tag that was tried, the ones left out too."""
    pictures = load(work)
    network = learn(pictures, ~pictures.held_out, work / "tagger.pt", STEPS)
    return precisions(network, pictures, pictures.held_out)
