-- What was found in frames, so that they can be followed again under other settings: a stretch of
-- frames each, or one (frames = 0) of which nothing could be kept.
CREATE TABLE trace(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  uri TEXT NOT NULL,
  camera TEXT NOT NULL,
  start_s REAL NOT NULL, end_s REAL NOT NULL,
  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  joined INTEGER NOT NULL,     -- whether it goes on where the one before ended
  frames INTEGER NOT NULL,
  height INTEGER NOT NULL, width INTEGER NOT NULL,
  bar REAL NOT NULL,           -- what maps were divided by
  peak REAL NOT NULL,          -- the highest score in it, over the bar
  x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL, -- around all that is in it
  packed BLOB NOT NULL         -- app.events.packing
);
CREATE INDEX trace_time ON trace(run_id, end_us);
-- What each crop of an event said: an event can be named again by the same vote.
CREATE TABLE ballot(
  event_id TEXT PRIMARY KEY REFERENCES event(id) ON DELETE CASCADE,
  embedder TEXT NOT NULL,
  packed BLOB NOT NULL         -- app.events.ballots
);
