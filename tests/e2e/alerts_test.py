"""The alert rules, evaluated by promtool over what a real run said at its moments."""
import os
import re
import shutil
import subprocess
import tempfile

import harness
import yaml
from harness import SOURCE, location, wait_for
from serve_test import ServeTest

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
HOLD = 20  # minutes for which each moment lasts


class Alerts(ServeTest):
    def setUp(self):
        super().setUp()
        self.moments = []

    def scrape(self, server):
        """All series, as a server of Prometheus would have them. Times count from the first scrape on, for
        promtool's begin in 1970."""
        text = server.get("/metrics")[2]
        series = {'up{instance="a", job="caravel"}': 1.0}
        for name, labels, value in SAMPLE.findall(text):
            series[f'{name}{{{labels + ", " if labels else ""}instance="a", job="caravel"}}'] = float(value)
        begin = getattr(self, "begin", None)
        for name, value in series.items():
            if "_timestamp_seconds" in name:
                self.begin = begin = begin or value
                series[name] = value - begin + HOLD * 60 * len(self.moments)
        self.moments.append(series)

    def firing(self):
        """The alerts at the end of each moment, as promtool finds them."""
        names = sorted(set().union(*self.moments))
        series = [{"series": name, "values": " ".join(
            f"{moment[name]}x{HOLD - 1}" if name in moment else f"_x{HOLD}" for moment in self.moments)}
            for name in names]
        out = []
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(os.path.join(SOURCE, "etc/monitoring/caravel.rules.yml"), folder)
            for number in range(len(self.moments)):
                test = {"rule_files": ["caravel.rules.yml"], "evaluation_interval": "1m", "tests": [{
                    "interval": "1m", "input_series": series, "promql_expr_test": [{
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": f"{HOLD * (number + 1) - 1}m", "exp_samples": [{"labels": '{a="what is so"}', "value": 7}]}]}]}
                with open(os.path.join(folder, "test.yml"), "w", encoding="utf-8") as file:
                    yaml.safe_dump(test, file)
                # It cannot be asked but by a wrong expectation, which it answers with what it got.
                said = subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=folder, capture_output=True,
                                      text=True, check=False)
                said = said.stdout + said.stderr
                self.assertIn("got:", said)
                out.append(sorted(re.findall(r'alertname="(\w+)"', said.split("got:")[1])))
        return out

    def test_what_happens_alerts_and_what_is_settled_does_not(self):
        host = self.host()
        host.start()
        host.drop(location(1) + location(2), "good-2012-03-09.log")
        host.wait_until_ended(1)
        server = self.serve(host)

        def scrape_once(what, is_so):
            wait_for(what, lambda: is_so(server.get("/metrics")[2]))
            self.scrape(server)
        scrape_once("quiet", lambda text: "\ncaravel_health 0\n" in text)
        host.drop("".join(f"{number} is no line of the log\n" for number in range(30)), "bad-2012-03-09.log")
        host.wait_until_ended(2)
        scrape_once("a failure", lambda text: 'caravel_open_failures{feed="hrt"} 1' in text)
        host.run("ack", "--all", expect=0)
        scrape_once("its end", lambda text: "\ncaravel_health 0\n" in text)
        host.kill()
        # The last sign of life was hours ago, as the lock file's time says.
        at = os.stat(host.path("spool/.lock")).st_mtime - 4 * 3600
        os.utime(host.path("spool/.lock"), (at, at))
        scrape_once("nobody", lambda text: "\ncaravel_watched 0\n" in text and "\ncaravel_ready 0\n" in text)
        self.assertEqual([[], ["CaravelFailures"], [], ["CaravelNotWatched"]], self.firing())


if __name__ == "__main__":
    harness.main()
