"""figray plan, submit, status, logs, stop, keep-logs: what a job will take, and commands as jobs of a Ray cluster."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.options import SCHEMES, Set
from app.session import say

commands = typer.Typer()

Address = Annotated[
    str | None,
    typer.Option(help="A cluster's dashboard, http://HOST:PORT; else RAY_API_SERVER_ADDRESS or RAY_ADDRESS."),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Send the token in the clear, on a private network.")]
Job = Annotated[str, typer.Argument(help="A job, as submit names it.")]


@commands.command()
def plan(
    articles: Annotated[int, typer.Option(min=1, help="That the query finds.")],
    cluster: Annotated[
        Path | None, typer.Option(help="A cluster.yaml of Ray's launcher; without one, this machine.")
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="Whose settings, and whose model is trained.")] = "blip-brain",
    like: Annotated[str | None, typer.Option(help="A run of whose articles these are more.")] = None,
    scheme: Annotated[str | None, typer.Option(help="raw, processed or both; without one, the recipe's.")] = None,
    gpu_group: Annotated[str | None, typer.Option(help="The nodes that train; without one, the first with a GPU.")] = (
        None
    ),
    rates: Annotated[Path | None, typer.Option(help="Without one, runs/rates.json of `make bench`.")] = None,
    prices: Annotated[Path | None, typer.Option(help="Without one, those that come with figray.")] = None,
    assume: Annotated[list[str], typer.Option(help="Another value of what is assumed: core=1.2.")] = [],  # noqa: B006
    out: Annotated[Path | None, typer.Option(metavar="OUT.json", help="The same as JSON.")] = None,
    set_: Set = [],  # noqa: B006
) -> None:
    """What a job will take before it is paid for: hours, nodes and dollars of each station, and what that assumes."""
    from app.plan.command import Asked, planned, write
    from core.config import SettingError

    if scheme is not None and scheme not in SCHEMES:
        raise SettingError(f"--scheme {scheme}: there are {', '.join(SCHEMES)}")
    asked = Asked(
        articles=articles,
        cluster=cluster,
        recipe=recipe,
        like=like,
        schemes=tuple(SCHEMES[scheme]) if scheme else (),
        gpu_group=gpu_group,
        rates=rates,
        prices=prices,
        assume=tuple(assume),
        settings=tuple(set_),
    )
    told = planned(asked)
    for line in told.lines:
        typer.echo(line)
    if out:
        write(told, out)


@commands.command(context_settings={"allow_interspersed_args": False})
def submit(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="figray submit -- train blip-brain --run s3://B/R")
    ],
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Run a figray command as a job of a Ray cluster, and follow it; without an address, of a Ray started for it.

    This folder is packed and sent, without runs, data, caches, and what .gitignore names.

    It ends with the job's exit code. Ctrl-C leaves a cluster's job running.
    """
    from app.jobs import client as jobs
    from app.jobs.submission import address_of, asked

    wanted, where = asked(context.find_root().command, words), address_of(address, os.environ, insecure=insecure)
    raise typer.Exit(jobs.submit(wanted, where, Path.cwd()))


@commands.command()
def status(
    job: Annotated[str | None, typer.Argument(help="A job, as submit names it; without one, all of them.")] = None,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """What became of the jobs that were submitted to a cluster."""
    from app.jobs import client as jobs

    for line in jobs.status(jobs.cluster_of(address, os.environ, insecure=insecure), job):
        typer.echo(line)


@commands.command()
def logs(
    job: Job,
    follow: Annotated[bool, typer.Option("--follow", help="Until the job ends; then end with its exit code.")] = False,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """What a job has said so far."""
    from app.jobs import client as jobs

    raise typer.Exit(jobs.logs(jobs.cluster_of(address, os.environ, insecure=insecure), job, follow=follow))


@commands.command()
def stop(job: Job, address: Address = None, insecure: Insecure = False) -> None:
    """Stop a job: what it has committed stays, and the same command goes on from there."""
    from app.jobs import client as jobs

    say(jobs.stop(jobs.cluster_of(address, os.environ, insecure=insecure), job))


@commands.command("keep-logs")
def keep_logs(
    to: Annotated[str, typer.Argument(help="A folder or bucket, such as s3://BUCKET/logs.")],
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 300,
    ray_logs: Annotated[Path | None, typer.Option(help="Without one, those of the Ray that runs here.")] = None,
) -> None:
    """Copy the logs of this node's Ray to a folder or bucket while they grow, until SIGTERM or Ctrl-C."""
    from app.jobs import kept_logs
    from core.places import Place

    place = Place.at(to)
    kept_logs.refuse_unwritable(place)
    stopped = kept_logs.until_signalled()
    say(kept_logs.told(kept_logs.keep_logs(ray_logs or kept_logs.LATEST, place, every=every, stopped=stopped), place))
