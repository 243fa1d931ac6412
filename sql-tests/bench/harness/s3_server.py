"""An S3 server over a local folder that takes its time and counts what it is asked for, in a process of its own.

`S3Server` starts it. It has one bucket and knows the requests of readers (ListObjectsV2, HEAD, GET with Range, If-Match and
If-None-Match), and PUT and DELETE, which change what it holds in memory and never the folder. Whoever asks may do so: it
looks at no signature. A GET that touches a Parquet file's footer counts as such, besides. What it counts is at `/-/counts`.
"""

import argparse
import bisect
import collections
import email.utils
import hashlib
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

BUCKET = "bench"
KINDS = ["GET", "HEAD", "LIST", "PUT", "DELETE", "refused", "footers", "objects", "bytes"]
KEYS_PER_PAGE = 1000
AFTER_ALL = "\U0010ffff"
PIECE_BYTES = 1 << 20
REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 304: "Not Modified", 404: "Not Found",
           405: "Method Not Allowed", 412: "Precondition Failed", 416: "Range Not Satisfiable"}


class S3Server:
    """Starts and asks it. `delay` is how many seconds pass until it begins to answer."""

    def __init__(self, folder, delay):
        command = [sys.executable, "-m", __name__, str(folder), "--delay", str(delay)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.endpoint = self.process.stdout.readline().strip()
        if not self.endpoint:
            raise RuntimeError("the S3 server has not started")
        self.location = f"s3://{BUCKET}"

    def counts(self):
        """What it was asked for since the last time: requests by kind, objects that were read, and their bytes."""
        with urllib.request.urlopen(f"{self.endpoint}/-/counts") as answer:
            return json.load(answer)

    def close(self):
        self.process.terminate()
        self.process.communicate()


class Objects:
    """What is in the bucket: the files of a folder, and what was put there since."""

    def __init__(self, folder):
        self.held = {}
        for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
            self.held[path.relative_to(folder).as_posix()] = FileObject(path)
        self.keys = sorted(self.held)
        self.lock = threading.Lock()

    def get(self, key):
        return self.held.get(key)

    def put(self, key, body):
        with self.lock:
            if key not in self.held:
                bisect.insort(self.keys, key)
            self.held[key] = MemoryObject(body)

    def delete(self, key):
        with self.lock:
            if self.held.pop(key, None):
                self.keys.remove(key)

    def page(self, prefix, delimiter, after, count):
        """Some keys and common prefixes in their order, and the last of them if there are more."""
        with self.lock:
            entries, keys = [], self.keys
            place = max(bisect.bisect_left(keys, prefix), bisect.bisect_right(keys, after))
            if delimiter and after.endswith(delimiter) and len(after) > len(prefix):
                place = bisect.bisect_left(keys, after + AFTER_ALL)
            while place < len(keys) and keys[place].startswith(prefix):
                if len(entries) == count:
                    return entries, entries[-1][0]
                key = keys[place]
                end = key.find(delimiter, len(prefix)) if delimiter else -1
                if end < 0:
                    entries.append((key, self.held[key]))
                    place += 1
                else:
                    common = key[:end + len(delimiter)]
                    entries.append((common, None))
                    place = bisect.bisect_left(keys, common + AFTER_ALL)
            return entries, None


class FileObject:
    """An object that is a file."""

    def __init__(self, path):
        status = path.stat()
        self.path, self.size, self.changed = path, status.st_size, status.st_mtime
        self.tag = tag(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
        self.footer = self.size
        if path.suffix == ".parquet":
            with open(path, "rb") as file:
                file.seek(-8, os.SEEK_END)
                self.footer = self.size - 8 - int.from_bytes(file.read(4), "little")

    def send(self, connection, first, count):
        with open(self.path, "rb") as file:
            while count:
                sent = os.sendfile(connection.fileno(), file.fileno(), first, min(count, PIECE_BYTES))
                first, count = first + sent, count - sent
                if not sent:
                    raise ConnectionError("the file has become shorter")


class MemoryObject:
    """An object that was put."""

    def __init__(self, body):
        self.body, self.size, self.footer, self.changed, self.tag = body, len(body), len(body), time.time(), tag(body)

    def send(self, connection, first, count):
        connection.sendall(self.body[first:first + count])


def tag(content):
    return f'"{hashlib.md5(content).hexdigest()}"'


class Counts:
    """Requests since somebody has looked."""

    def __init__(self):
        self.lock, self.numbers, self.read = threading.Lock(), collections.Counter(), set()

    def add(self, **numbers):
        with self.lock:
            self.numbers.update(numbers)

    def add_read(self, key, item, first, count):
        with self.lock:
            self.numbers.update({"bytes": count, "footers": first + count > item.footer})
            self.read.add(key)

    def take(self):
        with self.lock:
            self.numbers["objects"] = len(self.read)
            taken = {kind: self.numbers[kind] for kind in KINDS}
            self.numbers.clear()
            self.read.clear()
        return taken


class Connection(socketserver.StreamRequestHandler):
    """Answers the requests of one connection, one after the other."""

    disable_nagle_algorithm = True

    def handle(self):
        try:
            while line := self.rfile.readline():
                method, target, _ = line.decode().split(" ", 2)
                headers = {}
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    name, value = line.decode("latin-1").split(":", 1)
                    headers[name.lower()] = value.strip()
                body = self.rfile.read(int(headers.get("content-length", 0)))
                self.request_of(method, target, headers, body)
        except OSError:
            # The client has gone, as it may.
            pass

    def request_of(self, method, target, headers, body):
        server = self.server
        url = urllib.parse.urlsplit(target)
        if url.path == "/-/counts":
            self.answer(200, {}, json.dumps(server.counts.take()).encode())
            return
        time.sleep(server.delay)
        bucket, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        item = server.objects.get(key)
        if bucket != BUCKET:
            self.refuse(404, "NoSuchBucket")
        elif not key and method in ("GET", "HEAD"):
            server.counts.add(**{"LIST" if method == "GET" else "HEAD": 1})
            self.answer(200, {"Content-Type": "application/xml"}, self.listing(url.query) if method == "GET" else b"")
        elif method == "PUT" and key:
            if item and headers.get("if-none-match") == "*":
                self.refuse(412, "PreconditionFailed")
                return
            server.counts.add(PUT=1)
            server.objects.put(key, body)
            self.answer(200, {"ETag": server.objects.get(key).tag})
        elif method == "DELETE" and key:
            server.counts.add(DELETE=1)
            server.objects.delete(key)
            self.answer(204, {})
        elif method not in ("GET", "HEAD"):
            self.refuse(405, "MethodNotAllowed")
        elif not item:
            self.refuse(404, "NoSuchKey", method)
        else:
            self.read(method, key, item, headers)

    def read(self, method, key, item, headers):
        server = self.server
        server.counts.add(**{method: 1})
        described = {
            "ETag": item.tag, "Last-Modified": email.utils.formatdate(item.changed, usegmt=True), "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        if headers.get("if-match", item.tag) not in (item.tag, "*"):
            self.answer(412, described)
            return
        if headers.get("if-none-match") in (item.tag, "*"):
            self.answer(304, described)
            return
        status, first, last = 200, 0, item.size - 1
        if asked := re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", "")):
            first, last = range_of(asked[1], asked[2], item.size)
            if first > last:
                self.answer(416, {"Content-Range": f"bytes */{item.size}"})
                return
            status, described["Content-Range"] = 206, f"bytes {first}-{last}/{item.size}"
        count = last - first + 1
        self.answer(status, {**described, "Content-Length": count})
        if method == "GET":
            # Before the bytes are on their way, so that whoever has them finds them counted.
            server.counts.add_read(key, item, first, count)
            item.send(self.connection, first, count)

    def listing(self, query):
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if "location" in asked:
            return b"<LocationConstraint>us-east-1</LocationConstraint>"
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        after = asked.get("continuation-token") or asked.get("start-after", "")
        count = min(int(asked.get("max-keys", KEYS_PER_PAGE)), KEYS_PER_PAGE)
        entries, more = self.server.objects.page(prefix, delimiter, after, count)
        written = urllib.parse.quote if asked.get("encoding-type") == "url" else escape
        lines = [f"<Name>{BUCKET}</Name><Prefix>{written(prefix)}</Prefix><KeyCount>{len(entries)}</KeyCount>",
                 f"<MaxKeys>{count}</MaxKeys><IsTruncated>{str(more is not None).lower()}</IsTruncated>"]
        if more is not None:
            lines.append(f"<NextContinuationToken>{escape(more)}</NextContinuationToken>")
        for key, item in entries:
            if item is None:
                lines.append(f"<CommonPrefixes><Prefix>{written(key)}</Prefix></CommonPrefixes>")
            else:
                changed = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(item.changed))
                lines.append(f"<Contents><Key>{written(key)}</Key><LastModified>{changed}</LastModified><ETag>{escape(item.tag)}"
                             f"</ETag><Size>{item.size}</Size><StorageClass>STANDARD</StorageClass></Contents>")
        result = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{"".join(lines)}</ListBucketResult>'
        return ('<?xml version="1.0" encoding="UTF-8"?>' + result).encode()

    def refuse(self, status, code, method="GET"):
        self.server.counts.add(refused=1)
        body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'.encode()
        self.answer(status, {"Content-Type": "application/xml"}, b"" if method == "HEAD" else body)

    def answer(self, status, headers, body=b""):
        headers = {**({} if status in (204, 304) else {"Content-Length": len(body)}), **headers}
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", *[f"{name}: {value}" for name, value in headers.items()], "", ""]
        self.connection.sendall("\r\n".join(lines).encode("latin-1") + body)


def range_of(first, last, size):
    """The first and the last byte that are meant; without a first, the last so many."""
    if not first:
        return max(size - int(last or 0), 0), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


class Listener(socketserver.ThreadingTCPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 512


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    with Listener(("127.0.0.1", 0), Connection) as listener:
        listener.objects, listener.counts, listener.delay = Objects(options.folder), Counts(), options.delay
        print(f"http://127.0.0.1:{listener.server_address[1]}", flush=True)
        listener.serve_forever()


if __name__ == "__main__":
    main()
