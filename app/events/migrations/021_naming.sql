-- That an event was named once more from its vector, in a sentence; empty where it was not.
ALTER TABLE event ADD COLUMN named_again TEXT NOT NULL DEFAULT '';
CREATE TABLE naming(            -- one time at which stored events were named once more
  id INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL,
  model TEXT NOT NULL,         -- SHA-256 of the decoder
  name TEXT NOT NULL,          -- of the decoder, for people
  undone_us INTEGER            -- when it was taken back; NULL if it was not
);
CREATE TABLE renamed(           -- what an event was called before
  naming_id INTEGER NOT NULL REFERENCES naming(id) ON DELETE CASCADE,
  event_id TEXT NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  before TEXT NOT NULL,        -- JSON: the columns that were changed, and the candidates
  PRIMARY KEY(naming_id, event_id)
) WITHOUT ROWID;
CREATE INDEX renamed_by_event ON renamed(event_id);
