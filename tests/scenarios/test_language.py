"""English descriptions pass, short ones too; others are told."""

import pytest
import yaml

from scenarios.language import why_not_english
from scenarios.site import LIBRARY


@pytest.mark.parametrize("name", ["airbus", "nicol"])
def test_presets_are_english(name: str):
    text = yaml.safe_load((LIBRARY / name / "scenario.yaml").read_text())["description"]
    assert why_not_english(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Furniture warehouse",
        "furniture warehouse loading dock",
        "A hospital pharmacy.",
        "The platform of a small railway station in Zürich",
        "Café kitchen, seen from above",
        "Camera over the conveyor belt of a bottling plant in Poland",
        "Fish market hall; crates, ice, forklifts, hoses",
        "Dog shelter",
        "Laboratory no. 3",
        "An open-plan office in Málaga where 40 people work on weekdays",
        "Two cameras watch a car park near the sea",
        "Kindergarten playground in Berlin",
        "Inside a data center",
        "Los Angeles warehouse",
        "La Guardia airport terminal",
    ],
)
def test_english_passes(text: str):
    assert why_not_english(text) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Eine Kamera filmt alle Innenräume einer Flugzeugfabrik in Deutschland.", "looks German"),
        ("Lagerhalle mit Gabelstaplern", "looks German"),
        ("Une caméra dans le hall d'une usine d'avions en Allemagne.", "looks French"),
        ("Una cámara en el interior de una fábrica de aviones en Alemania", "looks Spanish"),
        ("Una telecamera nel reparto di una fabbrica di aerei", "looks Italian"),
        ("Uma câmera dentro de uma fábrica de aviões na Alemanha", "looks Portuguese"),
        ("Een camera in de hal van een vliegtuigfabriek", "looks Dutch"),
        ("En kamera som filmar hallen i en flygplansfabrik", "looks Swedish"),
        ("Kamera w hali fabryki samolotów, która jest w Niemczech", "looks Polish"),
        ("Kamera kuvaa lentokonetehtaan sisätiloja, jossa on trukkeja ja työkaluja", "looks Finn"),
        ("Pesawat terbang dibuat di pabrik ini oleh banyak pekerja", "not English"),
        (
            "kiwanda hiki kinatengeneza ndege nyingi kila mwaka kwa ajili ya nchi nzima",
            "does not look English",
        ),
        ("Камера снимает цех авиационного завода", "by its letters"),
        ("飞机制造厂的所有室内区域", "by its letters"),
        ("12 34 ...", "holds no word"),
        ("", "holds no word"),
    ],
)
def test_other_languages_are_told(text: str, told: str):
    assert told in why_not_english(text)
