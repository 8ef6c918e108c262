"""The page's templates, and the words they have for the pipeline's reason codes."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

REASONS = {  # to be aligned with the pipeline's codes
    "licence": "the licence does not allow a changed image to be shared",
}


def in_words(code: str) -> str:
    """A reason code as a phrase; a code that is not listed is spelt out, a sentence stays as it is."""
    return REASONS.get(code) or (code if " " in code else code.replace("_", " "))


def percent(share: float) -> str:
    """A share of 1 in percent, "34.0 %"."""
    return f"{100 * share:.1f} %"


def quantity(number: float) -> str:
    """A count with its thousands apart."""
    return f"{number:,}"


@cache
def templates() -> Environment:
    """The templates beside this file; whatever they are given is escaped."""
    environment = Environment(
        loader=PackageLoader("app", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"in_words": in_words, "percent": percent, "quantity": quantity}
    return environment
