"""`python -m sdtui.profile.kohya > docs/coming-from-kohya.md`: the page made from the table."""

from __future__ import annotations

import sys

from sdtui.profile.kohya.page import markdown

sys.stdout.write(markdown())
