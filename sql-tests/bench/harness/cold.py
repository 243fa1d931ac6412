"""What a statement takes and reads when nothing of what it needs is in the server's caches."""

from . import processes
from .peers import Samples


def sampled(peer, sql, rounds=1):
    """Runs a statement in rounds, before each of which the peer forgets; returns its samples."""
    samples = Samples()
    for _ in range(rounds):
        peer.forget()
        peer.sample(sql, samples)
    return samples


def of_files(peer, sql, rounds=1):
    """The same, and the bytes that were read of local files in the last round."""
    samples = sampled(peer, sql, rounds - 1) if rounds > 1 else Samples()
    peer.forget()
    before = processes.bytes_read(peer.pid)
    peer.sample(sql, samples)
    return samples, processes.bytes_read(peer.pid) - before


def of_bucket(peer, store, sql):
    """The same of one round, and what the S3 server counted."""
    samples = Samples()
    peer.forget()
    store.counts()
    peer.sample(sql, samples)
    return samples, store.counts()
