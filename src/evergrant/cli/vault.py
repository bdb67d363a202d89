"""`evergrant vault`: the key outside the database, one generation after the other. API keys are `evergrant keys`."""

from typing import Annotated

import typer

app = typer.Typer(help="Generations of the vault's key.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="Number of the generation, as status shows it.", min=1)]


@app.command()
def status() -> None:
    """Show the generations: how many data keys each wraps, and whether its file is on this machine.

    Example: [bold]evergrant vault status[/bold]
    """
    from evergrant.cli import generations

    generations.status()


@app.command()
def rotate(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only make the file: copy it to every machine, then rotate.")
    ] = False,
) -> None:
    """Make the next generation. Running programs take it up by themselves; workers wrap every data key again under it.

    Example: [bold]evergrant vault rotate[/bold]
    """
    from evergrant.cli import generations

    generations.rotate(prepare=prepare)


@app.command()
def rewrap() -> None:
    """Wrap every data key again now, instead of leaving it to the workers. Break it off whenever you like.

    Example: [bold]evergrant vault rewrap[/bold]
    """
    from evergrant.cli import generations

    generations.rewrap()


@app.command()
def retire(number: Number) -> None:
    """Destroy a generation that wraps nothing any more: with it go the erased ones in every backup it opened.

    Example: [bold]evergrant vault retire 1[/bold]
    """
    from evergrant.cli import generations

    generations.retire(number)


@app.command()
def reseal(
    connection: Annotated[str, typer.Argument(help="Id of the connection (con_…).")],
    tenant: Annotated[str | None, typer.Option(help="Id of the workspace (ten_…), where there are several.")] = None,
) -> None:
    """Seal one connection's tokens anew under a fresh data key, after a suspicion. The tokens stay the same.

    Example: [bold]evergrant vault reseal con_…[/bold]
    """
    from evergrant.cli import generations

    generations.reseal(connection, tenant)
