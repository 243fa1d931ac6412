"""Lets peers do the same work, one after the other, so that a slow minute of the machine hits all of them."""

from . import answers
from .peers import OverLimit, Samples


def rotated(peers, round_):
    """The peers in the order of a round: nobody is always the first."""
    start = round_ % len(peers)
    return peers[start:] + peers[:start]


def measure(results, peers, name, statement, rounds, whole=None):
    """Runs a query once to warm up and compare, then in rounds. The last peer's answer is the reference.

    `statement` is one text, or a text for each peer's name where their dialects differ. A peer that fails is left out; one
    that goes over its limit is not asked again. `whole` is the statement without its LIMIT, which may leave open which of
    the rows that tie are shown: where answers differ, those to `whole` decide.
    """
    text = (lambda peer: statement) if isinstance(statement, str) else (lambda peer: statement[peer.name])
    able, shown, samples = [], {}, {}
    for peer in peers:
        samples[peer.name] = Samples()
        if sampled(results, name, peer, text(peer), samples) and not samples[peer.name].over_limit:
            able.append(peer)
            shown[peer.name] = peer.rows()
            samples[peer.name] = Samples()
    for peer in able[:-1]:
        reference = able[-1]
        different = answers.difference(shown[peer.name], shown[reference.name], peer.absolute)
        if different and whole and len(shown[peer.name]) == len(shown[reference.name]):
            different = difference_of_whole(peer, reference, whole)
        if different:
            results.wrong(f"{name}: {peer.name} and {reference.name} differ: {different}")
    for round_ in range(rounds):
        for peer in rotated(able, round_) if able else []:
            if not sampled(results, name, peer, text(peer), samples):
                able.remove(peer)
    if samples:
        results.times(name, samples)


def sampled(results, name, peer, statement, samples):
    """Whether the peer has a sample more; one that fails has none at all."""
    try:
        peer.sample(statement, samples[peer.name])
        return True
    except Exception as error:
        results.fail(f"{name}: {peer.name}: {str(error).splitlines()[0]}")
        del samples[peer.name]
        return False


def difference_of_whole(one, other, statement):
    """The first difference between two peers' answers, in words, or None."""
    rows = {}
    for peer in (one, other):
        try:
            peer.execute(statement)
        except OverLimit:
            peer.give_up()
            return f"and without LIMIT {peer.name} has no answer in time"
        except Exception as error:
            return f"and without LIMIT {peer.name} fails: {error}"
        rows[peer.name] = peer.rows()
    return answers.difference(rows[one.name], rows[other.name], one.absolute)
