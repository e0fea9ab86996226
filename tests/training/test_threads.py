"""How many threads compute: each thread's own number holds, and the one from before comes back."""

from __future__ import annotations

import threading

import torch

from sdtui.training.threads import compute_in, in_threads


def test_for_a_while_others_compute() -> None:
    before = torch.get_num_threads()
    with in_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_what_other_threads_set_meanwhile_does_not_reach_an_encoding_thread() -> None:
    before = torch.get_num_threads()
    told, others = threading.Event(), threading.Event()
    found: list[int] = []

    def encode() -> None:
        compute_in(2)
        told.set()
        assert others.wait(60)
        found.append(torch.get_num_threads())

    thread = threading.Thread(target=encode)
    thread.start()
    assert told.wait(60)
    torch.set_num_threads(3)
    others.set()
    thread.join(60)
    torch.set_num_threads(before)
    assert found == [2]
