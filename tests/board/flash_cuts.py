"""Ways in which the power fails during one flash operation, made from what the
flash held before it and what it held after it (docs/design.md, Tests)."""

# Chances of a bit of a sector whose erase was cut to read 1.
BIT_CHANCES = (1, 2, 4, 6, 7)


def changed_bytes(before, after):
    """Where the two differ, lowest first; quick where they hardly do."""
    found, step = [], 256
    for at in range(0, len(before), step):
        if before[at:at + step] != after[at:at + step]:
            found += [i for i in range(at, min(at + step, len(before)))
                      if before[i] != after[i]]
    return found


def is_erase(before, after, changed):
    return any(after[i] & ~before[i] for i in changed)


def some_bits(old, new, random):
    """Some of the bits that differ have the new value."""
    return old ^ ((old ^ new) & random.getrandbits(8))


class Operation:
    """One program or erase: what it was, and images of how it may end."""

    def __init__(self, before, after, sector_size):
        self.before, self.after = before, after
        self.changed = changed_bytes(before, after)
        self.erase = is_erase(before, after, self.changed)
        self.sector = self.changed[0] // sector_size
        first = self.sector * sector_size
        self.range = range(first, first + sector_size)
        if self.changed[-1] not in self.range:
            raise ValueError("one operation changed two sectors")

    def unclear(self):
        """The range of the sector, where what a cut leaves looks like lost data:
        an erase's may be anything; an entry that ends with its sector and lacks
        bits of its last word has no erased bytes behind it that would show that
        it was never whole. None: elsewhere."""
        ends_sector = self.changed[-1] // 4 == (self.range.stop - 1) // 4
        return self.range if self.erase or ends_sector else None

    def ways(self):
        return ("nothing", "part", "half", "noise") if self.erase else \
            ("nothing", "part", "bits")

    def image(self, way, random):
        image = bytearray(self.before)
        getattr(self, f"{'erase' if self.erase else 'program'}_{way}")(
            image, random)
        return bytes(image)

    def program_nothing(self, image, random):
        """The power fails before it."""

    erase_nothing = program_nothing

    def program_part(self, image, random):
        """Some first bytes, and some bits of the next."""
        count = random.randrange(len(self.changed))
        for i in self.changed[:count]:
            image[i] = self.after[i]
        torn = self.changed[count]
        image[torn] = some_bits(self.before[torn], self.after[torn], random)

    def program_bits(self, image, random):
        """Some of the bits of one word, anywhere in it; what lies before it is
        programmed."""
        word = random.choice(self.changed) // 4
        for i in self.changed:
            if i // 4 < word:
                image[i] = self.after[i]
            elif i // 4 == word:
                image[i] = some_bits(self.before[i], self.after[i], random)

    def erase_part(self, image, random):
        """A prefix of the sector is erased."""
        stop = random.randrange(self.range.start + 1, self.range.stop)
        for i in range(self.range.start, stop):
            image[i] = self.after[i]

    def erase_half(self, image, random):
        """Some of the bits that were 0 are 1."""
        self.raise_bits(image, random, lambda i: image[i])

    def erase_noise(self, image, random):
        """Every bit is what it is."""
        self.raise_bits(image, random, lambda i: 0)

    def raise_bits(self, image, random, kept):
        chance = random.choice(BIT_CHANCES)
        for i in self.range:
            ones = sum((random.random() * 8 < chance) << bit
                       for bit in range(8))
            image[i] = kept(i) | ones
