"""The static site of scripts/site: every link leads somewhere, and nothing is loaded from elsewhere.

    site_test.py SOURCE_DIR
"""
import html.parser
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".")


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.names, self.links, self.loads, self.tags = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        if "id" in attributes:
            self.names.add(attributes["id"])
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        for name in ("src", "srcset", "data", "poster"):
            if name in attributes:
                self.loads.append(attributes[name])
        if tag == "link":
            self.loads.append(attributes["href"])
        if tag == "img":
            assert attributes.get("alt"), "a picture without words"


class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        subprocess.run([f"{SOURCE}/scripts/site", cls.folder], check=True)
        cls.pages = {}
        for place, _, names in os.walk(cls.folder):
            for name in names:
                if name.endswith(".html"):
                    path = os.path.join(place, name)
                    with open(path, encoding="utf-8") as file:
                        cls.pages[path] = Page(file.read())

    def test_there_is_a_page_for_each_source(self):
        self.assertIn(f"{self.folder}/index.html", self.pages)
        for name in os.listdir(f"{SOURCE}/docs"):
            if name.endswith(".md"):
                self.assertIn(f"{self.folder}/docs/{name[:-3]}.html", self.pages)

    def test_every_link_leads_somewhere(self):
        for path, page in self.pages.items():
            for link in page.links:
                if link.startswith("https://"):
                    continue
                file, _, name = link.partition("#")
                target = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
                with self.subTest(page=os.path.relpath(path, self.folder), link=link):
                    self.assertTrue(os.path.isfile(target))
                    if name:
                        self.assertIn(name, self.pages[target].names)

    def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(self):
        for path, page in self.pages.items():
            with self.subTest(page=os.path.relpath(path, self.folder)):
                self.assertEqual(set(page.tags) & {"script", "iframe", "object", "embed", "base"}, set())
                for load in page.loads:
                    self.assertTrue(os.path.isfile(os.path.normpath(os.path.join(os.path.dirname(path), load))), load)
        with open(f"{self.folder}/style.css", encoding="utf-8") as file:
            style = file.read()
        for word in ("url(", "@import", "http"):
            self.assertNotIn(word, style)

    def test_the_package_has_it(self):
        with open(f"{SOURCE}/debian/rules", encoding="utf-8") as file:
            self.assertIn("scripts/site debian/caravel-doc/", file.read())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
