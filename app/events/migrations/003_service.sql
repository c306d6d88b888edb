-- The life of an event will have more states than three: whoever writes one checks it, not the
-- table. SQLite changes a CHECK only by building the table anew.
CREATE TABLE event_of_any_state(
  id TEXT PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  camera TEXT NOT NULL,
  video TEXT NOT NULL,
  state TEXT NOT NULL,
  start_s REAL NOT NULL, end_s REAL NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL,
  frame_height INTEGER NOT NULL, frame_width INTEGER NOT NULL,
  score REAL NOT NULL,         -- peak over the detector's threshold
  frames INTEGER NOT NULL,
  cut INTEGER NOT NULL DEFAULT 0,
  snapshot_s REAL NOT NULL,    -- when the pictures were taken; their names hold it
  surprise_bits REAL           -- of the best noun at the site; NULL where no site's decoder names
);
INSERT INTO event_of_any_state(
  id, run_id, camera, video, state, start_s, end_s, start_us, end_us, x1, y1, x2, y2,
  frame_height, frame_width, score, frames, cut, snapshot_s, surprise_bits
) SELECT
  id, run_id, camera, video, state, start_s, end_s, start_us, end_us, x1, y1, x2, y2,
  frame_height, frame_width, score, frames, cut, snapshot_s, surprise_bits
FROM event;
DROP TABLE event;
ALTER TABLE event_of_any_state RENAME TO event;
-- Across runs: what a camera saw in a time, what all saw; nouns have their index since 001.
CREATE INDEX event_by_camera ON event(camera, start_us);
CREATE INDEX event_by_time ON event(start_us);
CREATE INDEX event_by_run ON event(run_id, start_us);
-- A camera may be blind for two reasons from the same moment on.
CREATE TABLE gap_by_reason(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  camera TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER,
  reason TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(run_id, camera, start_us, reason)
) WITHOUT ROWID;
INSERT INTO gap_by_reason(run_id, camera, start_us, end_us, reason, detail)
SELECT run_id, camera, start_us, end_us, reason, detail FROM gap;
DROP TABLE gap;
ALTER TABLE gap_by_reason RENAME TO gap;
CREATE TABLE vector(            -- what an event's name rests on, to search and to name it again
  event_id TEXT PRIMARY KEY REFERENCES event(id) ON DELETE CASCADE,
  embedder TEXT NOT NULL,      -- only vectors of the same one can be compared
  width INTEGER NOT NULL,
  unit BLOB NOT NULL,          -- `width` float16 numbers, little-endian, of length 1 together
  CHECK(length(unit) = 2 * width)
);
CREATE INDEX vector_by_embedder ON vector(embedder);
CREATE TABLE outbox(            -- messages that a sink has not taken yet; taken ones are deleted
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- rises in the order of commits, never used twice
  sink TEXT NOT NULL,
  event_id TEXT NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  body TEXT NOT NULL,          -- JSON
  created_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  fault TEXT NOT NULL DEFAULT '' -- why the last attempt failed
);
CREATE INDEX outbox_by_sink ON outbox(sink, number);
CREATE INDEX outbox_by_event ON outbox(event_id);
