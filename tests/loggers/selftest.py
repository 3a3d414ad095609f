"""Whether the instruments of scripts/loggers see what they are there to see: each kind of harm is done
to lines by hand, and must be counted."""
import gzip
import os
import shutil
import tempfile
import unittest

from agent import SAYS_LOST, Arrivals
from kit import DOZEN
from lines import LINE_BYTES, Shape, line, on_disk
from matrix import all_loggers


def text(*numbers):
    return "".join(line(number) + "\n" for number in numbers).encode()


class Instruments(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="loggers-self.")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def extract(self, run, sequence, content, manifest=b"version=1\n"):
        name = f"app.log.host.{run}.{sequence:08}.log"
        self.write(name + ".manifest", manifest)
        self.write(name, content)

    def arrivals(self):
        arrivals = Arrivals(self.folder, Shape())
        self.assertTrue(arrivals.look())
        self.assertFalse(arrivals.look())
        return arrivals

    def test_a_piece_is_no_line_and_neither_are_two_pieces_of_different_lines(self):
        shape, whole, other = Shape(), line(123).encode(), line(124).encode()
        self.assertEqual(len(whole) + 1, LINE_BYTES)
        self.assertEqual(shape.number(whole), 123)
        self.assertEqual(shape.number(whole + b"\r"), 123)
        for cut in range(1, len(whole)):
            self.assertIsNone(shape.number(whole[:cut]))
            self.assertIsNone(shape.number(whole[cut:]))
        self.assertIsNone(shape.number(whole + other))
        self.assertIsNone(shape.number(whole[:30] + other[30:]))
        self.assertIsNone(shape.number(whole[:30] + other))

    def test_what_a_logger_adds_is_no_piece(self):
        shape = Shape("INFO %s", own="# begun on .*")
        self.assertEqual(shape.number(b"INFO " + line(7).encode()), 7)
        self.assertEqual(shape.number(b"# begun on Friday"), 0)
        self.assertIsNone(shape.number(line(7).encode()))

    def test_lines_on_the_disk_are_found_packed_linked_and_cut_in_two(self):
        self.write("app.log", text(9))
        self.write("old/app.log.1.gz", gzip.compress(text(1, 2)))
        self.write("@4000.s", gzip.compress(text(3)))  # packed, and not named so
        self.write("damaged.gz", gzip.compress(text(*range(100, 4000)))[:-2000])
        cut = text(4, 5)
        self.write("app.log.3", cut[:80])
        self.write("app.log.2", cut[80:] + text(6))
        self.write("app.log.0", line(7).encode())  # without an end
        os.link(os.path.join(self.folder, "app.log"), os.path.join(self.folder, "current"))
        os.symlink("app.log.0", os.path.join(self.folder, "link"))
        found = on_disk(self.folder, Shape())
        self.assertEqual({number for number in found if number < 100}, {1, 2, 3, 4, 5, 6, 7, 9})
        self.assertIn(100, found)
        self.assertNotIn(3999, found)

    def test_a_line_that_comes_twice_is_counted(self):
        self.extract("aaaaaaaa", 1, text(1, 2))
        self.extract("bbbbbbbb", 1, text(2, 3))
        arrivals = self.arrivals()
        self.assertEqual((arrivals.doubled(), sorted(arrivals.numbers)), (1, [1, 2, 3]))
        self.assertEqual(arrivals.steps_back(), 0)

    def test_steps_back_are_counted_within_a_run_and_over_extracts(self):
        self.extract("aaaaaaaa", 1, text(1, 3, 2, 5))
        self.extract("aaaaaaaa", 2, text(6, 7))
        self.extract("aaaaaaaa", 10, text(8))
        self.assertEqual(self.arrivals().steps_back(), 1)

    def test_pieces_are_counted_unless_their_manifest_says_what_they_are(self):
        self.extract("aaaaaaaa", 1, text(1)[:20] + b"\n" + text(2))
        self.assertEqual(self.arrivals().halves, 1)
        self.extract("aaaaaaaa", 2, text(3)[:20], b"version=1\nlines=0\n")
        self.extract("aaaaaaaa", 3, text(3)[20:], b"version=1\nlines=0\n")
        self.extract("bbbbbbbb", 1, text(5)[9:], b"version=1\nlines=0\n")
        self.extract("cccccccc", 1, text(4)[:9], b"version=1\nlines=0\n")
        self.extract("cccccccc", 2, text(5)[:9], b"version=1\nlines=0\n")
        arrivals = self.arrivals()
        self.assertEqual(arrivals.halves, 1)
        self.assertEqual(arrivals.pieces, {3, 5})
        self.assertNotIn(3, arrivals.numbers)

    def test_messages_of_the_start_say_nothing_of_lost_lines(self):
        self.assertIsNone(SAYS_LOST.search("caravel-tail: /logs/app.log: does not exist; waiting"))
        self.assertIsNone(SAYS_LOST.search("caravel-tail: /logs/app.log: is there now"))
        self.assertIsNotNone(SAYS_LOST.search("what had been appended since is lost, if there was any"))

    def test_every_set_up_has_a_name_of_its_own(self):
        names = [logger.name for logger in all_loggers()]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual(set(DOZEN), set(names))


if __name__ == "__main__":
    unittest.main(verbosity=2)
