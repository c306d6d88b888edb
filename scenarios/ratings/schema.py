"""The tables of the rating store."""

OWNER = 0x4E6F6D52
"""SQLite's application id of rating stores: NomR."""

VERSION = 1

SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE question (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    prompt_sha256 TEXT NOT NULL,
    site_sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE answer (
    number INTEGER PRIMARY KEY,  -- in order of arrival
    request_id TEXT NOT NULL UNIQUE,
    question TEXT NOT NULL REFERENCES question(key),
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    backend TEXT NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_question ON answer(question);
CREATE TABLE rating (
    answer INTEGER NOT NULL REFERENCES answer(number),
    place INTEGER NOT NULL,
    target_noun TEXT NOT NULL,
    asked_as TEXT NOT NULL,
    raw REAL NOT NULL,
    role TEXT NOT NULL,
    opinion INTEGER NOT NULL,
    line INTEGER NOT NULL,
    PRIMARY KEY (answer, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE planned (
    run TEXT NOT NULL,
    round INTEGER NOT NULL,
    place INTEGER NOT NULL,
    lines TEXT NOT NULL,  -- JSON: [[target noun, asked as, role], ...]
    opinion INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    split INTEGER NOT NULL,
    PRIMARY KEY (run, round, place)
) STRICT, WITHOUT ROWID;
PRAGMA application_id={OWNER};
PRAGMA user_version={VERSION};
COMMIT;
"""
