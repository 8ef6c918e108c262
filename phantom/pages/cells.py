"""A page divided into cells for panels: grids, uneven rows, cuts in turn, a large panel beside small ones."""

import numpy as np

Cell = tuple[int, int, int, int]  # left, top, right, bottom in pixels
Size = tuple[int, int]  # width, height in pixels
MOST = 20  # cells of a grid
LEAST = 44  # px of a cell's side
GAPS = (0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30)  # px between cells, at a long side of 448


def draw_cells(size: Size, rng: np.random.Generator) -> list[Cell]:
    """Two or more cells of a page (width, height), in reading order of their arrangement."""
    scale = max(size) / 448
    gaps = (round(scale * GAPS[rng.integers(len(GAPS))]), round(scale * GAPS[rng.integers(len(GAPS))]))
    if rng.random() < 0.75:
        gaps = (gaps[0], gaps[0])
    margin = int(rng.choice([0, 0, 0, gaps[0], round(4 * scale), round(12 * scale)]))
    page = (margin, margin, size[0] - margin, size[1] - margin)
    arrange = (_grid, _rows, _cut_in_turn, _large_beside_small)[rng.choice(4, p=[0.5, 0.24, 0.14, 0.12])]
    cells = [cell for cell in arrange(page, gaps, rng) if min(cell[2] - cell[0], cell[3] - cell[1]) >= LEAST // 2]
    return cells if len(cells) > 1 else _halves(page, gaps)


def _halves(page: Cell, gaps: tuple[int, int]) -> list[Cell]:
    axis = 0 if page[2] - page[0] >= page[3] - page[1] else 1
    return along(page, [1, 1], axis, gaps[axis])


def _grid(page: Cell, gaps: tuple[int, int], rng: np.random.Generator) -> list[Cell]:
    """Rows of equal cells; the last row may be short, from the left or in the middle."""
    width, height = page[2] - page[0], page[3] - page[1]
    most_columns, most_rows = max(1, min(6, width // LEAST)), max(1, min(6, height // LEAST))
    columns = min(most_columns, 1 + int(rng.geometric(0.5)))
    even = max(1, round(columns * height / width * float(rng.uniform(0.6, 1.5))))
    rows = min(most_rows, even if rng.random() < 0.8 else int(rng.integers(1, most_rows + 1)), MOST // columns)
    cells = [along(row, [1] * columns, 0, gaps[0]) for row in along(page, [1] * rows, 1, gaps[1])]
    short = int(rng.integers(1, columns)) if columns > 1 and rows > 1 and rng.random() < 0.25 else 0
    if short:
        last = cells[-1][: columns - short]
        moved = (page[2] - last[-1][2]) // 2 if rng.random() < 0.4 else 0
        cells[-1] = [(left + moved, top, right + moved, bottom) for left, top, right, bottom in last]
    return [cell for row in cells for cell in row]


def _rows(page: Cell, gaps: tuple[int, int], rng: np.random.Generator) -> list[Cell]:
    """Rows, or columns, of their own numbers and widths of cells."""
    axis = int(rng.random() < 0.3)  # along which the bands lie
    across = 1 - axis
    length, depth = page[2 + axis] - page[axis], page[2 + across] - page[across]
    bands = min(max(1, depth // LEAST), int(rng.integers(1, 5)))
    cells = []
    for band in along(page, list(rng.uniform(0.6, 1.5, bands)), across, gaps[across]):
        count = min(max(1, length // LEAST), int(rng.integers(1, 5)))
        cells += along(band, list(rng.uniform(0.6, 1.6, count)), axis, gaps[axis])
    return cells


def _cut_in_turn(page: Cell, gaps: tuple[int, int], rng: np.random.Generator) -> list[Cell]:
    """Cells cut in two, the longer side first, until they are as many as wanted."""
    cells, wanted = [page], int(rng.integers(2, 9))
    while len(cells) < wanted:
        largest = max(range(len(cells)), key=lambda k: (cells[k][2] - cells[k][0]) * (cells[k][3] - cells[k][1]))
        cell = cells.pop(largest)
        axis = 0 if cell[2] - cell[0] >= (cell[3] - cell[1]) * float(rng.uniform(0.7, 1.4)) else 1
        if cell[2 + axis] - cell[axis] < 2 * LEAST + gaps[axis]:
            return [*cells, cell]
        share = float(rng.uniform(0.35, 0.65))
        cells += along(cell, [share, 1 - share], axis, gaps[axis])
    return cells


def _large_beside_small(page: Cell, gaps: tuple[int, int], rng: np.random.Generator) -> list[Cell]:
    """One large cell with a column or row of small ones on either side."""
    axis = 0 if rng.random() < 0.65 else 1
    shares = [float(rng.uniform(1.2, 3.0)), 1.0]
    first = bool(rng.random() < 0.65)
    large, band = along(page, shares if first else shares[::-1], axis, gaps[axis])[:: 1 if first else -1]
    count = int(rng.integers(2, 5))
    small = along(band, [1] * count, 1 - axis, gaps[1 - axis])
    return [large, *small] if first else [*small, large]


def along(cell: Cell, shares: list[float] | list[int], axis: int, gap: int) -> list[Cell]:
    """A cell divided along an axis (0: side by side) into shares with gaps between."""
    length = cell[2 + axis] - cell[axis] - gap * (len(shares) - 1)
    ends = np.round(np.cumsum([0, *shares]) / sum(shares) * length).astype(int)
    parts = []
    for number in range(len(shares)):
        start = cell[axis] + int(ends[number]) + gap * number
        stop = cell[axis] + int(ends[number + 1]) + gap * number
        parts.append((start, cell[1], stop, cell[3]) if axis == 0 else (cell[0], start, cell[2], stop))
    return parts
