"""Secrets in what was typed or stored: addresses that hold a user or password, and texts fit to be shown."""

import re
from urllib.parse import parse_qsl

USER = re.compile(r"://[^/?#\s]*@")  # "https://me:secret@host", "s3://KEY@bucket"
KEYS = re.compile(r"(?:^|[_-])(?:api_?key|key|token|secret|password|passwd|signature|credential)s?$", re.IGNORECASE)


def secret_of(text: str) -> str:
    """What of an address is secret, in words: "a user or password", "the key api_key"; "" where nothing is."""
    if USER.search(text):
        return "a user or password"
    if "://" not in text or "?" not in text:
        return ""
    names = (name for name, _ in parse_qsl(text.partition("?")[2], keep_blank_values=True))
    return next((f"the secret {name[:40]}" for name in names if KEYS.search(name)), "")


def first_word(typed: str) -> str:
    """As much of what was typed as names a setting, for its value may be secret."""
    return re.split(r"[\s:=]", typed.strip(), maxsplit=1)[0][:60]
