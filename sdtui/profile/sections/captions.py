"""How the text beside an image becomes what the model reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdtui.profile.declare import About, Section
from sdtui.profile.sections.shared import KOHYA, RELATIVE_PATH


class Captions(Section):
    """How the text beside an image becomes what the model reads."""

    extension: Annotated[
        str,
        Field(pattern=r"^(auto|\.[A-Za-z0-9_.-]+)$"),
        About(
            "Ending of the caption files; auto takes .txt, else .caption.",
            allowed="auto, or an ending such as .txt",
            aka=("caption_extension", "caption_ext"),
        ),
    ] = "auto"
    lines: Annotated[
        Literal["join", "first", "random"],
        About(
            "What is read of a caption of several lines: all of them as one text, the first, or one drawn in each step."
        ),
    ] = "join"
    prefix: Annotated[str, About("Text put before every caption, as it stands.", aka=("caption_prefix",))] = ""
    suffix: Annotated[str, About("Text put after every caption, as it stands.", aka=("caption_suffix",))] = ""
    dropout: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Chance that a caption is replaced by the empty one in a step, which keeps classifier-free guidance working.",
            unit="share of 1",
            source="Ho & Salimans 2022 use 0.1–0.2",
            aka=("caption_dropout_rate",),
        ),
    ] = 0.0
    dropout_every: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        About(
            "Every so many epochs all captions are empty for one epoch; 0: off.",
            unit="epochs",
            aka=("caption_dropout_every_n_epochs",),
        ),
    ] = 0
    wildcards: Annotated[
        bool,
        About(
            "Read {a|b|c} as one of its parts, drawn in each step; {{ and }} are the braces themselves.",
            aka=("enable_wildcard",),
        ),
    ] = False
    shuffle: Annotated[
        bool, About("Put the tags of a caption in a new order in each step.", aka=("shuffle_caption",))
    ] = False
    separator: Annotated[
        str, Field(min_length=1), About("What stands between two tags.", source=KOHYA, aka=("caption_separator",))
    ] = ","
    keep_tokens: Annotated[
        int,
        Field(ge=0, le=10_000),
        About("So many tags at the front are never shuffled, dropped or held back by the warm-up.", unit="tags"),
    ] = 0
    keep_separator: Annotated[
        str,
        About(
            "Tags before this mark are kept in front instead of the first keep_tokens; after a second mark, at the end. "
            "Guides use |||; empty: off.",
            aka=("keep_tokens_separator",),
        ),
    ] = ""
    secondary_separator: Annotated[
        str,
        About(
            "Tags joined by this stay together when tags are shuffled or dropped; it then becomes the separator. "
            "Guides use three semicolons; empty: off."
        ),
    ] = ""
    tag_dropout: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "Chance that a tag is left out of a caption in a step.",
            unit="share of 1",
            aka=("caption_tag_dropout_rate",),
        ),
    ] = 0.0
    token_warmup: Annotated[
        Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)],
        About(
            "Captions grow from token_warmup_min tags to all of theirs over this many steps (whole number), or over this "
            "share of all steps (below 1); 0: off.",
            unit="steps or share of 1",
            aka=("token_warmup_step",),
        ),
    ] = 0
    token_warmup_min: Annotated[
        int,
        Field(ge=0, le=10_000),
        About("How many tags a caption has at the first step of token_warmup.", unit="tags"),
    ] = 1
    cache_mib: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        About(
            "Memory for what a frozen text encoder said of captions that are drawn anew in each step (shuffle, wildcards "
            "and the like); a text costs 231 KiB in Stable Diffusion 1.x.",
            unit="MiB",
        ),
    ] = 512
    on_missing: Annotated[
        Literal["stop", "empty", "file-name"],
        About(
            "What to do about an image with no caption file or an empty one: stop before training, train it with empty text, or "
            "read its file's name, without the digits and dashes it starts with."
        ),
    ] = "stop"
    file_name_pattern: Annotated[
        str,
        About(
            'With on_missing = "file-name": a regular expression whose finds in the name, joined, are the caption; empty: the '
            "whole name.",
            allowed="a regular expression such as [A-Za-z]+",
            source="A1111's filename word regex",
            aka=("dataset_filename_word_regex",),
        ),
    ] = ""
    file_name_join: Annotated[
        str, About("What stands between two such finds.", source="A1111", aka=("dataset_filename_join_string",))
    ] = " "
    template: Annotated[
        Literal["", "subject", "style", "subject_filewords", "style_filewords", "filewords", "picture"],
        About(
            "Lines that captions are put into, one drawn in each step: of photos of a subject or pictures in a style, with the "
            "caption in them (filewords) or without; filewords: the caption in plain words; picture: no words but that. Empty: "
            "captions as they are.",
            source="A1111's textual inversion templates",
            aka=("use_object_template", "use_style_template", "template_file"),
        ),
    ] = ""
    template_file: Annotated[
        str,
        About(
            "A text file of such lines of your own: [filewords] is the caption, [name] the word that is trained. "
            f"{RELATIVE_PATH}",
            path="file",
        ),
    ] = ""
    weighted: Annotated[
        bool,
        About(
            "Read brackets as weights, in captions and preview prompts: (word:1.2), (word) for 1.1, [word] for 1 / 1.1; "
            r"\( is a bracket. The text encoder's states are multiplied by them.",
            aka=("weighted_captions",),
        ),
    ] = False
    max_tokens: Annotated[
        int,
        Field(ge=75, le=225, multiple_of=75),
        About(
            "How long captions and preview prompts may be; what is beyond is not seen. The text encoder reads 75 at a time.",
            unit="tokens",
            source=KOHYA,
            aka=("max_token_length",),
        ),
    ] = 75
    clip_skip: Annotated[
        int,
        Field(ge=1, le=12),
        About(
            "Which layer of the text encoder is read, counted from the one the base model's family reads (of SD 2.x and "
            "XL the last but one). Anime models on SD 1.x often want 2.",
            unit="layers",
        ),
    ] = 1
