"""`nomaly password`: the hash of a password, for the page of a site."""

import sys
from getpass import getpass

import typer

from app.commands.options import command_list
from app.errors import UsageError

cli = command_list()


@cli.command(epilog="Examples:  nomaly password\n\npass show camera-page | nomaly password")
def password() -> None:
    """Print the hash of a password, which opens the page from other machines.

    It is asked for twice and not shown; where standard input is no terminal, its first line is
    taken. The hash goes into the site's YAML or into NOMALY_PASSWORD_HASH.
    """
    from app.web.passwords import LONGEST, hash_password

    if sys.stdin.isatty():
        typed = getpass("Password: ")
        if getpass("Once more: ") != typed:
            raise UsageError("the two passwords differ; nothing was made, try again")
    else:
        typed = sys.stdin.readline(LONGEST * 4).rstrip("\r\n")
    typer.echo(hash_password(typed))
