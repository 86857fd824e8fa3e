"""``python -m xit_ray.export``: a run's winner as a model folder, and a file's rows labelled by one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from xit_ray.spec import commands
from xit_ray.spec.errors import UserError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder, for example runs/quickstart, or its name in runs.")],
    places: Annotated[list[str], typer.Argument(metavar="[TARGET] DIR", help="The task, and the folder to write.")],
    push: Annotated[str | None, typer.Option(help="Send it to the hub as OWNER/NAME, too.")] = None,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="Log it in the run's MLflow as a model, too.")] = False,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository of the hub private.")] = False,
) -> None:
    """Write the best model of a run as a folder that transformers or sentence-transformers loads."""
    if len(places) > 2:
        raise UserError(f"export: found {len(places)} words after the run; allowed: [TARGET] DIR")
    *target, folder = places
    from xit_ray.export.folder import loader_of, write
    from xit_ray.export.heads import SENTENCES
    from xit_ray.export.push import check
    from xit_ray.export.push import push as send
    from xit_ray.export.winner import winner
    from xit_ray.track.journal import run_folder

    console = commands.console()
    if push is not None:
        check(push)
    best = winner(run_folder(run), target[0] if target else None)
    place = loader = None
    if mlflow:
        from xit_ray.export.mlflow_model import log, place_of

        place, loader = place_of(best), loader_of(best, Path(folder))
    loader = loader or write(best, Path(folder))
    load = f"SentenceTransformer({folder!r})" if loader == SENTENCES else f"{loader}.from_pretrained({folder!r})"
    about = f"{best.cell.trained} ← {best.cell.cell.intermediate}, trial {best.trial.key}"
    console.print(f"{folder}: {about}; {load} loads it", highlight=False, soft_wrap=True, markup=False)
    if best.summary.progress:
        console.print(best.summary.progress, style="yellow", highlight=False)
    console.print(f"Label your own rows:  xit predict {folder} FILE", highlight=False, soft_wrap=True, markup=False)
    if place is not None:
        console.print(f"In MLflow:  {log(best, Path(folder), place)}", highlight=False, soft_wrap=True, markup=False)
    if push is not None:
        console.print(f"On the hub:  {send(Path(folder), push, private)}", highlight=False, soft_wrap=True)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="A folder that xit export wrote, or OWNER/NAME on the hub.")],
    file: Annotated[
        Path, typer.Argument(help="Rows: .jsonl, .csv, .tsv, .parquet, SQuAD's .json, or .txt with a text per line.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="Where the labelled rows go, as JSON lines [FILE.labelled.jsonl].")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Where a column is in the file, for example text_a=sentence.")
    ] = None,
) -> None:
    """Label a file's rows, in any language, with a model that was exported."""
    from xit_ray.export.predict import Predictor, fetched

    pairs = [one.partition("=") for one in column or ()]
    for name, equals, _ in pairs:
        if not equals:
            raise UserError(f"--column: found {name!r}; allowed: OURS=THEIRS, for example text_a=sentence")
    target = output or file.with_suffix(".labelled.jsonl")
    if target.exists():
        raise UserError(f"{target}: exists; name another file with --output")
    predictor = Predictor(fetched(model))
    labelled = predictor.label(file, {ours: theirs for ours, _, theirs in pairs})
    aside = target.with_name(f"{target.name}.new")
    count = 0
    try:
        with aside.open("w", encoding="utf-8") as stream:
            for record, answer in labelled:
                if "predicted" in record:
                    raise UserError(f"{file}: has a column 'predicted' already; give it another name")
                stream.write(json.dumps({**record, "predicted": answer}, ensure_ascii=False, default=str) + "\n")
                count += 1
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    said = "".join(f"; {many:,} {what}" for what, many in predictor.notes.items())
    commands.console().print(f"{target}: {count:,} rows{said}", highlight=False, soft_wrap=True, markup=False)


if __name__ == "__main__":
    commands.run(app)
