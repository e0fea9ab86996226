"""Tagging photos of 1024 × 768 on the processor, beside ONNX Runtime alone on tensors that are prepared already.

The model has a WD tagger's signature (448 × 448, 10 861 tags) and, by its convolutions, about the work of its smallest one for
each image. The job's own clock counts: digests, decoding, resizing, scoring, storing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.result import Result
from sdtui.runs.events import EventReader
from sdtui.tagging.job import Task, job_folder, run, write_task
from sdtui.tagging.taggers.base import Where
from sdtui.tagging.taggers.wd import WdTagger

IMAGES, BATCH, TAGS, SIDE = 48, 4, 10_861, 448
WIDTHS = (64, 128, 256, 512)


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as place:
        images, model = Path(place) / "images", Path(place) / "wd"
        make_images(images)
        make_tagger(model)
        before = speed_alone(model)
        task = Task(str(images), str(model), "cpu", BATCH)
        folder = job_folder(task)
        folder.mkdir(parents=True)
        write_task(folder, task)
        run(folder)
        told = [event for event in EventReader(folder / "events.jsonl").poll() if event["kind"] == "tagged"][-1]
        # Before and after, as a shared machine is not the same from one minute to the next.
        alone = 2 / (1 / before + 1 / speed_alone(model))
    whole = told["images_per_second"]
    detail = f"{whole:.2f} images/s, ONNX Runtime alone {alone:.2f} ({IMAGES} photos, batches of {BATCH})"
    return [Result("time to tag over ONNX Runtime alone", alone / whole, 1 / 0.85, "×", detail)]


def speed_alone(folder: Path) -> float:
    tagger = WdTagger(folder, "wd", Where("cpu"))
    batch = np.zeros((BATCH, SIDE, SIDE, 3), np.float32)
    tagger.scores(batch)
    begun = time.perf_counter()
    for _ in range(IMAGES // BATCH):
        tagger.scores(batch)
    return IMAGES / (time.perf_counter() - begun)


def make_images(folder: Path) -> None:
    """Photos as a camera's: smooth, with some noise, as JPEG."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(IMAGES):
        rough = Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).resize(
            (1024, 768), Image.Resampling.BICUBIC
        )
        noisy = np.clip(np.asarray(rough, np.int16) + random.integers(-8, 8, (768, 1024, 1)), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:03d}.jpg", quality=92)


def make_tagger(folder: Path) -> None:
    """A network of plain convolutions in a WD tagger's files."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir()
    random = np.random.default_rng(0)
    nodes = [helper.make_node("Transpose", ["input"], ["image"], perm=[0, 3, 1, 2])]
    weights, before, last = [], 3, "image"
    for at, width in enumerate(WIDTHS):
        for part, stride in enumerate((2, 1, 1)):
            name = f"conv_{at}_{part}"
            values = random.normal(0, 0.02, (width, before, 3, 3)).astype(np.float32)
            weights.append(numpy_helper.from_array(values, f"{name}_weight"))
            nodes.append(
                helper.make_node("Conv", [last, f"{name}_weight"], [name], pads=[1, 1, 1, 1], strides=[stride, stride])
            )
            nodes.append(helper.make_node("Relu", [name], [f"{name}_relu"]))
            before, last = width, f"{name}_relu"
    weights.append(numpy_helper.from_array(random.normal(0, 0.02, (before, TAGS)).astype(np.float32), "head"))
    nodes += [
        helper.make_node("ReduceMean", [last], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "head"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["output"]),
    ]
    images = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch_size", SIDE, SIDE, 3])
    scores = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch_size", TAGS])
    graph = helper.make_graph(nodes, "tagger", [images], [scores], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    lines = [f"{at},tag_{at},{9 if at < 4 else 0},1" for at in range(TAGS)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *lines]) + "\n")
