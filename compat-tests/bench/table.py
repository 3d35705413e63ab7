"""Results: what a row found, how it stands to its bars, and the printed table."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Result:
    row: str
    what: str
    redis: str
    bowshock: str
    # Judged by the bars; None if the row could not be measured.
    figure: float | None
    # How the figure is shown, e.g. "0.52x" or "83 %".
    shown: str
    must: float | None
    moon: float | None
    unit: str = "x"
    at_least: bool = False
    # Anything but an empty text turns the verdict into "failed".
    failure: str = ""
    # All that was measured, for the JSON file.
    raw: dict = field(default_factory=dict)

    def verdict(self):
        if self.failure:
            return "failed: " + self.failure
        if self.figure is None:
            return "not measured"
        for name, bar in (("moon", self.moon), ("must", self.must)):
            if bar is not None and (self.figure >= bar if self.at_least else self.figure <= bar):
                return name
        return "BELOW MUST" if self.must is not None else "-"

    def bar(self, value):
        if value is None:
            return "-"
        return f"{'>=' if self.at_least else '<='} {value:g}{self.unit}"

    def as_json(self):
        return {
            "row": self.row, "what": self.what, "redis": self.redis, "bowshock": self.bowshock,
            "figure": self.figure, "unit": self.unit.strip(), "must": self.must, "moon": self.moon,
            "at_least": self.at_least, "verdict": self.verdict(), "raw": self.raw,
        }


def compared(row, what, redis, bowshock, must, moon, show, failure=""):
    """A row whose figure is the median of the ratios of measurements made in turn."""
    ratio = statistics.median(ours / theirs for theirs, ours in zip(redis, bowshock))
    return Result(
        row, what, show(statistics.median(redis)), show(statistics.median(bowshock)),
        ratio, f"{ratio:.2f}x", must, moon, failure=failure,
        raw={"redis": redis, "bowshock": bowshock},
    )


def microseconds(value):
    return f"{value:.3f} us"


def megabytes(value):
    return f"{value / (1 << 20):.1f} MB"


HEAD = ["row", "what", "redis", "bowshock", "ratio", "must", "moon", "verdict"]


def print_table(results):
    lines = [HEAD] + [
        [r.row, r.what, r.redis, r.bowshock, r.shown, r.bar(r.must), r.bar(r.moon), r.verdict()]
        for r in results
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD) - 1)]
    for number, line in enumerate(lines):
        print("| " + " | ".join([c.ljust(w) for c, w in zip(line, widths)] + [line[-1]]) + " |")
        if number == 0:
            print("|" + "|".join("-" * (w + 2) for w in widths) + "|---------|")
