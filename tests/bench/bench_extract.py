"""Big extracts, quickly: a generated piece repeated, with another date (and vehicle series) each time,
so that no two lines are equal and row ids ascend."""
import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../oracle"))
import generate_spysocket  # noqa: E402


def write_extract(path, min_bytes, piece_lines=20000):
    """Writes at least `min_bytes` (whole pieces) to `path`; returns the bytes written."""
    piece = generate_spysocket.Generator(1, "spysocket", 0).extract(piece_lines)
    first = datetime.date(2012, 1, 1)
    written = 0
    with open(path, "wb") as file:
        repetition = 0
        while written < min_bytes:
            series, day = divmod(repetition, 366)
            date = first + datetime.timedelta(days=day)
            made = piece.replace(b"03/09", f"{date:%m/%d}".encode())
            if series:
                made = made.replace(b"V.1.", f"V.{series + 1}.".encode())
            file.write(made)
            written += len(made)
            repetition += 1
    return written
