"""What one tried point showed."""
import dataclasses

COLUMNS = ("tried", "lost", "doubled", "invented", "hangs", "hot loops", "sanitizer", "other")


@dataclasses.dataclass
class Verdict:
    """Counts per column of the table; the sentences say what was seen."""
    counts: dict = dataclasses.field(default_factory=dict)
    sentences: list = dataclasses.field(default_factory=list)
    tried: int = 1

    def add(self, column, count, sentence):
        if count:
            self.counts[column] = self.counts.get(column, 0) + count
            self.sentences.append(f"{column}: {sentence}")

    def merge(self, other):
        for column, count in other.counts.items():
            self.counts[column] = self.counts.get(column, 0) + count
        self.sentences += other.sentences

    def bad(self):
        return bool(self.sentences)


MARKS = ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "Assertion",
         "terminate called", "LeakSanitizer")


def look_for_reports(verdict, messages):
    """Sanitizers' reports, failed assertions and uncaught exceptions in what a program said."""
    try:
        with open(messages, "rb") as file:
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        if any(mark in line for mark in MARKS):
            verdict.add("sanitizer", 1, line[:300])


def judge_ending(verdict, ending, what):
    """A run may not hang, nor die of anything but our own signals."""
    if ending.how == "hang":
        verdict.add("hangs", 1, f"{what} did not end ({ending.wall_ms} ms)")
    elif ending.how == "gone":
        verdict.add("other", 1, f"{what}: the injector died")
    elif ending.how == "signaled" and ending.code != 15:
        verdict.add("sanitizer" if ending.code in (4, 6, 7, 8, 11) else "other", 1,
                    f"{what} died of signal {ending.code}")
