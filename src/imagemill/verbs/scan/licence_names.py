"""Names of licences, however they are written, and what they keep from whoever uses an image."""

from __future__ import annotations

import re

__all__ = ["EXPLAINS_NOTHING", "licence_in", "licence_name", "restrictions"]

EXPLAINS_NOTHING = ", which nothing explains"
"""How the name of a licence ends that is a number without a list."""

NOTHING = frozenset(("", "-", "--", "n/a", "na", "nan", "none", "null"))
"""What stands in a cell that says nothing."""

_UNKNOWN = frozenset(("?", "??", "tbd", "todo", "other", "unknown", "undefined", "unspecified", "not stated"))

_CC_ADDRESS = re.compile(r"creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)\b(?:/(\d\.\d))?")
_CC_WORDS = re.compile(r"\bcc[-_ ]?by(?![a-z]|\d(?!\.))((?:[-_ ](?:nc|sa|nd)(?![a-z]))*)(?:[-_ ]?v?(\d(?:\.\d)?)\b)?")
_CC_TITLE = re.compile(
    r"\b(?:attribution((?:-(?:non-?commercial|share-?alike|no-?deriv(?:ative)?s))+)"
    r"|creative commons attribution)(?: licen[cs]e)?(?:[ -](\d\.\d))?"
)
_ZERO = re.compile(r"\bcc[-_ ]?0\b|publicdomain/zero")

# How the text of a licence is known, for files that hold the whole of it.
_TEXTS = (
    ("Apache-2.0", "apache license"),
    ("MIT", "permission is hereby granted, free of charge"),
    ("BSD", "redistribution and use in source and binary forms"),
    ("AGPL", "gnu affero general public license"),
    ("LGPL", "gnu lesser general public license"),
    ("GPL", "gnu general public license"),
    ("ODbL", "open database license"),
    ("CDLA", "community data license agreement"),
)
_LINE = re.compile(r"^\W*licen[cs]e\W*:\W*(\S.*)$", re.I | re.M)
_LONGEST = 80


def licence_name(text: str) -> str:
    """One name for a licence however it is written; what is not known stays as it is.

    Parameters
    ----------
    text : str
        A name, an SPDX identifier, an address, or a sentence that holds one of them.

    Notes
    -----
    Source: the addresses and abbreviations that Creative Commons gives its licences.

    Examples
    --------
    >>> licence_name("http://creativecommons.org/licenses/by-nc-sa/2.0/"), licence_name("cc-by-4.0")
    ('CC BY-NC-SA 2.0', 'CC BY 4.0')
    >>> licence_name("Attribution-NonCommercial License"), licence_name("apache-2.0")
    ('CC BY-NC', 'apache-2.0')
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _LONGEST]).split())
    found = _creative_commons(plain.lower())
    return found or (plain if len(plain) <= _LONGEST else plain[: _LONGEST - 3] + "...")


def _creative_commons(lower: str) -> str:
    if _ZERO.search(lower):
        return "CC0 1.0"
    if match := _CC_ADDRESS.search(lower):
        parts, version = match[1], match[2]
    elif match := _CC_WORDS.search(lower):
        parts, version = "by" + re.sub("[_ ]", "-", match[1]), match[2]
    elif match := _CC_TITLE.search(lower):
        words = (("nc", "commercial"), ("sa", "alike"), ("nd", "deriv"))
        parts = "-".join(["by", *(short for short, word in words if word in (match[1] or ""))])
        version = match[2]
    else:
        return ""
    return f"CC {parts.upper()}" + (f" {version}" if version else "")


def restrictions(name: str) -> tuple[str, ...]:
    """What a licence keeps from whoever uses an image: non-commercial, no-derivatives, reserved, unknown.

    Examples
    --------
    >>> restrictions("CC BY-NC-ND 4.0"), restrictions("unknown"), restrictions("MIT")
    (('non-commercial', 'no-derivatives'), ('unknown',), ())
    """
    lower = name.lower()
    told = (
        ("non-commercial", r"\bnc\b|non-? ?commercial|research (use )?only"),
        ("no-derivatives", r"\bnd\b|no-? ?deriv"),
        ("reserved", r"all rights reserved"),
    )
    found = tuple(kind for kind, pattern in told if re.search(pattern, lower))
    return found or (("unknown",) if lower in _UNKNOWN or lower.endswith(EXPLAINS_NOTHING) else ())


def licence_in(text: str, *, whole: bool) -> str:
    r"""The one licence that a text names; empty where there is none, or there are several.

    Parameters
    ----------
    text : str
    whole : bool
        Whether the text is about the licence, as a LICENSE file is; a README has to say it in its head, or in a line
        of its own, for it may speak of licences of other things.

    Examples
    --------
    >>> licence_in("---\nlicense: cc-by-nc-4.0\n---\n# Cells", whole=False)
    'CC BY-NC 4.0'
    >>> licence_in("All photos: https://creativecommons.org/licenses/by/2.0/", whole=True)
    'CC BY 2.0'
    """
    return _card(text) or (_the_one(text) if whole else "")


def _card(text: str) -> str:
    """The licence in the head of a dataset card (``license:`` between two lines of ``---``), or in a line of its own.

    Source: the metadata of dataset cards on the Hugging Face Hub. Several are joined; nothing else is read of YAML.
    """
    head = re.match(r"---\s*\n(.*?)\n---\s*(?:\n|$)", text, re.S)
    if head is not None:
        names = []
        for key in ("license_name", "license"):
            match = re.search(rf"^{key}:[ \t]*(.*(?:\n[ \t]*- .*)*)", head[1], re.M)
            words = [] if match is None else re.split(r"[\n,]", match[1].strip().strip("[]"))
            names = [word.strip().strip("-").strip().strip("'\"") for word in words]
            names = [licence_name(name) for name in names if name.lower() not in NOTHING]
            if names:
                return " and ".join(names)
        return ""
    lines = {licence_name(match.strip(" *_.\r")) for match in _LINE.findall(text)}
    # One name, and not a sentence that says where to read on.
    line = lines.pop() if len(lines) == 1 else ""
    return "" if line.count(" ") > 3 or re.search(r"\b(see|file|below)\b|\[", line, re.I) else line


def _the_one(text: str) -> str:
    """The licence whose text this is, or that alone is named; empty where there are none or several."""
    lower = " ".join(text.lower().split())
    known = [name for name, words in _TEXTS if words in lower]
    # The other licences of the GNU family speak of the general one.
    known = known[:1] if known and known[0].endswith("GPL") else known
    patterns = (_CC_ADDRESS, _CC_WORDS, _CC_TITLE, _ZERO)
    commons = {_creative_commons(match[0]) for pattern in patterns for match in pattern.finditer(lower)}
    named = {n for n in commons if not any(other != n and other.startswith(f"{n} ") for other in commons)}
    named.update(known)
    return named.pop() if len(named) == 1 else ""
