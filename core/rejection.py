"""Why something is left out, and what a user can mend, as exceptions: never a mistake of ours."""


class RejectionError(Exception):
    """Something cannot be kept; `code` is short and countable, `message` is for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class UserError(Exception):
    """Something the user can mend: the command line prints the message alone, without a trace."""
