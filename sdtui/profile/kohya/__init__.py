"""Coming from kohya: files of sd-scripts and kohya_ss to profiles and back, all by one table (`options`).

`take` reads a file (`source`) into a draft of settings, `text` writes that as a commented profile; `giving` goes the
other way; `page` makes the documentation's page.
"""
