"""Parts of a base model as frozen modules: from a diffusers folder, or from the places a single file keeps them in.

Either way nothing is downloaded, nothing a file holds is run, and no weight is left random: what is missing is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError
from torch import Tensor, nn

from sdtui.errors import UserError
from sdtui.models import clip_tokenizer, folder
from sdtui.models.architecture import Config
from sdtui.models.layout import TEXT_FILE, UNET_FILE, VAE_FILE
from sdtui.models.original import Change, Naming, Place, as_it_is, clip_naming, vae_naming
from sdtui.models.quantised import Storage, quantise
from sdtui.models.weights import Contents, broken, check_length, read_together

_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def unet_from_folder(path: Path, dtype: torch.dtype, storage: Storage = "same") -> Any:
    """The UNet in a pipeline's folder."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    source = _source(path, UNET_FILE)
    if _is_pickled(source) or storage != "same":
        return unet_from_file(source, as_it_is, _config(path), dtype, storage)
    return _from_folder(UNet2DConditionModel.from_pretrained, path, UNET_FILE, dtype, "torch_dtype")


def vae_from_folder(path: Path) -> Any:
    """The VAE in a folder, in fp32."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    if _is_pickled(source := _source(path, VAE_FILE)):
        return vae_from_file(source, vae_naming(""), _config(path))
    return _from_folder(AutoencoderKL.from_pretrained, path, VAE_FILE, torch.float32, "torch_dtype")


def text_encoder_from_folder(path: Path, *, projected: bool) -> Any:
    """A text encoder in a pipeline's folder, in fp32."""
    if _is_pickled(source := _source(path, TEXT_FILE)):
        return text_encoder_from_file(source, clip_naming(""), _config(path), projected=projected)
    return _from_folder(_text_class(projected=projected).from_pretrained, path, TEXT_FILE, torch.float32, "dtype")


def unet_from_file(
    source: SingleFile, naming: Naming, config: Config, dtype: torch.dtype, storage: Storage = "same"
) -> Any:
    """The UNet in a single file."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    return source.fill("the UNet", lambda: UNet2DConditionModel.from_config(config), naming, dtype, storage)


def vae_from_file(source: SingleFile, naming: Naming, config: Config) -> Any:
    """The VAE in a single file, in fp32."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    return source.fill("the VAE", lambda: AutoencoderKL.from_config(config), naming, torch.float32)


def text_encoder_from_file(source: SingleFile, naming: Naming, config: Config, *, projected: bool) -> Any:
    """A text encoder in a single file, in fp32."""
    from transformers.models.clip.configuration_clip import CLIPTextConfig

    kind = _text_class(projected=projected)
    return source.fill("the text encoder", lambda: kind(CLIPTextConfig(**config)), naming, torch.float32)


def tokenizer_from_folder(path: Path) -> Any:
    """The tokenizer in a pipeline's folder."""
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    try:
        return CLIPTokenizer.from_pretrained(path, local_files_only=True)
    except Exception as error:  # the tokenizers library has no narrower one
        raise UserError(
            f"the vocabulary cannot be read: {error}", where=str(path), remedy="Copy the model folder again"
        ) from error


def bundled_tokenizer(pad: str) -> Any:
    """CLIP's tokenizer for a single file, which has none; OpenCLIP's differs in the token that texts are padded with."""
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(clip_tokenizer.FOLDER, local_files_only=True, pad_token=pad)


@dataclass(frozen=True, slots=True)
class SingleFile:
    """The weights of one file, or of the few that a part is kept in, read where they lie.

    Only what a part needs passes through memory, one weight at a time: one that is kept in fewer bits is whole only so long.
    """

    contents: Contents

    def fill(
        self, what: str, make: Callable[[], nn.Module], naming: Naming, dtype: torch.dtype, storage: Storage = "same"
    ) -> nn.Module:
        """The module that `make` makes, with its weights from the file as `naming` finds them, in `dtype` and `storage`.

        Raises:
            UserError: a weight is missing or of another shape, naming the first; or the shapes tell of no such part.
        """
        try:
            with init_empty_weights(include_buffers=False):
                module = make()
        except ValueError as error:
            raise UserError(
                f"{what} is of a make that no single file tells: {str(error).strip().splitlines()[0]}",
                where=str(self.contents.path),
                remedy="Take the model as a folder",
            ) from error
        needed, places = _needed(module), self._places(what, module, naming)

        def read(name: str) -> Tensor:
            return self._tensor(places[name], needed[name].shape, dtype)

        quantise(module, storage, read)
        module.load_state_dict(
            {name: read(name) for name in module.state_dict() if name in needed}, strict=False, assign=True
        )
        return module

    def refill(self, what: str, module: nn.Module, naming: Naming) -> None:
        """Put the file's weights in place of those that `module` has, in their types.

        Raises:
            UserError: as `fill`.
        """
        needed, places = _needed(module), self._places(what, module, naming)
        read = {name: self._tensor(places[name], each.shape, each.dtype) for name, each in needed.items()}
        module.load_state_dict(read, strict=False)

    def _places(self, what: str, module: nn.Module, naming: Naming) -> dict[str, Place]:
        found = {name: self._find(naming(name)) for name in _needed(module)}
        missing = sorted(naming(name)[0].name for name, place in found.items() if place is None)
        if missing:
            raise UserError(
                f"{what} lacks {len(missing)} weights in this file, the first {missing[0]}",
                where=str(self.contents.path),
                remedy="Download the file again, or choose a whole model",
            )
        return {name: place for name, place in found.items() if place is not None}

    def raw(self, name: str) -> Tensor:
        """The weight `name` as it lies in the file."""
        weight = self.contents.weights[name]
        if weight.dtype not in _DTYPES:
            raise UserError(f"{name} is of the unknown type {weight.dtype}", where=str(self.contents.path))
        values = self._read(name).view(_DTYPES[weight.dtype])
        return values.as_strided(weight.shape, weight.stride) if weight.stride else values.reshape(weight.shape)

    def digest(self, *prefixes: str) -> str:
        """SHA-256 over names, types, shapes and values of the weights whose names start so, hex."""
        total = hashlib.sha256()
        for name, weight in sorted(self.contents.weights.items()):
            if name.startswith(prefixes):
                total.update(f"{name} {weight.dtype} {weight.shape} {weight.stride}\n".encode())
                total.update(cast("Any", self._read(name).numpy()))
        return total.hexdigest()

    def _read(self, name: str) -> Tensor:
        """A weight's bytes, in memory that PyTorch aligned: the last bits of a product depend on that.

        They are not mapped: where page faults are dear, as in containers, that takes several times as long.
        """
        weight, file = self.contents.weights[name], self.contents.file(name)
        content = torch.empty(weight.bytes, dtype=torch.uint8)
        view = memoryview(cast("Any", content.numpy()))
        with file.open("rb", buffering=0) as stream:
            stream.seek(weight.start)
            while view and (count := stream.readinto(view)):
                view = view[count:]
        if view:
            raise broken(file, "the file is cut short")
        return content

    def _find(self, places: Sequence[Place]) -> Place | None:
        return next((place for place in places if place.name in self.contents.weights), None)

    def _tensor(self, place: Place, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        weight = self.contents.weights[place.name]
        tensor = _CHANGES[place.change](self.raw(place.name))
        if not tensor.is_floating_point():
            raise UserError(
                f"{place.name} is of type {weight.dtype}: quantized weights cannot be trained on",
                where=str(self.contents.path),
                remedy="Choose the model's own file in fp16, bf16 or fp32",
            )
        if _core(tensor.shape) != _core(shape):
            raise UserError(
                f"{place.name} is {list(weight.shape)}, which does not fit {list(shape)}",
                where=str(self.contents.path),
                remedy="The model is of another kind than its weights' names say; choose another file",
            )
        # 1×1 convolutions and linear layers hold the same values: files of both kinds are about.
        return tensor.reshape(shape).to(dtype).contiguous()


_CHANGES: Mapping[Change, Callable[[Tensor], Tensor]] = {
    "": lambda tensor: tensor,
    "transposed": lambda tensor: tensor.t(),
    "third-0": lambda tensor: tensor.chunk(3)[0].clone(),
    "third-1": lambda tensor: tensor.chunk(3)[1].clone(),
    "third-2": lambda tensor: tensor.chunk(3)[2].clone(),
}


def frozen(module: nn.Module, device: torch.device) -> nn.Module:
    """The module on the device, in evaluation mode, learning nothing until a method says so."""
    module = module.requires_grad_(requires_grad=False).eval().to(device)
    if device.type == "cpu":
        # Weights of a folder lie in the mapped file: at odd addresses, at which sums have other last bits and take longer,
        # and gone when the file is replaced.
        for weight in (*module.parameters(), *module.buffers()):
            weight.data = weight.data.clone()
    return module


def _text_class(*, projected: bool) -> Any:
    from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection
    from transformers.utils import logging

    logging.disable_progress_bar()
    return CLIPTextModelWithProjection if projected else CLIPTextModel


def _source(path: Path, stem: str) -> SingleFile:
    """The weights of a part in a pipeline's folder."""
    return SingleFile(read_together(folder.weight_files(path, stem)[0]))


def _is_pickled(source: SingleFile) -> bool:
    """Whether they are in `.bin` files, which diffusers and transformers would read with Python's own unpickler."""
    return all(source.contents.file(name).suffix == ".bin" for name in source.contents.weights)


def _config(path: Path) -> Config:
    return folder.read_json(path / "config.json")


def _from_folder(load: Callable[..., Any], path: Path, stem: str, dtype: torch.dtype, dtype_key: str) -> Any:
    """One `from_pretrained` that cannot leave weights random: what the file lacks is an error, not a log line."""
    files, variant = folder.weight_files(path, stem)
    for file in files:
        check_length(file)
    arguments = {dtype_key: dtype, "variant": variant, "use_safetensors": True, "local_files_only": True}
    try:
        model, info = load(path, output_loading_info=True, **arguments)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(
            f"the weights do not fit {path.name}/config.json: {str(error).strip().splitlines()[0]}", where=str(path)
        ) from error
    lacking = sorted(key for key in info["missing_keys"] if not key.endswith("position_ids"))
    if lacking:
        raise UserError(
            f"{len(lacking)} weights are missing, the first {lacking[0]}",
            where=str(path),
            remedy="Copy the model folder again, or choose another",
        )
    return model


def _needed(module: nn.Module) -> dict[str, Tensor]:
    """What of a module a file must hold; places are counted, not learned."""
    return {name: each for name, each in module.state_dict().items() if not name.endswith("position_ids")}


def _core(shape: Sequence[int]) -> list[int]:
    """A shape without the ones at its end."""
    kept = list(shape)
    while kept and kept[-1] == 1:
        kept.pop()
    return kept
