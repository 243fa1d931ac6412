"""Lets peers do the same work, one after the other, so that a slow minute of the machine hits all of them."""

from . import answers
from .peers import Samples


def rotated(peers, round_):
    """The peers in the order of a round: nobody is always the first."""
    start = round_ % len(peers)
    return peers[start:] + peers[:start]


def measure(results, peers, name, statement, rounds):
    """Runs a query once to warm up and compare, then in rounds. The last peer's answer is the reference.

    `statement` is one text, or a text for each peer's name where their dialects differ. A peer that fails is left out.
    """
    text = (lambda peer: statement) if isinstance(statement, str) else (lambda peer: statement[peer.name])
    able, shown = [], {}
    for peer in peers:
        try:
            peer.execute(text(peer))
        except Exception as error:
            results.fail(f"{name}: {peer.name}: {str(error).splitlines()[0]}")
            continue
        able.append(peer)
        shown[peer.name] = peer.rows()
    for peer in able[:-1]:
        reference = able[-1].name
        if different := answers.difference(shown[peer.name], shown[reference]):
            results.wrong(f"{name}: {peer.name} and {reference} differ: {different}")
    samples = {peer.name: Samples() for peer in able}
    for round_ in range(rounds):
        for peer in rotated(able, round_):
            peer.sample(text(peer), samples[peer.name])
    if able:
        results.times(name, samples)
