"""Which nouns are words for one thing, by the commonest meaning of each that can be pictured.

python -m training.texts.synonyms    # writes novic/data/synonyms.json anew
"""

import json
from collections import defaultdict
from collections.abc import Iterable

from novic.synonyms import SYNONYMS_FILE
from scenarios.wordnet import read_wordnet
from training.texts.nouns import Noun, choose_nouns


def synonyms(nouns: Iterable[Noun]) -> list[list[str]]:
    """Groups of two nouns or more that mostly mean the same, all in alphabetical order."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for noun in nouns:
        meaning, _ = max(noun.senses, key=lambda sense: sense[1])
        found[meaning].append(noun.text)
    return sorted(sorted(words) for words in found.values() if len(words) > 1)


def main() -> None:
    """Write the file."""
    rows = [json.dumps(words) for words in synonyms(choose_nouns(read_wordnet()))]
    SYNONYMS_FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
