"""Runs statements that were recorded between real clients and a PostgreSQL, and tells which of them do not run or answer
with other columns: recorded.py FOLDER [--host HOST] [--port PORT] [--user USER] [--database DATABASE] [--recorded-database NAME]
        [--client NAME] [-v]

The folder has a file CLIENT.jsonl for each client: a line about the client, then one for each statement, with
  sql            its text
  protocol       whether it came as a simple query or in the extended protocol
  params, param_formats, client_param_oids   what was bound, in the extended protocol
  columns        the names and types that PostgreSQL answered with
  tags           the tags of its commands
  error          the error that PostgreSQL answered with; such statements are not run
"""

import argparse
import collections
import json
import pathlib
import re
import socket
import struct
import time

# From this number on, objects are the users' own, and have other numbers elsewhere.
FIRST_OF_USERS = 16384
# An answer that takes longer is none.
SECONDS_MAX = 30


class Refused(Exception):
    """An error that the server has answered with."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('C')} {fields.get('M')}")
        self.sqlstate = fields.get("C")


class Connection:
    """A session, as far as one needs it to see what columns statements have."""

    def __init__(self, host, port, user, database):
        self.socket = socket.create_connection((host, port), timeout=SECONDS_MAX)
        self.is_extended = False
        self.stream = self.socket.makefile("rb")
        start = struct.pack(">I", 196608) + b"".join(
            text.encode() + b"\0" for text in ("user", user, "database", database)
        )
        self.socket.sendall(struct.pack(">I", len(start) + 5) + start + b"\0")
        self.answer()

    def send(self, kind, body=b""):
        self.socket.sendall(kind + struct.pack(">I", len(body) + 4) + body)

    def answer(self):
        """What comes until the server is ready: the columns of each result, and the tags."""
        columns, tags, error = [], [], None
        while True:
            kind = self.stream.read(1)
            if not kind:
                if error:
                    raise error
                raise ConnectionError("the server has closed the connection")
            (length,) = struct.unpack(">I", self.stream.read(4))
            body = self.stream.read(length - 4)
            if kind == b"T":
                columns.append(described(body))
            elif kind == b"C":
                tags.append(body[:-1].decode())
            elif kind == b"G":
                self.send(b"c")
                # While it waits for data the server takes no notice of the end of an extended query.
                if self.is_extended:
                    self.send(b"S")
            elif kind == b"E":
                fields = {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
                error = error or Refused(fields)
            elif kind == b"R" and body[:4] != b"\0\0\0\0":
                raise Refused({"C": "28000", "M": "the server asks for a password"})
            elif kind == b"Z":
                if error:
                    raise error
                return columns, tags

    def simple(self, sql):
        self.is_extended = False
        self.send(b"Q", sql.encode() + b"\0")
        return self.answer()

    def run(self, statement, sql=None):
        """Runs a statement in the way in which it was recorded."""
        sql = sql or statement["sql"]
        if any(kind.startswith("simple") for kind in statement["protocol"]):
            return self.simple(sql)
        return self.extended(sql, *bound(statement))

    def extended(self, sql, types, values, formats):
        self.is_extended = True
        parse = b"\0" + sql.encode() + b"\0" + struct.pack(f">H{len(types)}I", len(types), *types)
        self.send(b"P", parse)
        self.send(b"D", b"S\0")
        bind = b"\0\0" + struct.pack(f">H{len(formats)}H", len(formats), *formats) + struct.pack(">H", len(values))
        for value in values:
            bind += struct.pack(">i", -1) if value is None else struct.pack(">I", len(value)) + value
        self.send(b"B", bind + b"\0\0")
        self.send(b"E", b"\0" + struct.pack(">I", 0))
        self.send(b"S")
        return self.answer()


def described(body):
    (count,) = struct.unpack(">H", body[:2])
    columns, at = [], 2
    for _ in range(count):
        end = body.index(b"\0", at)
        name = body[at:end].decode()
        _, _, oid, _, typmod, _ = struct.unpack(">IHIhiH", body[end + 1 : end + 19])
        columns.append((name, oid, typmod))
        at = end + 19
    return columns


def bound(statement):
    """The types, values and formats of a statement's parameters."""
    values = statement.get("params") or []
    formats = statement.get("param_formats") or []
    if len(formats) == 1:
        formats *= len(values)
    formats += [0] * (len(values) - len(formats))

    def raw(value, binary):
        if value is None:
            return None
        return bytes.fromhex(value[1:]) if binary and str(value).startswith("x") else str(value).encode()

    types = statement.get("client_param_oids") or []
    types = [oid if oid < FIRST_OF_USERS else 0 for oid in types]
    # What a driver has learnt from the server it declares here.
    types = types if any(types) else (statement.get("server_param_oids") or [])
    types = [oid if oid < FIRST_OF_USERS else 0 for oid in types]
    return types, [raw(value, binary) for value, binary in zip(values, formats)], formats[: len(values)]


def difference(statement, columns):
    """How the columns differ from those recorded."""
    recorded = statement.get("columns")
    if recorded is None or not columns:
        return None if bool(recorded) == bool(columns) else f"columns {recorded} recorded, {columns} here"
    here = columns[-1]
    if [column["name"] for column in recorded] != [name for name, _, _ in here]:
        return f"columns {[column['name'] for column in recorded]} recorded, {[name for name, _, _ in here]} here"
    for column, (name, oid, _) in zip(recorded, here):
        if column["oid"] != oid and max(column["oid"], oid) < FIRST_OF_USERS:
            return f"column {name} of type {column['oid']} recorded, {oid} here"
    return None


def statements(path):
    """A client's statements, but those that PostgreSQL has refused."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines[1:] if not line.get("error") and line["sql"].strip()]


def questions(path):
    """Those of a client's statements that ask for rows and change nothing."""
    return [it for it in statements(path) if it.get("columns") and re.match(r"\s*(SELECT|WITH)\b", it["sql"], re.IGNORECASE)]


def run_client(connect, path, rename):
    """Yields what became of each statement: its text, and what is wrong, if something is."""
    connection = connect()
    for statement in statements(path):
        sql = rename(statement["sql"])
        try:
            columns, _ = connection.run(statement, sql)
            wrong = difference(statement, columns)
        except Refused as refused:
            wrong = str(refused)
        except (ConnectionError, struct.error, OSError) as broken:
            wrong = f"the connection broke: {broken}"
            connection = connect()
        yield sql, wrong
        if wrong and not wrong.startswith("column"):
            # A failed transaction would hide what follows.
            connection = connect()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=5432)
    arguments.add_argument("--user", default="thermocline")
    arguments.add_argument("--database", default="thermocline")
    arguments.add_argument("--recorded-database", action="append", help="what the database was called there")
    arguments.add_argument("--client", action="append")
    arguments.add_argument("-v", "--verbose", action="store_true", help="print what is wrong with each statement")
    options = arguments.parse_args()

    def connect():
        return Connection(options.host, options.port, options.user, options.database)

    def rename(sql):
        for recorded in options.recorded_database or []:
            sql = re.sub(rf'(?<![\w.])("?){recorded}\1(?=\.)', options.database, sql)
        return sql

    total = collections.Counter()
    reasons = collections.Counter()
    for path in sorted(options.folder.glob("*.jsonl")):
        if options.client and path.stem not in options.client:
            continue
        counted, started = collections.Counter(), time.perf_counter()
        for sql, wrong in run_client(connect, path, rename):
            counted["wrong" if wrong else "right"] += 1
            if wrong:
                reasons[wrong[:140]] += 1
                if options.verbose:
                    print(f"-- {path.stem}: {wrong}\n{sql.strip()};\n")
        total += counted
        seconds = time.perf_counter() - started
        run = counted["right"] + counted["wrong"]
        print(f"{path.stem:28} {counted['right']:4} of {run:4} statements {seconds:7.2f} s")
    for reason, times in reasons.most_common(60 if not options.verbose else 0):
        print(f"{times:5}  {reason}")
    print(f"{total['right']} of {total['right'] + total['wrong']} statements run and answer with the recorded columns")


if __name__ == "__main__":
    main()
