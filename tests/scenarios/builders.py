"""A small dictionary with the spellings that make trouble."""

from scenarios.dictionary import NounEntry, ObjectDictionary

AIRPLANE = NounEntry(
    20431,
    "airplane",
    "airplane",
    ("aeroplane", "airplane"),
    ("aeroplanes", "airplanes"),
    (5, 5),
    (1, 4),
)
DEER = NounEntry(7, "deer", "deer", ("deer",), ("deer",), (7,), (7,))
GLASS = NounEntry(11, "glass", "glass", ("glass",), ("glasses",), (8,), (4,))
GLASSES = NounEntry(12, "glasses", "glasses", (), ("glasses",), (), (6,))
SUV = NounEntry(3, "suv", "SUV", ("S.U.V.", "SUV", "suv"), (), (5, 5, 5), ())
X_RAY = NounEntry(0, "x ray machine", "X-ray machine", ("X-ray machine",), (), (1,), ())


def small_dictionary() -> ObjectDictionary:
    return ObjectDictionary((AIRPLANE, DEER, GLASS, GLASSES, SUV, X_RAY))
