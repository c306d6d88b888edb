"""Kinds of places and traits of things: what the prior compares nouns by.

General on purpose: nothing here is about one site, and no word was kept or dropped by its effect on
labelled nouns. The mean AUC hardly depends on the choice: half of them, taken at random, lose 0.01.
"""

from scenarios.articles import article

_PLACES = """
kitchen, dining room, living room, bedroom, child's bedroom, bathroom, toilet, attic, cellar,
balcony, hallway, laundry room, study, wardrobe, drawer, shed, garage, workshop, toy box,
sewing room, office, meeting room, reception, canteen, server room, school, classroom, nursery,
university, library, laboratory, art studio, recording studio, museum, gallery, archive,
hospital ward, operating theatre, dentist, pharmacy, veterinary clinic, nursing home, morgue,
church, temple, monastery, cemetery, theatre, concert hall, cinema, circus, fairground, casino,
restaurant, bar, cafe, hotel, bakery, butcher, supermarket, market, shopping mall, bookshop,
clothes shop, toy shop, hardware store, jewellery shop, hair salon, flower shop, bank, post office,
court room, town hall, prison, police station, fire station, military base, battlefield, castle,
palace, ruins, factory, machine shop, paint shop, chemical plant, power plant, oil refinery,
steelworks, sawmill, textile mill, brewery, dairy, printing works, electronics factory, warehouse,
mine, quarry, construction site, shipyard, rubbish dump, sewer, petrol station, car repair shop,
airport, hangar, railway station, harbour, ship, submarine, train, bus, car, aircraft, spacecraft,
street, village, city, park, bridge, tunnel, highway, car park, dam, rooftop, playground, zoo,
aquarium, gym, stadium, swimming pool, sauna, ski resort, football pitch, golf course, campsite,
garden, greenhouse, orchard, vineyard, field, meadow, farm, barn, stable, henhouse, forest, jungle,
savanna, desert, swamp, mountain, cave, glacier, volcano, tundra, river, lake, pond, beach, island,
ocean, coral reef, sea floor, sky, outer space, wedding, birthday party, picnic, funeral, parade
"""

_TRAITS = """
an animal; a farm animal; a wild animal; a pet; a bird; a fish; an insect; a plant; a tree;
a flower; a person; a part of the body; an illness; a fruit; a vegetable; a meal; a sweet; a drink;
a spice; a hand tool; a power tool; a machine; a machine part; a measuring instrument; a vehicle;
a part of a vehicle; a boat; an aircraft; a weapon; a piece of furniture; a piece of clothing;
a shoe; a hat; a jewel; a musical instrument; a toy; a game; sports equipment; a building;
a part of a building; a room; a landscape; a body of water; a road; a container; a bag;
an electronic device; a kitchen utensil; office supplies; stationery; safety equipment;
medical equipment; cleaning equipment; camping equipment; bedding; a decoration; a sign; a lamp;
a fastener; a cable; a pipe; packaging; a raw material; a fabric; a powder; a liquid; a gas;
a household appliance; a work of art; a religious object; a book; money; rubbish;
something made of metal; something made of wood; something made of plastic;
something made of cloth; something made of glass; something made of stone;
something made of paper; something made of rubber; something made of leather;
something microscopic; something as small as a coin; something you can hold in one hand;
something you carry with two hands; something as big as a person; something as big as a car;
something as big as a house; something larger than a house; something heavy; something light;
something soft; something hard; something sharp; something round; something long and thin;
something flat; something hollow; something colourful; something shiny; something transparent;
something hot; something cold; something wet; something dirty; something loud;
something that smells; something dangerous; something expensive; something cheap;
something rare; something common; something old-fashioned; something modern; something ancient;
something natural; something alive; something dead; something disgusting; something beautiful;
something that moves by itself; something with wheels; something that flies;
something that swims; something that grows; something that burns; something that cuts;
something that carries people; something that stores things; something that joins things;
something that uses electricity; something that gives light; something you wear;
something you eat; something you sit on; something you sleep in; something you read;
something you write with; something you play with; something you throw away;
something found indoors; something found outdoors; something on a table;
something on the floor; something on the wall; something on the ceiling; something underground;
something under water; something in the sky; something used at work; something used at home;
something used on holiday; something used in war; something used in sports;
something for children; something for babies; something for women; something for men;
something used by an engineer; something used by a mechanic; something used by a carpenter;
something used by an electrician; something used by a builder; something used by a painter;
something used by a cleaner; something used by a cook; something used by a waiter;
something used by a doctor; something used by a scientist; something used by a teacher;
something used by an office worker; something used by a shopkeeper; something used by a farmer;
something used by a gardener; something used by a hunter; something used by a fisherman;
something used by a sailor; something used by a pilot; something used by a driver;
something used by a soldier; something used by a policeman; something used by a fireman;
something used by a priest; something used by a king; something used by a musician;
something used by an artist; something used by an athlete; something used by a tourist
"""


def _listed(text: str, separator: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(separator))


PLACES = tuple(f"in {article(place)} {place}" for place in _listed(_PLACES, ","))
"""170 places and occasions, as texts."""

TRAITS = _listed(_TRAITS, ";")
"""189 kinds, materials, sizes, looks, purposes and users of things, as texts."""
