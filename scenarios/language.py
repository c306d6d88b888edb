"""Whether a text is English, told by its small words.

Raters and noun dictionaries speak English, so a description in another language would be rated
badly without a word. Small words (articles, prepositions, auxiliaries) make up a third of any
running text and differ between languages, so counting them is enough for a sentence; a text whose
letters are mostly not ASCII is not English whatever its words.
"""

import re

MOST_NON_ASCII = 0.2
"""Share of letters; French and German texts have about 0.05, Cyrillic and Chinese ones 1."""

LONG = 10
"""Words from which an English text has small words for sure; a shorter one may be just nouns
("furniture warehouse loading dock")."""

_SMALL_WORDS = {
    "English": "the a an of in on at to and or with without from for by is are was were be been "
    "being has have that this these those which where when whose there their its it no not all any "
    "as into through throughout over under between near such other more some every each only also",
    "German": "der die das den dem des ein eine einen einem einer eines und oder mit ohne von vom "
    "zu zum zur für auf aus bei im in an am ist sind war wird werden hat haben nicht kein keine "
    "alle allen sich als auch nach über unter zwischen wo wie durch",
    "French": "le la les un une des du de et ou avec sans pour par dans sur sous au aux est sont "
    "était qui que dont où ce cette ces il elle ne pas tous toutes en se son sa ses plus entre",
    "Spanish": "el la los las un una unos unas de del y o con sin para por en al es son está están "
    "que se su sus no todos todas como más entre donde",
    "Italian": "il lo la gli le un uno una di del della dei delle e o con senza per da dal in nel "
    "nella su è sono che si non tutti tutte come più tra dove al alla",
    "Portuguese": "o a os as um uma uns umas de do da dos das e ou com sem para por em no na nos "
    "nas é são que se não todos todas como mais entre onde ao",
    "Dutch": "de het een en of met zonder van voor in op uit bij aan is zijn was wordt worden niet "
    "geen alle die dat deze waar als ook naar over onder tussen door te",
    "Swedish, Danish or Norwegian": "och og i på en ett et av af med utan uden uten för for til "
    "till från fra är er som att at den det de inte ikke alla alle där der hvor ved vid om",
    "Polish": "i w na z ze do od dla po przez jest są nie się to który która które gdzie oraz lub "
    "bez przy pod nad jak wszystkie",
    "Czech": "a v ve na z ze do od pro po je jsou není se to který která které kde nebo bez při "
    "pod nad jak všechny",
    "Finnish": "ja on ei se joka jossa että tai kun kaikki ovat sekä myös ilman kanssa",
    "Hungarian": "a az egy és vagy van nem hogy amely ahol minden is meg ki be",
    "Turkish": "ve bir bu ile için da de olan olarak tüm veya gibi içinde",
    "Romanian": "un o și sau cu fără de la în pe din este sunt care nu se toate unde",
    "Latin": "et in ad cum ex de est sunt non qui quae quod ut per sed",
}
_SMALL = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}


def why_not_english(text: str) -> str:
    """What speaks against a text being English.

    Returns:
        The end of a sentence that starts with what the text is; empty if it may be English.
    """
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return "holds no word"
    if sum(not letter.isascii() for letter in letters) > MOST_NON_ASCII * len(letters):
        return "is not English, by its letters"
    words = re.findall(r"[^\W\d_]+", text)
    # Capital ones of other languages are mostly of names: Los Angeles, La Guardia.
    counts = {name: sum(word in small for word in words) for name, small in _SMALL.items()}
    del counts["English"]
    english = sum(word.lower() in _SMALL["English"] for word in words)
    other = max(counts, key=counts.__getitem__)
    if counts[other] > english:
        return f"looks {other}, not English"
    if not english and len(words) >= LONG:
        return "does not look English"
    return ""
