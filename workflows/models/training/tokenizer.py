"""Byte-pair encoding with a small vocabulary of our own, in the form of CLIP's vocabulary file.

The text of the file: a header line, then one merge a line, two symbols and a space between. Ids: 256 bytes, the same
256 ending a word, one for each merge, start of text, end of text. Captions are plain ASCII words and commas; that is
all that this tokenizer reads. The C++ one reads any text with the same file.
"""

import re

import draw
from clip_text import POSITIONS

HEADER = "#version: refrain-drawn-captions"
END_OF_WORD = "</w>"


def words_of_captions():
    """Every word that a caption can have, sorted."""
    phrases = [*draw.SHAPES, *map(draw.plural, draw.SHAPES), *draw.COLOURS, *draw.BACKGROUNDS, *draw.RADII,
               *draw.PLACES, *draw.COUNTS, "a", "and", "on", "background", ","]
    return sorted({word for phrase in phrases for word in phrase.split()})


def merges_for(words):
    """Merges, most frequent first, that make one token of each word."""
    spelled = {word: [*word[:-1], word[-1] + END_OF_WORD] for word in words}
    merges = []
    while True:
        counts = {}
        for symbols in spelled.values():
            for pair in zip(symbols, symbols[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            return merges
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        spelled = {word: merged(symbols, best) for word, symbols in spelled.items()}


def merged(symbols, pair):
    """The symbols with every occurrence of the pair put together."""
    result = []
    for symbol in symbols:
        if result and (result[-1], symbol) == pair:
            result[-1] += symbol
        else:
            result.append(symbol)
    return result


class Tokenizer:
    """Captions to the ids of 77 tokens."""

    def __init__(self):
        self.merges = merges_for(words_of_captions())
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        symbols = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(256 - len(printable))]
        symbols += [symbol + END_OF_WORD for symbol in symbols] + ["".join(pair) for pair in self.merges]
        self.ids = {symbol: n for n, symbol in enumerate(symbols)}
        self.start, self.end = len(symbols), len(symbols) + 1
        self.size = len(symbols) + 2

    def text(self):
        """The vocabulary as the checkpoint carries it."""
        return "\n".join([HEADER, *(" ".join(pair) for pair in self.merges)]) + "\n"

    def word(self, word):
        """Ids of one word."""
        symbols = [*word[:-1], word[-1] + END_OF_WORD]
        for pair in self.merges:
            symbols = merged(symbols, pair)
        return [self.ids[symbol] for symbol in symbols]

    def encode(self, text):
        """Start, the words, and the end as often as there is room: 77 ids."""
        ids = [n for word in re.findall(r"[a-z]+|[^\sa-z]+", text.lower()) for n in self.word(word)]
        ids = [self.start, *ids[:POSITIONS - 2]]
        return ids + [self.end] * (POSITIONS - len(ids))
