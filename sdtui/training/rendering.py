"""Previews during a run: drawn one by one, told as events, and never a reason to end the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdtui.training import preview
from sdtui.training.failures import Interrupted, explain

if TYPE_CHECKING:
    from sdtui.models.family import Model
    from sdtui.runs.layout import RunFolder
    from sdtui.training.optimizer import GuardedStep
    from sdtui.training.report import Report
    from sdtui.training.steering import Steering


@dataclass(frozen=True)
class Renderer:
    """Draws all of a profile's prompts with the model as it would be written."""

    run: RunFolder
    report: Report
    steering: Steering
    model: Model
    requests: Sequence[preview.Request]
    apply: GuardedStep

    def render(self, step: int) -> int:
        """Draw the previews of `step` and return how many failed; a stop leaves out those not drawn yet."""
        failed = 0
        for request in self.requests:
            if self.steering.stopping:
                break
            self.report.state("sampling")
            try:
                self._draw(request, step)
            except Interrupted:
                break
            except Exception as error:  # noqa: BLE001 - whatever is wrong with a picture, the training is not
                failed += 1
                self._tell_failure(request, step, error)
        return failed

    def _draw(self, request: preview.Request, step: int) -> None:
        with self.apply.finished_weights():
            made = preview.render(self.model, request, self.run.preview_dir(step), step, self._give_up_when_stopping)
        self.report.write(
            "preview", step=step, index=made.index, path=str(made.path.relative_to(self.run.path)), prompt=made.prompt,
            seed=made.seed, seconds=round(made.seconds, 3),
        )  # fmt: skip

    def _tell_failure(self, request: preview.Request, step: int, error: Exception) -> None:
        problem = explain(error)
        if problem is not error:
            self.report.log_traceback(error)
        self.report.log(f"warning: preview {request.index} at step {step} failed: {problem}")
        self.report.write("preview_failed", step=step, index=request.index, prompt=request.prompt, message=str(problem))

    def _give_up_when_stopping(self, _done: int, _steps: int) -> None:
        self.steering.poll()
        if self.steering.stopping:
            raise Interrupted
