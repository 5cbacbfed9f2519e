"""From a seed to the faults, in their order: the same seed gives the same plan."""

import random
from dataclasses import dataclass

from faults import KINDS

SHARE_OVERLAPPING = 0.2


@dataclass
class Planned:
    number: int
    kind: str
    target: str          # of the kind's targets
    seconds: float       # from going wrong to being mended
    amount: float        # 0 to 1: how much, where a kind knows more or less
    pause_s: float       # before it
    overlaps: bool       # it begins while the one before it lasts

    def __str__(self):
        beside = " beside it" if self.overlaps else ""
        return f"{self.number:3} {self.kind:24} {self.target:18} {self.seconds:4.1f} s{beside}"


def plan(seed, count, names, is_short):
    """count faults of these kinds: first one of each, then by weight."""
    chance = random.Random(f"boxoffice {seed}")
    faults = []
    deck = []
    targets = {}
    while len(faults) < count:
        if not deck:
            deck = [name for name in names for _ in range(KINDS[name].weight if faults else 1)]
            chance.shuffle(deck)
        kind = KINDS[deck.pop()]
        if not targets.get(kind.name):
            targets[kind.name] = chance.sample(kind.targets, len(kind.targets))
        least, most = kind.seconds
        one = Planned(len(faults) + 1, kind.name, targets[kind.name].pop(),
                      round(chance.uniform(least, least + 0.5 if is_short else most), 1), round(chance.random(), 2),
                      round(chance.uniform(0.1, 0.3 if is_short else 1.0), 1), False)
        overlaps = chance.random() < SHARE_OVERLAPPING
        if faults and overlaps and not faults[-1].overlaps and not is_short:
            one.overlaps = KINDS[faults[-1].kind].meets(faults[-1].target).isdisjoint(kind.meets(one.target))
        faults.append(one)
    return faults
