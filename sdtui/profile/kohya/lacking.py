"""Why kohya's scripts do not have a setting that no option of theirs becomes."""

from __future__ import annotations

LINES = "kohya reads the first line of a caption, or draws one with enable_wildcard"

LACKING: dict[str, str] = {
    "launch.runs": "kohya writes to output_dir",
    "dataset.background": "kohya drops transparency without laying a colour under it",
    "dataset.on_unreadable": "kohya stops at an image it cannot read",
    "dataset.folders[].recursive": "kohya does not look into folders inside a subset",
    "dataset.folders[].generate": "kohya draws no class images: the folder has to hold them",
    "dataset.folders[].word": "train_network.py has no templates",
    "dataset.folders[].validation": "kohya holds out shares (validation_split), not folders",
    "dataset.folders[].masks": "kohya stops at images without a mask, masks without an image or of another size, and random "
    "crops beside them",
    "dataset.folders[].augment_brightness": "color_aug has no strengths",
    "dataset.folders[].augment_contrast": "color_aug has no strengths",
    "dataset.folders[].augment_saturation": "color_aug has no strengths",
    "dataset.folders[].augment_hue": "color_aug has no strengths",
    "augment.contrast": "color_aug changes hue or brightness",
    "augment.saturation": "color_aug changes hue or brightness",
    "augment.variants": "kohya crops and colours anew in every step, without cached latents",
    "captions.on_missing": "kohya trains images without a caption, with their class tokens or with empty text",
    "captions.file_name_pattern": "kohya reads no file names",
    "captions.file_name_join": "kohya reads no file names",
    "captions.template": "only train_textual_inversion.py has templates",
    "captions.template_file": "train_textual_inversion.py has lines of its own",
    "captions.cache_mib": "kohya has no limit; it caches what text encoders say for Stable Diffusion XL only",
    "training.ema_decay": "kohya has no moving average",
    "training.device": "accelerate chooses the device",
    "training.threads": "set OMP_NUM_THREADS",
    "objective.latents": "kohya draws latents anew, or once where it caches them",
    "objective.even_masks": "kohya's masks are not scaled",
    "objective.unmasked_weight": "kohya's masks count nothing where they are black",
    "objective.unmasked_chance": "kohya's masks count in every step",
    **{
        f"prior.generate_{name}": "kohya draws no class images" for name in ("negative", "steps", "guidance", "sampler")
    },
    "training.fused_backward": "only scripts for the whole model have it",
    "optimizer.stops": "kohya trains a LoRA's text encoders to the end",
    "prior.target": "kohya's regularisation images teach themselves",
    "prior.class_caption": "kohya preserves a class by images only",
    "prior.trigger": "kohya preserves a class by images only",
    "prior.class_weight": "kohya preserves a class by images only",
    "validation.timesteps": "kohya's are 200, 400, 600 and 800",
    "validation.most_images": "max_validation_steps counts batches of all folders together",
    **{
        f"method.words[].{name}": "train_network.py trains no words beside a LoRA"
        for name in ("name", "vectors", "init", "continue_from", "learning_rate", "weight_decay", "norm", "stop")
    },
    "schedule.rates": "kohya has shapes only",
    "saving.formats": "kohya writes its own layout",
    "saving.word_formats": "train_network.py trains no words beside a LoRA",
    "saving.every_minutes": "kohya saves by steps or epochs",
    "saving.min_free_mib": "kohya does not look at the disk",
}
