"""What a site's decoder learns from: its own dictionary instead of the starter's nouns.

The starter's teacher says what a picture shows given what the classifier answered; here it is asked
about the nouns of one site, and its prior is the site's. A noun's frequency T in the dictionary
counts fully, P(n | answer, site) ~ P(n | answer) T(n), just as upstream's training texts name a
noun T times; how common the word is in general still decides between names of one thing. Nouns
that WordNet does not know as things ("smartphone") have the answers that their text is near to.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from novic.bundle import Bundle, load_bundle, save_bundle
from novic.embedder import Vectors
from novic.embedders.starter import StarterEmbedder
from novic.tokens import NounTokens
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.wordnet import WordNet
from training.distilling.distil import DistilConfig
from training.distilling.starter import STEPS, Dictionary, Report, measure, train_decoder
from training.distilling.teacher import (
    FREQUENCY,
    TRAIT_WEIGHTS,
    Teacher,
    expected_answers,
    teacher_of,
)
from training.texts.nouns import Noun, choose_nouns, given_noun, hypernym_nouns
from training.texts.templates import TEMPLATES, fill_templates

TEXT_SHARPNESS = 18.0
"""Of these nouns' answers. With it the answers that 600 nouns of known meanings get from their text
agree best with those from their meanings: the mean of log (a . a'), -4.90; at 14 and 24 -4.96 and
-5.01."""


LEAST_STEPS = 500


def site_material(
    wordnet: WordNet,
    dictionary: ObjectDictionary,
    tokens: NounTokens,
    embed: Callable[[Sequence[str]], Vectors],
) -> Dictionary:
    """A site's nouns with everything that is computed from text.

    Args:
        wordnet: Where meanings come from.
        dictionary: The site's nouns.
        tokens: The same nouns as tokens of the embedder.
        embed: Texts to unit vectors float32 [N, F].

    Raises:
        EmbedderError: If the text model is missing.
    """
    nouns = site_nouns(wordnet, dictionary)
    texts = embed(fill_templates(dictionary.targets))
    texts = texts.reshape(len(nouns), len(TEMPLATES), -1)
    kinds = {noun: tuple(kinds) for noun, kinds in hypernym_nouns(wordnet, nouns).items()}
    # The first template is the bare noun.
    return Dictionary(nouns, tokens, kinds, np.ascontiguousarray(texts[:, 0]), texts)


def site_nouns(wordnet: WordNet, dictionary: ObjectDictionary) -> list[Noun]:
    """The dictionary's nouns with their meanings, which none may have, in its order.

    Nouns of the starter have the meanings that were chosen for it.
    """
    chosen = {noun.text: noun for noun in choose_nouns(wordnet, set(dictionary.targets))}
    return [
        chosen.get(entry.target_noun)
        or given_noun(wordnet, entry.target_noun, (entry.target_noun, *_spellings(entry)))
        for entry in dictionary.entries
    ]


def site_teacher(
    wordnet: WordNet, material: Dictionary, frequencies: Sequence[int], class_vectors: Vectors
) -> Teacher:
    """The teacher of a site, on the CPU.

    Args:
        wordnet: Where meanings come from.
        material: The site's nouns.
        frequencies: Of these in the site's dictionary, at least 1.
        class_vectors: Text vectors of the ImageNet classes [1000, F].
    """
    nouns, vectors = material.nouns, material.noun_vectors
    answers = text_answers(vectors, class_vectors)
    known = [place for place, noun in enumerate(nouns) if noun.senses]
    if known:
        answers[known] = expected_answers(wordnet, [nouns[place] for place in known])
    general = teacher_of(wordnet, nouns, answers, vectors, class_vectors)
    log_site = torch.tensor(frequencies, dtype=torch.float32).log()
    traits = general.traits.clone()
    traits[:, TRAIT_WEIGHTS.index(FREQUENCY)] += log_site / FREQUENCY
    return replace(general, traits=traits, log_drawn=log_site)


def usual_steps(nouns: int) -> int:
    """Steps that a dictionary is trained for: one for two nouns, from LEAST_STEPS to STEPS.

    The starter's 2,000 steps are one for less than four of its nouns; small dictionaries would
    see too few simulated answers that way.
    """
    return min(max(nouns // 2, LEAST_STEPS), STEPS)


def train_site(
    material: Dictionary,
    teacher: Teacher,
    config: DistilConfig,
    work: Path,
    report: Report = lambda *_: None,
) -> Bundle:
    """Train and measure a site's decoder for the `starter` embedder.

    Args:
        material: The site's nouns.
        teacher: Theirs, on the device of the training.
        config: Length, strength and seed.
        work: Folder of the checkpoint, from which a stopped run goes on, and of the bundle that is
            measured.
        report: Told of progress; if it raises KeyboardInterrupt between steps, the checkpoint is
            written first.

    Returns:
        The decoder with its metrics; provenance and frequencies are left to the caller.

    Raises:
        DistilError: If the folder holds the checkpoint of another run.
        TrainingStopped: On Ctrl-C during training, after the checkpoint is written.
    """
    decoder = train_decoder(material, teacher, config, work / "checkpoint.safetensors", report)
    bundle = Bundle(
        decoder,
        material.tokens,
        StarterEmbedder.spec,
        preprocessing={"templates": list(TEMPLATES)},
        hypernyms=material.hypernyms,
    )
    # Measured as saved, so that the figures hold for the rounded weights.
    save_bundle(work / "bundle", bundle)
    rounded = load_bundle(work / "bundle", teacher.answers.device)
    metrics = measure(rounded, material.texts, teacher.to(torch.device("cpu")), report)
    return replace(bundle, metrics=metrics)


def text_answers(noun_vectors: Vectors, class_vectors: Vectors) -> Tensor:
    """Answers expected for nouns of unknown meaning: P(c | n) ~ exp(TEXT_SHARPNESS cos(n, c)).

    Args:
        noun_vectors: Text vectors of the nouns, unit length [N, F].
        class_vectors: And of the classes [K, F].

    Returns:
        Rows that sum to 1 [N, K].
    """
    near = torch.from_numpy(noun_vectors @ class_vectors.T)
    return torch.softmax(TEXT_SHARPNESS * near, dim=1)


def _spellings(entry: NounEntry) -> Sequence[str]:
    return entry.singulars or entry.plurals
