"""The fields and filters of PubMed's and PMC's ESearch that figray asks by, each with where it is stated to exist.

No machine of the project reaches the services. `figray check` asks them; the synthetic PMC knows these and no others.
"""

from collections.abc import Iterable

# Field by its full name as EInfo lists it, in small letters -> where it is stated.
FIELDS: dict[str, dict[str, str]] = {
    "pmc": {
        "figure/table caption": "PMC help, search fields; used by PubMed-Ophtha's collector",
        "filter": "PMC help, search fields",
    },
    "pubmed": {
        "publication type": "PubMed help, publication types [pt]",
        "filter": "PubMed help, filters",
        "title/abstract": "PubMed help, search field tags",
        "mesh terms": "PubMed help, search field tags",
    },
}
TAGS = {"pt": "publication type", "tiab": "title/abstract", "mh": "mesh terms", "sb": "filter"}  # PubMed's short names
FILTERS: dict[str, dict[str, str]] = {
    "pmc": {
        "open_access": "README of the bucket pmc-oa-opendata",
        "author_manuscript": "README of the bucket pmc-oa-opendata",
        "cc0_license": "README of the bucket pmc-oa-opendata",
        "cc_by_license": "README of the bucket pmc-oa-opendata",
        "cc_by-sa_license": "README of the bucket pmc-oa-opendata",
        "cc_by-nd_license": "README of the bucket pmc-oa-opendata",
        "cc_by-nc_license": "README of the bucket pmc-oa-opendata",
        "cc_by-nc-sa_license": "README of the bucket pmc-oa-opendata",
        "cc_by-nc-nd_license": "README of the bucket pmc-oa-opendata",
    },
    "pubmed": {"pubmed pmc open access": "PubMed help, subsets; a collector tried in August 2026"},
}
PUBLICATION_TYPES = {"case reports": "PubMed help, publication types"}
# A licence in the spelling of `select.licences` -> PMC's filter, and Europe PMC's word.
LICENCES = {
    "CC0": ("cc0_license", "cc0"),
    "CC BY": ("cc_by_license", "cc by"),
    "CC BY-SA": ("cc_by-sa_license", "cc by-sa"),
    "CC BY-ND": ("cc_by-nd_license", "cc by-nd"),
    "CC BY-NC": ("cc_by-nc_license", "cc by-nc"),
    "CC BY-NC-SA": ("cc_by-nc-sa_license", "cc by-nc-sa"),
    "CC BY-NC-ND": ("cc_by-nc-nd_license", "cc by-nc-nd"),
}


def advice(db: str, unknown: Iterable[str]) -> str:
    """What to do about names that ESearch did not know."""
    if db == "pmc" and any("case report" in name.lower() for name in unknown):
        return (
            "PMC has no filter for case reports. Leave source.query away and say source.index=pubmed, the default: "
            'PubMed has "case reports"[pt]; or say source.index=pmc, and the type is read in each article'
        )
    return f"`figray check` says which fields and filters {db} has; source.query is a query of your own"
