"""Statements that were recorded between real clients and a PostgreSQL, and sessions that run them.

A folder of recordings has a file CLIENT.jsonl for each client: a line about the client, then one for each statement, with
  sql            its text
  protocol       whether it came as a simple query or in the extended protocol
  params, param_formats, client_param_oids   what was bound, in the extended protocol
  describe       whether the extended protocol was asked for columns
  columns        the names and types that PostgreSQL answered with
  tags           the tags of its commands
  error          the fields of the error that PostgreSQL answered with
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import socket
import ssl
import struct

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
    """A session, as far as one needs it to see what statements answer."""

    def __init__(self, host, port, user, database, password="", tls=None):
        self.password = password
        self.is_extended = False
        # How the session stands to a transaction: I outside, T in one, E in one that has failed.
        self.status = "I"
        if host.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(SECONDS_MAX)
            self.socket.connect(f"{host}/.s.PGSQL.{port}")
        else:
            self.socket = socket.create_connection((host, port), timeout=SECONDS_MAX)
            if tls:
                self.encrypt(tls, host)
        self.stream = self.socket.makefile("rb")
        start = struct.pack(">I", 196608) + b"".join(
            text.encode() + b"\0" for text in ("user", user, "database", database)
        )
        self.socket.sendall(struct.pack(">I", len(start) + 5) + start + b"\0")
        self.answer()

    def encrypt(self, tls, host):
        self.socket.sendall(struct.pack(">II", 8, 80877103))
        if self.socket.recv(1) != b"S":
            raise ConnectionError("the server does not encrypt")
        self.socket = tls.wrap_socket(self.socket, server_hostname=host)

    def close(self):
        self.stream.close()
        self.socket.close()

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
            elif kind == b"I":
                tags.append("(empty)")
            elif kind == b"G":
                self.send(b"c")
                # While it waits for data the server takes no notice of the end of an extended query.
                if self.is_extended:
                    self.send(b"S")
            elif kind == b"E":
                fields = {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
                error = error or Refused(fields)
            elif kind == b"R":
                self.authenticate(struct.unpack(">I", body[:4])[0], body[4:])
            elif kind == b"Z":
                self.status = body.decode()
                if error:
                    raise error
                return columns, tags

    def authenticate(self, request, data):
        if request == 3:
            self.send(b"p", self.password.encode() + b"\0")
        elif request == 10:
            self.nonce = base64.b64encode(secrets.token_bytes(18)).decode()
            first = f"n,,n=,r={self.nonce}".encode()
            self.send(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", len(first)) + first)
        elif request == 11:
            self.send(b"p", self.scram_proof(data.decode()))
        elif request not in (0, 12):
            raise Refused({"C": "28000", "M": f"the server asks for authentication {request}"})

    def scram_proof(self, challenge):
        """The client's final message of SCRAM-SHA-256, RFC 5802."""
        fields = dict(field.split("=", 1) for field in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={fields['r']}"
        message = f"n=,r={self.nonce},{challenge},{final}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def simple(self, sql):
        self.is_extended = False
        self.send(b"Q", sql.encode() + b"\0")
        return self.answer()

    def run(self, statement, sql=None):
        """Runs a statement in the way in which it was recorded."""
        sql = sql or statement["sql"]
        if is_simple(statement):
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


def connect_by_environment():
    """A session with the server that the variables PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGSSLMODE and PGSSLROOTCERT name."""
    given = os.environ.get
    user = given("PGUSER", "thermocline")
    tls = None
    if given("PGSSLMODE", "disable") in ("require", "verify-ca", "verify-full"):
        tls = ssl.create_default_context(cafile=given("PGSSLROOTCERT"))
        tls.check_hostname = given("PGSSLMODE") == "verify-full"
        if not given("PGSSLROOTCERT"):
            tls.verify_mode = ssl.CERT_NONE
    host, port = given("PGHOST", "127.0.0.1"), int(given("PGPORT", "5432"))
    return Connection(host, port, user, given("PGDATABASE", user), given("PGPASSWORD", ""), tls)


def connect_by_address(address):
    """A session with the server at an address such as `host=127.0.0.1 port=5432 user=postgres dbname=postgres`."""
    parts = dict(part.split("=", 1) for part in address.split())
    return Connection(parts["host"], int(parts["port"]), parts["user"], parts["dbname"], parts.get("password", ""))


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


def is_simple(statement):
    return any(kind.startswith("simple") for kind in statement["protocol"])


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


def statements(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines[1:] if line["sql"].strip()]


def questions(path):
    """Those of a client's statements that ask for rows and change nothing."""
    return [
        it
        for it in statements(path)
        if it.get("columns") and not it.get("error") and re.match(r"\s*(SELECT|WITH)\b", it["sql"], re.IGNORECASE)
    ]
