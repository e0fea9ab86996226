"""`sdtui schema`: every setting of a profile, as JSON schema or as the documentation's page."""

from __future__ import annotations

import argparse
import json

from sdtui.profile.reference import json_schema, markdown


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--markdown", action="store_true", help="the page docs/settings.md instead of JSON schema")


def run(args: argparse.Namespace) -> int:
    """Print it on stdout. It is a JSON schema, not an object of ours: it has no "schema": 1."""
    print(
        markdown() if args.markdown else json.dumps(json_schema(), ensure_ascii=False, indent=2),
        end="" if args.markdown else "\n",
    )
    return 0
