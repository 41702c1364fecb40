"""Sub-commands about the catalogue: new cards, generated files, exchange formats. No stages of the workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmseg_ext.cli_options import DEFAULT_CONFIGS, DEFAULT_DATA, Configs, Data
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.errors import InputError

app = typer.Typer()
scaffold = typer.Typer(no_args_is_help=True, help="Write a commented card to start from.")
app.add_typer(scaffold, name="scaffold")


@app.command()
def schemas(
    folder: Annotated[Path, typer.Option(help="Where the schema files lie.")] = Path("workflow/schemas"),
    check: Annotated[bool, typer.Option("--check", help="Only say which files are out of date.")] = False,
) -> None:
    """Generate the JSON Schemas of the configuration files."""
    from mmseg_ext.suite.schemas import stale, write_schemas

    if not check:
        write_schemas(folder)
    elif found := stale(folder):
        raise InputError(found[0], "content", "out of date", "the models' schema", "Run `python -m mmseg_ext schemas`.")


@app.command()
def docs(
    out: Annotated[Path, typer.Option(help="The document.")] = Path("docs/datasets.md"),
    check: Annotated[bool, typer.Option("--check", help="Only say whether it is out of date.")] = False,
    configs: Configs = DEFAULT_CONFIGS,
) -> None:
    """Generate the table of all data sets from their cards."""
    from mmseg_ext.suite.dataset_table import dataset_table
    from mmseg_ext.suite.files import write_text

    text = dataset_table(catalogue(configs))
    if not check:
        write_text(out, text)
    elif not out.is_file() or out.read_text(encoding="utf-8") != text:
        raise InputError(out, "content", "out of date", "the table of the cards", "Run `python -m mmseg_ext docs`.")


@app.command()
def croissant(
    dataset: str,
    out: Annotated[Path, typer.Option(help="The JSON-LD file.")],
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
) -> None:
    """Describe a prepared data set as Croissant metadata."""
    from mmseg_ext.data.croissant import describe
    from mmseg_ext.data.prepared import PreparedDataset
    from mmseg_ext.suite.files import write_json
    from mmseg_ext.suite.paths import Paths

    card = catalogue(configs).dataset(dataset, "command line", "dataset")
    write_json(out, describe(card, PreparedDataset(Paths(data).prepared(dataset)), out.parent))
    print(out)


@scaffold.command("dataset")
def scaffold_dataset(
    name: str,
    layout: Annotated[str, typer.Option(help="nifti_volumes or image_mask_pairs")],
    path: Annotated[Path, typer.Option(help="Folder of the unpacked data.")],
    configs: Configs = DEFAULT_CONFIGS,
) -> None:
    """Write a data set card with what can be read from the files."""
    from mmseg_ext.data.scaffold import scaffold_card

    print(scaffold_card(name, layout, path, configs))


@scaffold.command("method")
def scaffold_method(
    track: str,
    name: str,
    base: Annotated[str, typer.Option(help="Method of the track to start from.")],
    configs: Configs = DEFAULT_CONFIGS,
) -> None:
    """Write a method's config and card on top of another method's."""
    from mmseg_ext.suite.scaffold_method import scaffold_method as write_method

    for path in write_method(track, name, base, catalogue(configs)):
        print(path)
