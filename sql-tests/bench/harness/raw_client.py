"""A client that reads what a server sends as fast as it comes, and looks at the end of it only. No driver is as quick."""

import re
import socket
import struct

BUFFER_BYTES = 1 << 20
# CommandComplete and ReadyForQuery, the end of every answer.
END = re.compile(rb"C\0\0\0.SELECT (\d+)\0Z\0\0\0\x05I\Z", re.DOTALL)
END_BYTES_MAX = 256
KEY = re.compile(rb"K\0\0\0\x0c(.{8})", re.DOTALL)
CANCEL_REQUEST = 1234 << 16 | 5678


class RawClient:
    """A connection without TLS, of somebody who needs no password."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.buffer = bytearray(BUFFER_BYTES)
        self.tail = b""
        names = b"user\0%b\0database\0%b\0\0" % (server.user.encode(), server.database.encode())
        self.socket.sendall(struct.pack("!ii", 8 + len(names), 3 << 16) + names)
        while not self.tail.endswith(b"Z\0\0\0\5I"):
            self.receive(BUFFER_BYTES)
        self.address = self.socket.getpeername()
        # BackendKeyData: the number of the session, and what a cancel request has to know.
        self.key = KEY.search(self.tail)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, query, binary):
        """Sends a query, by the extended protocol if the rows are to be binary."""
        self.tail = b""
        text = query.encode() + b"\0"
        if not binary:
            self.socket.sendall(message(b"Q", text))
            return
        parse = message(b"P", b"\0" + text + b"\0\0")
        bind = message(b"B", b"\0\0" + struct.pack("!hhhh", 0, 0, 1, 1))
        self.socket.sendall(parse + bind + message(b"E", b"\0" + struct.pack("!i", 0)) + message(b"S", b""))

    def receive(self, bytes_max):
        """Takes some of what has come, and keeps the end of it."""
        length = self.socket.recv_into(self.buffer, min(bytes_max, BUFFER_BYTES))
        if not length:
            raise RuntimeError("the server has closed the connection")
        self.tail = (self.tail + bytes(self.buffer[max(length - END_BYTES_MAX, 0):length]))[-END_BYTES_MAX:]

    def discard(self, query, binary):
        """Runs a query; returns the number of rows that the server says it has sent."""
        self.ask(query, binary)
        while (rows := self.rows_at_end()) is None:
            if self.tail.endswith(b"Z\0\0\0\5I"):
                raise RuntimeError(f"the query ends otherwise than with rows: {self.tail!r}")
            self.receive(BUFFER_BYTES)
        return rows

    def cancel(self):
        """Asks the server to end what it does for this connection."""
        with socket.create_connection(self.address) as other:
            other.sendall(struct.pack("!ii", 16, CANCEL_REQUEST) + self.key)
            other.recv(1)

    def discard_until_error(self):
        """Takes what is still on its way; returns the end of it."""
        while not self.tail.endswith(b"Z\0\0\0\5I"):
            self.receive(BUFFER_BYTES)
        return self.tail

    def rows_at_end(self):
        """The number of rows that the server says it has sent, when the answer is complete."""
        end = END.search(self.tail)
        return int(end[1]) if end else None


def message(kind, body):
    return kind + struct.pack("!i", 4 + len(body)) + body
