"""The numbers that MedVL and the logs of its code publish, in percent, each with its place."""

METRICS = ("i2t@1", "i2t@10", "t2i@1", "t2i@10")
Key = tuple[str, str, str]  # scheme, stage, split


def _cells(*values: float) -> dict[str, float]:
    return dict(zip(METRICS, values, strict=True))


TABLE_1: dict[Key, dict[str, float]] = {  # MedVL, Table 1
    ("raw", "PT", "val"): _cells(18.04, 48.36, 21.51, 51.98),
    ("raw", "PT", "test"): _cells(17.37, 47.65, 19.58, 39.86),
    ("processed", "PT", "val"): _cells(36.9, 69.88, 38.4, 69.04),
    ("processed", "PT", "test"): _cells(36.94, 69.37, 37.40, 69.58),
    ("raw", "PT+FT", "val"): _cells(24.6, 60.47, 27.13, 59.14),
    ("raw", "PT+FT", "test"): _cells(24.45, 59.4, 26.1, 58.7),
    ("processed", "PT+FT", "val"): _cells(38.22, 72.09, 39.98, 69.56),
    ("processed", "PT+FT", "test"): _cells(36.52, 72.62, 36.38, 70.1),
}
# The rows PT+FT of Table 1 are those of logfiles/run8.log and run9.log but for one digit.
TABLE_1_POOL = (
    "MedVL's rows PT+FT are those of its code's logs, which retrieve among 2,849 (val) and 2,850 (test) whole figures; "
    "the pool of its rows PT is not stated. Its published numbers are of another corpus than the ones above them."
)

# logfiles/ret1.log to ret3.log, by scheme, pool and metric: models before fine-tuning, among 4,942 pairs; the mean of
# the two splits. The plot of Figure 3 has no printed numbers.
FIGURE_3_LOGS = {("processed", "pairs", "i2t@1"): {25: 10.1, 50: 16.9, 75: 24.8}}
