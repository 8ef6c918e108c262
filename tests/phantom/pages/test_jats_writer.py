"""Articles as XML."""

import numpy as np

from phantom.pages.caption_styles import Caption
from phantom.pages.case import plan_case
from phantom.pages.jats_writer import FigureXml, GraphicXml, title_of, write_article
from pipelines.sources.jats import parse_article


def test_the_reader_sees_what_was_written() -> None:
    case = plan_case(0, 0)
    caption = Caption("bare", "Brain MRI.", ["<bold>a</bold> Axial T1.", "R, right."], [None])
    figure = FigureXml("f1", "Figure 1.", caption, [GraphicXml("gr1")])
    for seed in range(12):  # in the text or after it, with and without declaration, licence in three forms
        article = parse_article(write_article(case, [figure], np.random.default_rng(seed)), "PMC1.1")
        (found,) = article.figures
        assert found.caption == "Brain MRI. a Axial T1. R, right."
        assert [found.caption[span.start : span.end] for span in found.emphasis if span.kind == "bold"] == ["a"]
        assert [graphic.href for graphic in found.graphics] == ["gr1"]
        assert found.mentions and article.title == title_of(case)
