-- What the detector's maps were divided by when an event was told, and the largest number at which
-- it would still have rung; NULL for a camera's own fault, and in stores of an older Nomaly.
ALTER TABLE event ADD COLUMN bar REAL;
ALTER TABLE event ADD COLUMN level REAL;
-- By what it is decided whether an event's thing belongs, and when it does: JSON, or NULL.
ALTER TABLE event ADD COLUMN evidence TEXT;
ALTER TABLE event ADD COLUMN belonging TEXT;
CREATE TABLE moment(            -- what was followed for a while and never told
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  uri TEXT NOT NULL,
  camera TEXT NOT NULL,
  start_s REAL NOT NULL, end_s REAL NOT NULL,
  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL,
  level REAL NOT NULL,         -- the largest number at which it would have rung
  bar REAL NOT NULL,           -- what maps were divided by
  why TEXT NOT NULL            -- what kept it silent
);
CREATE INDEX moment_time ON moment(end_us);
