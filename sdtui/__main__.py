"""`python -m sdtui` is `sdtui`."""

from sdtui.cli import entry

if __name__ == "__main__":
    entry()
