"""``xit init``: a commented search space for a target, a model and a budget, to be edited."""

from pathlib import Path
from typing import Annotated

import typer

from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.tasks import registry

app = typer.Typer(add_completion=False, rich_markup_mode=None)

TEMPLATE = """\
# {path}: which intermediate task helps {target}?
#   xit plan   {path}{data}     what would be trained, and what it costs
#   xit search {path}{data}     run it; a report and a transfer matrix come out
# Every key: docs/reference.md, or `xit schema` for your editor.
name: "{name}"
question: Which intermediate task helps {target} in languages without labels?
recipe:
{model}  stages:                       # trained in this order; the encoder passes on, the head does not
    - mixture: {{grid: [null, {intermediates}]}}   # null: no intermediate stage, the baseline
      learning_rate: 1.0e-5
    - mixture: {target}
      learning_rate: {{grid: [1.0e-5, 3.0e-5]}}    # any value may be a domain: grid, choice, loguniform, …
replicates: 3                   # seeds of every cell: without them a gain has no interval and no verdict
zero_shot: {{languages: present}} # the test languages whose files are there; null: all of the task's
{budget}# resources: {{gpus: 1}}          # a GPU for every training run
"""


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    target: Annotated[str, typer.Option(help="The task that transfer is to help.")],
    intermediates: Annotated[str, typer.Option(help="Tasks that may help, with commas between.")],
    model: Annotated[
        str | None, typer.Option(help="OWNER/MODEL@COMMIT on the hub, or a folder [multilingual-e5-small].")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=1, help="Start no trial that would not end within so long.")
    ] = None,
) -> None:
    """Write a search space with comments, to be edited."""
    if file.exists():
        raise UserError(f"{file}: exists; name a file that does not")
    names = [name.strip() for name in intermediates.split(",") if name.strip()]
    if not names:
        raise UserError("--intermediates: names none; give one task or more, with commas between")
    tasks = [registry.get(target, "--target"), *(registry.get(name, "--intermediates") for name in names)]
    untrained = next((task for task in tasks if not task.trainable), None)
    if untrained is not None:
        raise UserError(f"{untrained.name}: is not trained ({untrained.kind}); zero_shot.embedding_tests scores it")
    name, _, revision = (model or "").partition("@")
    lines = f"  model: {{name: {name}{f', revision: {revision}' if revision else ''}}}\n" if model else ""
    text = TEMPLATE.format(
        path=file,
        name=file.stem,
        target=target,
        intermediates=", ".join(names),
        model=lines,
        budget=f"budget: {{minutes: {minutes:.10g}}}\n" if minutes is not None else "",
        data="" if all(task.builtin for task in tasks) else " --data DIR",
    )
    file.write_text(text, encoding="utf-8")
    try:
        load_space(file)
    except UserError:
        file.unlink()
        raise
    commands.console().print(
        f"{file}: a search space; xit plan {file} says what it costs", highlight=False, soft_wrap=True
    )


if __name__ == "__main__":
    commands.run(app)
