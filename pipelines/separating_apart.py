"""Figures read by pipelines.separating in a process of its own; here stands only who asks, which loads nothing."""

from dataclasses import asdict, replace
from typing import Any

from core.apart import Apart
from core.records import Figure, Picture, SeparatedFigure, SplitCaption, Subfigure, arrow_schema, from_row
from core.settings import Config

GROUPS = ("separate", "labels", "captions", "match")  # of settings, that reading a figure depends on
Row = dict[str, Any]


class SeparatingApart:
    """Separating in a process of its own; raises RejectionError, with whatever went wrong as the figure's reason."""

    def __init__(self, config: Config) -> None:
        settings = config.model_dump(mode="json", include=set(GROUPS))
        seconds, gib = config.tables.item_seconds, config.tables.item_gib
        self._apart = Apart("pipelines.separating:serve", settings, seconds=seconds, gib=gib)

    def close(self) -> None:
        """End the processes that wait."""
        self._apart.close()

    def separated(self, figure: Figure) -> SeparatedFigure:
        """As of separating.Separating."""
        row = asdict(replace(figure, image=b""))
        found, _ = self._apart.ask({"figure": row | {"image": ""}}, figure.image)
        pictures = [each | {"thumbnail": each["thumbnail"].encode("latin-1")} for each in found["pictures"]]
        fields = {name: getattr(figure, name) for name in arrow_schema(Figure).names}
        return SeparatedFigure(
            **fields,
            subfigures=[from_row(each, Subfigure) for each in found["subfigures"]],
            split_caption=from_row(found["split_caption"], SplitCaption),
            pictures=[from_row(each, Picture) for each in pictures],
        )

    def row(self, name: str, caption: str | None, data: bytes) -> Row:
        """As of separating.Separating."""
        found, _ = self._apart.ask({"caption": caption}, data)
        for each in [*found["subfigures"], *found.get("pairs", [])]:  # JSON knows no tuples
            each["box"] = tuple(each["box"])
        return {**found, "image": name}
