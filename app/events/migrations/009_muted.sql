-- By what people said an event is not told, in words; empty if it is told.
ALTER TABLE event ADD COLUMN muted TEXT NOT NULL DEFAULT '';
CREATE TABLE signature(         -- what the thing of an event looks like, to know it again
  event_id TEXT PRIMARY KEY REFERENCES event(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,    -- only signatures of the same one can be compared
  looks BLOB NOT NULL          -- float16 numbers, little-endian
);
