"""Options of the dataset: images, how they are varied, and their captions. Most may stand in a dataset TOML, too."""

from __future__ import annotations

from sdtui.profile.kohya.option import AS_IS, FLIPPED, REAL, Codec, Option, silent, words

_ONE_FOR_ALL = "one for all folders"
_CAPTION_FILES = "captions are read from the files beside the images; `sdtui caption import` makes them of this one"

# sd-scripts puts a blank between the caption and what it adds.
_PREFIX = Codec(lambda value: f"{value} " if value else "", lambda value: value.removesuffix(" ") or None)
_SUFFIX = Codec(lambda value: f" {value}" if value else "", lambda value: value.removeprefix(" ") or None)

IMAGES = (
    Option(
        "train_data_dir",
        "text",
        None,
        ("dataset.folders[].path", "dataset.folders[].layout"),
        'a folder with layout = "kohya": repeats and class tokens come from the names of the folders in it',
    ),
    Option(
        "reg_data_dir",
        "text",
        None,
        ("dataset.folders[].path", "dataset.folders[].regularization"),
        "the same, with regularization = true",
    ),
    Option("image_dir", "text", None, ("dataset.folders[].path",), "a folder for each subset"),
    Option("num_repeats", "whole", 1, ("dataset.folders[].repeats",), "", AS_IS),
    Option("dataset_repeats", "whole", 1, ("dataset.folders[].repeats",), "for all subsets that say nothing"),
    Option("class_tokens", "text", None, ("dataset.folders[].class_tokens",), "", silent("")),
    Option("is_reg", "flag", False, ("dataset.folders[].regularization",), "", AS_IS),
    Option("alpha_mask", "flag", False, ("dataset.folders[].alpha_mask",), "", AS_IS),
    Option("conditioning_data_dir", "text", None, ("dataset.folders[].masks",), "with masked_loss", silent("")),
    Option("masked_loss", "flag", False, ("dataset.folders[].masks",), "a folder with masks is always masked"),
    Option(
        "resolution",
        "size",
        None,
        ("dataset.resolution", "dataset.more_resolutions", "dataset.folders[].resolutions"),
        "width,height: the side whose square has the same buckets, or without buckets nearly as many pixels; several "
        "datasets of the same images: several resolutions",
        gui="max_resolution",
    ),
    Option(
        "enable_bucket",
        "flag",
        False,
        ("dataset.buckets",),
        "true: compat, which chooses as kohya does; log is better (upright and lying images in mirrored buckets)",
        words({True: "compat", False: "none"}),
    ),
    Option(
        "bucket_no_upscale",
        "flag",
        False,
        ("dataset.bucket_upscale",),
        "the other way round; with compat the bucket is kohya's own",
        FLIPPED,
    ),
    Option("bucket_reso_steps", "whole", 64, ("dataset.bucket_step",), "at least 8, a multiple of 8"),
    Option("min_bucket_reso", "whole", 256, ("dataset.bucket_min",), "at most the resolution"),
    Option("max_bucket_reso", "whole", 1024, ("dataset.bucket_max",), "at least the resolution"),
    Option("prior_loss_weight", "number", 1.0, ("prior.weight",), "", REAL),
    Option("dataset_config", "text", None, ("dataset.folders",), "the file is read with it"),
    Option("in_json", "text", text=_CAPTION_FILES),
    Option("metadata_file", "text", text=_CAPTION_FILES),
    Option("dataset_class", "text", text="datasets are folders of images"),
    Option("custom_attributes", "list", text="nothing in the training of Stable Diffusion reads them"),
    Option("network_multiplier", "number", 1.0, text="a LoRA is trained at its full strength"),
    Option("cache_info", "flag", False, text="always on: sizes and captions are remembered between runs", quiet=True),
    Option("cache_latents", "flag", False, text="always on: latents are cached on disk", quiet=True),
    Option("cache_latents_to_disk", "flag", False, text="always on: latents are cached on disk", quiet=True),
    Option("skip_cache_check", "flag", False, text="not needed: a cache is known by its images' contents", quiet=True),
    Option(
        "vae_batch_size", "whole", 1, text="each image is encoded by itself, while the next are decoded", quiet=True
    ),
    Option("debug_dataset", "flag", False, text="`sdtui plan PROFILE --captions 5` shows what would be trained"),
    Option("resize_interpolation", "text", text="always Lanczos"),
)

AUGMENTATION = (
    Option("flip_aug", "flag", False, ("augment.flip",), "", AS_IS, folder="augment_flip"),
    Option(
        "random_crop",
        "flag",
        False,
        ("augment.crop",),
        "true: random; latents stay cached, in augment.variants crops of each image",
        words({False: "center", True: "random"}),
        folder="augment_crop",
    ),
    Option(
        "color_aug",
        "flag",
        False,
        ("augment.brightness", "augment.hue"),
        "true: brightness 0.25 and hue 0.044, the ends of kohya's ranges, which it draws from for every third image",
    ),
    Option("face_crop_aug_range", "text", text="there is no crop around faces; crop the images before"),
)

CAPTIONS = (
    Option("caption_extension", "text", ".caption", ("captions.extension",), "not given: .caption", AS_IS),
    Option("caption_extention", "text", None, ("captions.extension",), "the misspelt name of caption_extension"),
    Option(
        "shuffle_caption",
        "flag",
        False,
        ("captions.shuffle",),
        "",
        AS_IS,
        folder="caption_shuffle",
    ),
    Option("caption_separator", "text", ",", ("captions.separator",), _ONE_FOR_ALL, AS_IS),
    Option("keep_tokens", "whole", 0, ("captions.keep_tokens",), "", AS_IS, folder="caption_keep_tokens"),
    Option("keep_tokens_separator", "text", "", ("captions.keep_separator",), _ONE_FOR_ALL, AS_IS),
    Option("secondary_separator", "text", None, ("captions.secondary_separator",), _ONE_FOR_ALL, silent("")),
    Option(
        "enable_wildcard",
        "flag",
        False,
        ("captions.wildcards", "captions.lines"),
        'lines: "random" with it, "first" without',
        AS_IS,
        folder="caption_wildcards",
    ),
    Option(
        "caption_prefix",
        "text",
        None,
        ("captions.prefix",),
        "with the blank that kohya puts behind it",
        _PREFIX,
        folder="caption_prefix",
    ),
    Option(
        "caption_suffix",
        "text",
        None,
        ("captions.suffix",),
        "with the blank that kohya puts before it",
        _SUFFIX,
        folder="caption_suffix",
    ),
    Option("caption_dropout_rate", "number", 0.0, ("captions.dropout",), "", REAL, folder="caption_dropout"),
    Option("caption_dropout_every_n_epochs", "whole", 0, ("captions.dropout_every",), _ONE_FOR_ALL, AS_IS),
    Option(
        "caption_tag_dropout_rate", "number", 0.0, ("captions.tag_dropout",), "", REAL, folder="caption_tag_dropout"
    ),
    Option("token_warmup_min", "whole", 1, ("captions.token_warmup_min",), _ONE_FOR_ALL, AS_IS),
    Option("token_warmup_step", "number or share", 0, ("captions.token_warmup",), _ONE_FOR_ALL, AS_IS),
    Option("weighted_captions", "flag", False, ("captions.weighted",), "", AS_IS),
    Option("max_token_length", "whole", None, ("captions.max_tokens",), "not given: 75", silent(75)),
    Option(
        "clip_skip",
        "whole",
        None,
        ("captions.clip_skip",),
        "not given: 1; kohya passes over it for Stable Diffusion XL, and so does the import where form or base model says so",
        silent(1),
    ),
)
