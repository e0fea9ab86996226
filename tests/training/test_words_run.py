"""Whole runs that train words: that they learn, that nothing else does, and what they leave."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from sdtui.formats import embedding
from sdtui.formats.embedding import Embedding
from sdtui.models.family import Model, load_model
from sdtui.models.words import Words
from sdtui.runs.layout import RunFolder
from sdtui.training import objective
from sdtui.training.methods import textual_inversion
from tests.training.test_run import train
from tests.training.workplace import events, make_run

TOY = {"name": "zzztoy", "vectors": 4}
ALONE: dict[str, dict[str, Any]] = {
    "method": {"kind": "textual-inversion", "words": [TOY]},
    "captions": {"template": "subject"},
}


def trained(workplace: Path, changes: Mapping[str, Mapping[str, Any]]) -> RunFolder:
    both = {section: {**ALONE.get(section, {}), **changes.get(section, {})} for section in {*ALONE, *changes}}
    run = make_run(workplace, both)
    assert train(run) == 0, run.log_file.read_text()
    return run


def word_of(run: RunFolder, name: str = "zzztoy") -> Embedding:
    return embedding.read(run.output_dir / "embeddings" / f"{name}.safetensors")


def base(workplace: Path) -> Model:
    return load_model(workplace / "model", None, torch.device("cpu"), torch.float32)


def pixels(file: Path) -> torch.Tensor:
    with Image.open(file) as image:
        shown = image.convert("RGB").resize((96, 96))
    return torch.frombuffer(bytearray(shown.tobytes()), dtype=torch.uint8).view(96, 96, 3).permute(2, 0, 1) / 127.5 - 1


@torch.no_grad()
def fixed_loss(model: Model, images: Path, word: Embedding) -> float:
    """The mean error over 32 triples of image, noise and timestep that are always the same."""
    model.words = Words.of({word.name: word.vectors})
    dice = torch.Generator().manual_seed(99)
    files = sorted(images.glob("*.png"))
    latents = torch.cat([model.encode_images(pixels(file)[None]).mean for file in files])
    errors = []
    for _ in range(4):
        chosen = torch.randint(0, len(latents), (8,), generator=dice)
        noise = torch.randn(8, *latents.shape[1:], generator=dice)
        timesteps = torch.randint(0, 1000, (8,), generator=dice)
        noisy = objective.add_noise(latents[chosen], noise, model.alphas_cumprod[timesteps])
        text = model.encode_text([f"a photo of {word.name}"] * 8)
        errors.append((model.predict(noisy, timesteps, text) - noise).square().mean())
    return float(torch.stack(errors).mean())


def test_four_vectors_learn_what_the_reference_says_they_learn(workplace: Path) -> None:
    """60 steps of 4 images at 0.005 from zeros: there the loss fell by 1.36 %; half of that is asked."""
    run = trained(
        workplace,
        {
            "method": {"words": [{**TOY, "init": ""}]},
            "training": {"steps": 60, "batch_size": 4},
            "optimizer": {"learning_rate": 0.005},
        },
    )
    learned = word_of(run)
    start = Embedding("zzztoy", {"text_encoder": torch.zeros(4, 32)})
    model = base(workplace)
    before, after = (fixed_loss(model, workplace / "images", word) for word in (start, learned))
    assert after < before * (1 - 0.0068)
    assert (learned.count, learned.vectors["text_encoder"].dtype) == (4, torch.float32)


def test_everything_else_stays_as_it_was(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Model] = []
    prepare = textual_inversion.prepare

    def spy(model: Model, *rest: Any) -> Any:
        kept.append(model)
        return prepare(model, *rest)

    monkeypatch.setattr(textual_inversion, "prepare", spy)
    trained(workplace, {"optimizer": {"learning_rate": 0.05, "weight_decay": 0.5}})
    fresh = base(workplace)
    for name, part in fresh.components.items():
        after = kept[0].components[name].state_dict()
        assert all(torch.equal(after[key], tensor) for key, tensor in part.state_dict().items()), name


def test_what_is_written(workplace: Path) -> None:
    formats = ["kohya", "webui", "webui-png", "webui-webp", "diffusers"]
    run = trained(workplace, {"saving": {"word_formats": formats, "every_steps": 2}})
    files = sorted(file.name for file in (run.output_dir / "embeddings").iterdir())
    assert files == [
        "zzztoy.diffusers.safetensors", "zzztoy.png", "zzztoy.pt", "zzztoy.safetensors", "zzztoy.webp",
    ]  # fmt: skip
    expected = word_of(run).vectors["text_encoder"]
    for file in files:
        found = embedding.read(run.output_dir / "embeddings" / file)
        assert torch.equal(found.vectors["text_encoder"], expected), file
    with safe_open(run.output_dir / "embeddings" / "zzztoy.safetensors", "pt") as file:
        told = file.metadata()
    assert told["modelspec.architecture"] == "stable-diffusion-v1/textual-inversion"
    assert "ss_network_module" not in told
    held = torch.load(run.output_dir / "embeddings" / "zzztoy.pt", weights_only=True)
    assert (held["name"], held["step"], held["sd_checkpoint_name"]) == ("zzztoy", 4, "model")
    early = load_file(run.checkpoint_dir(2) / "embeddings" / "zzztoy.safetensors")["emb_params"]
    assert early.shape == (4, 32)
    assert not torch.equal(early, expected)
    assert torch.equal(load_file(run.checkpoint_dir(4) / "embeddings" / "zzztoy.safetensors")["emb_params"], expected)
    assert [event["path"] for event in events(run, "output")] == [
        f"output/embeddings/{name}"
        for name in ("zzztoy.safetensors", "zzztoy.pt", "zzztoy.png", "zzztoy.webp", "zzztoy.diffusers.safetensors")
    ]


def test_several_words_learn_each_from_its_folder(workplace: Path) -> None:
    folders = [{"path": "images", "word": "zzza"}, {"path": "kept", "word": "zzzb"}]
    words = [{"name": "zzza", "vectors": 2}, {"name": "zzzb", "learning_rate": 0.02}]
    run = trained(workplace, {"method": {"words": words}, "dataset": {"folders": folders}})
    rates = events(run, "step")[0]["lr"]
    assert rates == {"words.zzza": 1e-3, "words.zzzb": 0.02}
    assert [word_of(run, name).count for name in ("zzza", "zzzb")] == [2, 1]
    star = base(workplace).components["text_encoder"].get_input_embeddings().weight[265]  # type: ignore[operator]
    moved = {name: (word_of(run, name).vectors["text_encoder"] - star).abs().max().item() for name in ("zzza", "zzzb")}
    assert all(change > 1e-3 for change in moved.values())
    assert moved["zzzb"] > 5 * moved["zzza"]


def test_rates_end_the_run_and_words_keep_their_share_of_them(workplace: Path) -> None:
    words = [{**TOY, "learning_rate": 0.002}, {"name": "zzzb"}]
    run = trained(
        workplace,
        {
            "method": {"words": words},
            "training": {"steps": 10},
            "schedule": {"rates": "0.001:2, 1e-4:0.5"},
        },
    )
    rates = [event["lr"] for event in events(run, "step")]
    assert len(rates) == 5
    assert rates[0] == pytest.approx({"words.zzztoy": 0.002, "words.zzzb": 0.001})
    assert rates[2] == pytest.approx({"words.zzztoy": 0.0002, "words.zzzb": 0.0001})


def test_lengths_are_pulled_and_told(workplace: Path) -> None:
    run = trained(workplace, {"method": {"words": [{**TOY, "norm": 0.4}]}, "optimizer": {"learning_rate": 0.01}})
    assert word_of(run).vectors["text_encoder"].norm(dim=-1).tolist() == pytest.approx([0.4] * 4, rel=1e-5)
    norms = [event["norms"] for event in events(run, "stats")]
    assert norms[-1] == pytest.approx({"scaled": 4, "mean": 0.4, "max": 0.4}, rel=1e-5)


def test_words_beside_an_adapter_are_two_files_or_a_bundle(workplace: Path) -> None:
    method = {"kind": "lora", "rank": 2, "words": [{**TOY, "learning_rate": 0.01}]}
    two = trained(workplace, {"method": method, "saving": {"every_steps": 2}})
    one = trained(workplace, {"method": method, "saving": {"word_formats": ["bundle"]}})
    assert sorted(str(file.relative_to(one.output_dir)) for file in one.output_dir.rglob("*")) == ["tiny.safetensors"]
    bundle, adapter = (load_file(run.output_dir / "tiny.safetensors") for run in (one, two))
    key = "bundle_emb.zzztoy.string_to_param.*"
    assert torch.equal(bundle.pop(key), word_of(two).vectors["text_encoder"])
    assert bundle.keys() == adapter.keys()
    assert all(torch.equal(bundle[name], tensor) for name, tensor in adapter.items())
    assert events(two, "step")[0]["lr"] == {"unet": 1e-3, "words.zzztoy": 0.01}
    (again,) = embedding.read_bundle(one.output_dir / "tiny.safetensors")
    assert (again.name, again.count) == ("zzztoy", 4)
    held = sorted(str(file.relative_to(two.checkpoint_dir(2))) for file in two.checkpoint_dir(2).rglob("*.safetensors"))
    assert held == ["adapter.safetensors", "embeddings/zzztoy.safetensors", "state.safetensors"]


def test_a_word_stops_while_the_rest_goes_on(workplace: Path) -> None:
    method = {"kind": "lora", "rank": 2, "words": [{**TOY, "stop": 0.5, "norm": 0.4}]}
    run = trained(workplace, {"method": method, "saving": {"every_steps": 1, "keep_last": 4}})
    assert [sorted(event["lr"]) for event in events(run, "step")] == [["unet", "words.zzztoy"]] * 2 + [["unet"]] * 2
    vectors = [
        load_file(run.checkpoint_dir(step) / "embeddings" / "zzztoy.safetensors")["emb_params"] for step in (1, 2, 3, 4)
    ]
    assert not torch.equal(vectors[0], vectors[1])
    assert torch.equal(vectors[1], vectors[2])
    assert torch.equal(vectors[2], vectors[3])


def test_previews_speak_the_word_as_it_is(workplace: Path) -> None:
    def picture(rate: float) -> str:
        previews = {"prompts": ["a zzztoy --w 64 --h 64 --s 2 --d 1"]}
        run = trained(workplace, {"optimizer": {"learning_rate": rate}, "previews": previews})
        return hashlib.sha256((run.preview_dir(4) / "00.png").read_bytes()).hexdigest()

    assert picture(1e-9) != picture(0.5)


def test_a_word_that_nothing_holds_is_refused_before_the_model_is_loaded(workplace: Path) -> None:
    run = make_run(workplace, {**ALONE, "captions": {}})
    assert train(run) == 2
    assert 'neither a caption nor a template holds the word "zzztoy"' in run.log_file.read_text()
    assert "the base model" not in run.log_file.read_text()
