"""What a class may be called, and which nouns of a model are right for it (novic_spec §9.1, §9.2).

A class name lists its synonyms, separated by commas: "tench, Tinca tinca". A noun is right for a
class if some dictionary entry has both it and a synonym among its spellings, so "aeroplanes" is
right for the class "airplane".
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from novic.json_files import read_json
from novic.vocabulary import sanitised
from scenarios.dictionary import ObjectDictionary
from training.evaluation.predictions import EvaluationError


def read_class_names(path: Path, image_set: str, classes: int) -> tuple[str, ...]:
    """Read names from a `cls_class_names_{clip|multi|guide}.json`: {dataset: [name of each class]}.

    Names of a file that ends in `_clip.json` are cleaned by `clip_class_name`.

    Args:
        path: The file.
        image_set: Name of the data set; only its letters and digits count, whatever their case.
        classes: How many names there must be.

    Raises:
        EvaluationError: If the file cannot be read or has no such list.
    """
    try:
        value = read_json(path)
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise EvaluationError(f"{path}: must be an object with a list of names per data set")
    found = {_plain(key): names for key, names in value.items()}
    wanted = _plain(image_set)
    # The validation pictures of ImageNet alone have the classes of all of ImageNet.
    names = found.get(wanted, found.get(wanted.removesuffix("val")))
    if names is None:
        raise EvaluationError(f"{path}: holds no data set '{image_set}', only {', '.join(value)}")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise EvaluationError(f"{path}: {image_set} must be a list of names")
    if len(names) != classes:
        raise EvaluationError(
            f"{path}: {image_set} has {len(names)} names, but the pictures are of {classes} classes"
        )
    return tuple(clip_class_name(name) if path.stem.endswith("_clip") else name for name in names)


def clip_class_name(name: str) -> str:
    """Clean a class name of CLIP's lists, which are made for prompts.

    "crane (bird)" → "crane", "T-shirt / top" → "T-shirt", "vaulted or arched ceiling" → "vaulted
    ceiling", "red wolf or maned wolf" → "red wolf", "bell or wind chime" → "chime".
    """
    bare = re.sub(r"\s*[(\[][^)\]]*[)\]]", "", name).split("/")[0].strip()
    if bare == "bell or wind chime":
        return "chime"
    first, _, second = bare.partition(" or ")
    _, _, rest = second.partition(" ")
    # One adjective or another before the same noun; else two whole names.
    return f"{first} {rest}" if rest and " " not in first else first


def accepted_nouns(
    classes: Sequence[str], nouns: Iterable[str], dictionary: ObjectDictionary | None = None
) -> list[frozenset[str]]:
    """The nouns of a model that are right for each class.

    Args:
        classes: A name per class, its synonyms separated by commas.
        nouns: The model's vocabulary.
        dictionary: All of it, whatever part the model learnt; without one, a noun is right only if
            it is spelt as one of the synonyms.

    Returns:
        For each class its nouns; a class without any can never be right.
    """
    meant: defaultdict[int | str, set[str]] = defaultdict(set)
    for noun in nouns:
        for meaning in _meanings(noun, dictionary):
            meant[meaning].add(noun)

    def accepted(name: str) -> frozenset[str]:
        parts = [part for part in name.split(",") if part.strip()]
        meanings = [meaning for part in parts for meaning in _meanings(part, dictionary)]
        return frozenset().union(*(meant.get(meaning, ()) for meaning in meanings))

    return [accepted(name) for name in classes]


def learnt_part(dictionary: ObjectDictionary, nouns: Iterable[str]) -> ObjectDictionary:
    """Only the entries whose nouns a model says: upstream's thresholded dictionary.

    Raises:
        EvaluationError: If it says none of them.
    """
    said = frozenset(nouns)
    entries = tuple(entry for entry in dictionary.entries if entry.target_noun in said)
    if not entries:
        raise EvaluationError("the dictionary has no noun of the model; name the model's own")
    return ObjectDictionary(entries)


def _meanings(text: str, dictionary: ObjectDictionary | None) -> list[int | str]:
    """The spelling itself and the ids of all dictionary entries that have it."""
    entries = dictionary.resolve(text) if dictionary else ()
    return [sanitised(text), *(entry.id for entry in entries)]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
