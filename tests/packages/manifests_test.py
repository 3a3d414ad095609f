#!/usr/bin/env python3
"""etc/kubernetes and etc/container: valid, fenced in, and with a configuration that the program takes.

    manifests_test.py CARAVEL SOURCE_DIR

Where the npm package kubernetes-models is (scripts/setup --packages puts it into build/kubernetes), each
object is held against the schema of Kubernetes' API too.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

CARAVEL, SOURCE = map(os.path.abspath, sys.argv[1:3])
MODELS = f"{SOURCE}/build/kubernetes/node_modules/kubernetes-models"
VALIDATE = """
const models = require(process.argv[1]);
for (const {path, object} of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
  const Kind = path.reduce((part, name) => part[name], models);
  try { new Kind(object).validate(); }
  catch (error) { console.error(object.kind + ': ' + error.message); process.exitCode = 1; }
}
"""


def objects():
    with open(f"{SOURCE}/etc/kubernetes/caravel.yaml", encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def one(kind):
    return next(thing for thing in objects() if thing["kind"] == kind)


class Manifests(unittest.TestCase):
    @unittest.skipUnless(os.path.isdir(MODELS), "kubernetes-models is not installed: scripts/setup --packages")
    def test_the_api_takes_them(self):
        asked = [{"path": thing["apiVersion"].split("/") + [thing["kind"]], "object": thing} for thing in objects()]
        done = subprocess.run(["node", "-e", VALIDATE, MODELS], input=json.dumps(asked), capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # The instrument sees a mistake.
        asked[-1]["object"]["spec"]["replicas"] = "one"
        done = subprocess.run(["node", "-e", VALIDATE, MODELS], input=json.dumps(asked), capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 1)

    def test_each_container_is_fenced_in_and_probed(self):
        pod = one("StatefulSet")["spec"]["template"]["spec"]
        self.assertTrue(pod["securityContext"]["runAsNonRoot"])
        for container in pod["containers"]:
            fence = container["securityContext"]
            self.assertTrue(fence["readOnlyRootFilesystem"])
            self.assertFalse(fence["allowPrivilegeEscalation"])
            self.assertEqual(fence["capabilities"], {"drop": ["ALL"]})
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertIn(probe, container)
            self.assertIn("memory", container["resources"]["limits"])

    def test_every_volume_is_there(self):
        state = one("StatefulSet")["spec"]
        there = {volume["name"] for volume in state["template"]["spec"]["volumes"]}
        there |= {claim["metadata"]["name"] for claim in state["volumeClaimTemplates"]}
        for container in state["template"]["spec"]["containers"]:
            self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, there)
        self.assertEqual(state["selector"]["matchLabels"], state["template"]["metadata"]["labels"])
        self.assertEqual(one("Service")["spec"]["selector"], state["selector"]["matchLabels"])

    def test_the_program_takes_the_configuration(self):
        state = one("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
        variables = {entry["name"]: entry["value"] for entry in state["env"]}
        with tempfile.TemporaryDirectory() as folder:
            text = one("ConfigMap")["data"]["caravel.yaml"]
            for place in ("/var/spool", "/var/lib", "/run/secrets"):
                text = text.replace(place, folder + place)
            os.makedirs(f"{folder}/run/secrets/caravel")
            with open(os.open(f"{folder}/run/secrets/caravel/couch.password", os.O_WRONLY | os.O_CREAT, 0o600), "w",
                      encoding="ascii") as file:
                file.write("secret\n")
            config = f"{folder}/caravel.yaml"
            with open(config, "w", encoding="utf-8") as file:
                file.write(text)
            # `status` opens no store: there is none here.
            done = subprocess.run([CARAVEL, "status", "--config", config], env={**os.environ, **variables},
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_versions_are_the_program_s(self):
        with open(f"{SOURCE}/CMakeLists.txt", encoding="utf-8") as file:
            version = re.search(r"VERSION (\S+)", file.read().split("project(caravel")[1])[1]
        for container in one("StatefulSet")["spec"]["template"]["spec"]["containers"]:
            self.assertEqual(container["image"], f"caravel:{version}")
        with open(f"{SOURCE}/debian/changelog", encoding="utf-8") as file:
            self.assertTrue(file.readline().startswith(f"caravel ({version}-"))


class Container(unittest.TestCase):
    def test_it_runs_without_rights_and_its_numbers_are_those_of_the_manifests(self):
        with open(f"{SOURCE}/etc/container/Containerfile", encoding="utf-8") as file:
            lines = [line for line in file.read().replace("\\\n", " ").splitlines() if not line.startswith("#")]
        steps = [line.split(" ", 1) for line in lines if line]
        self.assertEqual({step[0] for step in steps}, {"FROM", "RUN", "COPY", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL",
                                                       "HEALTHCHECK", "ENTRYPOINT", "CMD"})
        user = dict(steps)["USER"]
        context = one("StatefulSet")["spec"]["template"]["spec"]["securityContext"]
        self.assertEqual(user, f"{context['runAsUser']}:{context['runAsGroup']}")
        volumes = json.loads(dict(steps)["VOLUME"])
        mounted = one("StatefulSet")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
        self.assertLessEqual(set(volumes), {mount["mountPath"] for mount in mounted})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
