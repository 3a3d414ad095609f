"""What zstd(1) packs: windows up to `max_window`, and files that cannot be taken are told why."""
import os
import subprocess

import harness
from harness import location


class Zstd(harness.HostTest):
    def pack(self, content, *options):
        """As from a pipe: only then the frame asks for the whole window that the options name."""
        return subprocess.run(["zstd", "-q", "-c", *options], input=content, capture_output=True,
                              check=True).stdout

    def host_with(self, setting):
        host = self.host()
        with open(host.config, "a", encoding="utf-8") as file:
            file.write(setting)
        return host

    def sweep(self, host, packed, name="a-2012-03-09.log.zst"):
        os.makedirs(host.path("spool/drop"), exist_ok=True)
        host.drop(packed, name)
        return host.run("sweep")

    def why(self, host, name="a-2012-03-09.log.zst"):
        with open(host.path("spool/failed", name + ".why"), encoding="utf-8") as file:
            return file.read()

    def test_windows_that_zstd_takes_unasked(self):
        host = self.host()
        lines = "".join(location(second) for second in range(100)).encode()
        for number, options in enumerate((["--long"], ["--long=27"], ["--ultra", "-22"])):
            packed = self.pack(lines.replace(b"V.1.100", b"V.1.%d" % number), *options)
            done = self.sweep(host, packed, f"a{number}-2012-03-09.log.zst")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(host.count(), 100 * (number + 1))

    def test_a_larger_window_is_named_and_may_be_granted(self):
        packed = self.pack(location(1).encode(), "--long=31")
        host = self.host()
        self.assertEqual(self.sweep(host, packed).returncode, 1)
        self.assertIn("needs a zstd window of more than 128.0 MiB (max_window): raise max_window", self.why(host))
        host = self.host_with("max_window: 2GiB\n")
        self.assertEqual(self.sweep(host, packed).returncode, 0)
        self.assertEqual(host.count(), 1)
        # `format` has the same limit.
        path = os.path.join(self.folder, "a.log.zst")
        with open(path, "wb") as file:
            file.write(packed)
        self.assertEqual(host.run("format", "--year", "2012", path).returncode, 0)
        self.assertIn("max_window", self.host().run("format", "--year", "2012", path, expect=1).stderr)

    def test_a_smaller_window_may_be_all_there_is(self):
        host = self.host_with("max_window: 1MiB\n")
        self.assertEqual(self.sweep(host, self.pack(location(1).encode(), "--long=21")).returncode, 1)
        self.assertIn("more than 1.0 MiB (max_window)", self.why(host))

    def test_a_missing_dictionary_is_named(self):
        samples = []
        for number in range(200):
            samples.append(os.path.join(self.folder, f"sample{number}"))
            with open(samples[-1], "w", encoding="ascii") as file:
                file.write("".join(location(number * 20 + second) for second in range(20)))
        dictionary = os.path.join(self.folder, "dictionary")
        subprocess.run(["zstd", "-q", "--train", "--maxdict=4096", *samples, "-o", dictionary], check=True)
        host = self.host()
        self.assertEqual(self.sweep(host, self.pack(location(1).encode(), "-D", dictionary)).returncode, 1)
        self.assertIn("needs the zstd dictionary that it was packed with", self.why(host))

    def test_frames_one_after_another(self):
        skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00xyz"
        host = self.host()
        packed = (skippable + self.pack(location(1).encode(), "--long=27") + skippable +
                  self.pack(location(2).encode()))
        self.assertEqual(self.sweep(host, packed).returncode, 0)
        self.assertEqual(host.count(), 2)


if __name__ == "__main__":
    harness.main()
