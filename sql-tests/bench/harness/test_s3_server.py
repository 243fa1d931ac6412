"""The S3 server must serve and count right, or what is said of requests and bytes is wrong. `--smoke` runs this first."""

import re
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from .s3_server import BUCKET, S3Server


class Serving(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for day in range(3):
            for hour in range(4):
                path = Path(folder.name) / f"t/day={day}/hour={hour}/a b.txt"
                path.parent.mkdir(parents=True)
                path.write_text("0123456789")
        # As much of a Parquet file as matters: a footer of four bytes.
        (Path(folder.name) / "p.parquet").write_bytes(b"data" * 5 + b"foot" + (4).to_bytes(4, "little") + b"PAR1")
        self.server = S3Server(folder.name, 0.0)
        self.addCleanup(self.server.close)

    def ask(self, key, method="GET", body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.server.endpoint}/{BUCKET}{key}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def listed(self, query):
        """Keys and prefixes of all pages."""
        found, token = [], ""
        while True:
            _, _, page = self.ask(f"?list-type=2&{query}{token}")
            found += re.findall(r"<(?:Key|CommonPrefixes><Prefix)>(.*?)<", page)
            if not (more := re.search("<NextContinuationToken>(.*?)<", page)):
                return found
            token = f"&continuation-token={urllib.parse.quote(more[1])}"

    def test_listings(self):
        days = ["t/day=0/", "t/day=1/", "t/day=2/"]
        for size in (1, 2, 1000):
            self.assertEqual(self.listed(f"prefix=t/&delimiter=/&max-keys={size}"), days)
            self.assertEqual(len(self.listed(f"prefix=t/&max-keys={size}")), 12)
            self.assertEqual(self.listed(f"prefix=t/day=1/hour=2/&max-keys={size}"), ["t/day=1/hour=2/a b.txt"])
            self.assertEqual(self.listed(f"delimiter=/&max-keys={size}"), ["p.parquet", "t/"])
        self.assertEqual(len(self.listed("prefix=t/&start-after=t/day=0/hour=3/a%20b.txt")), 8)

    def test_ranges(self):
        key = "/t/day=0/hour=0/a%20b.txt"
        for asked, text in [("bytes=2-4", "234"), ("bytes=7-", "789"), ("bytes=-2", "89"), ("bytes=8-20", "89")]:
            status, headers, body = self.ask(key, Range=asked)
            self.assertEqual((status, body), (206, text))
            self.assertEqual(headers["Content-Length"], str(len(text)))
        self.assertEqual(self.ask(key, Range="bytes=10-")[0], 416)
        self.assertEqual(self.ask(key)[2], "0123456789")

    def test_conditions(self):
        key = "/t/day=0/hour=0/a%20b.txt"
        tag = self.ask(key, "HEAD")[1]["ETag"]
        self.assertEqual(self.ask(key, If_Match=tag)[0], 200)
        self.assertEqual(self.ask(key, If_Match='"other"')[0], 412)
        self.assertEqual(self.ask(key, If_None_Match=tag)[0], 304)

    def test_what_is_put(self):
        self.assertEqual(self.ask("/t/new", "PUT", b"new")[0], 200)
        self.assertEqual(self.ask("/t/new", "PUT", b"newer", If_None_Match="*")[0], 412)
        self.assertEqual(self.ask("/t/new")[2], "new")
        self.assertIn("t/new", self.listed("prefix=t/"))
        self.assertEqual(self.ask("/t/new", "DELETE")[0], 204)
        self.assertEqual(self.ask("/t/new")[0], 404)

    def test_counts(self):
        self.server.counts()
        self.ask("/p.parquet", Range="bytes=0-19")
        self.ask("/p.parquet", Range="bytes=-8")
        self.ask("/p.parquet", "HEAD")
        self.ask("?list-type=2")
        self.ask("/none")
        expected = {"GET": 2, "HEAD": 1, "LIST": 1, "PUT": 0, "DELETE": 0, "refused": 1, "footers": 1, "objects": 1, "bytes": 28}
        self.assertEqual(self.server.counts(), expected)
        self.assertEqual(set(self.server.counts().values()), {0})
