-- Times ending in _us are UTC microseconds since 1970, times ending in _s seconds from the start
-- of the source. Boxes are pixels of the full frame, x2 and y2 excluded.
CREATE TABLE run(
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK(kind IN ('audit', 'watch')),
  state TEXT NOT NULL CHECK(state IN ('running', 'stopped', 'finished')),
  started_us INTEGER NOT NULL,
  ended_us INTEGER,
  settings TEXT NOT NULL,      -- JSON: what decides the result; an audit resumes only under the same
  facts TEXT NOT NULL DEFAULT '{}', -- JSON: detector, namer, speed, for the report
  app_version TEXT NOT NULL
);
CREATE TABLE source(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  camera TEXT NOT NULL,
  uri TEXT NOT NULL,           -- without passwords
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  from_s REAL NOT NULL,        -- where the watch began, behind the stretch it learned from
  done_s REAL NOT NULL,        -- everything before is final; a stopped audit goes on from here
  done_frames INTEGER NOT NULL DEFAULT 0,
  seen_s REAL NOT NULL,        -- time of the last frame that was analysed
  frames INTEGER NOT NULL DEFAULT 0,
  start_us INTEGER,
  time_from TEXT NOT NULL DEFAULT '',
  finished INTEGER NOT NULL DEFAULT 0,
  warning TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(run_id, uri)
);
CREATE TABLE event(
  id TEXT PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  camera TEXT NOT NULL,
  video TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('opened', 'updated', 'closed')),
  start_s REAL NOT NULL, end_s REAL NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL,
  frame_height INTEGER NOT NULL, frame_width INTEGER NOT NULL,
  score REAL NOT NULL,         -- peak over the detector's threshold
  frames INTEGER NOT NULL,
  cut INTEGER NOT NULL DEFAULT 0,
  snapshot_s REAL NOT NULL
);
CREATE INDEX event_by_time ON event(camera, start_us);
CREATE TABLE candidate(
  event_id TEXT NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  rank INTEGER NOT NULL, noun TEXT NOT NULL, p REAL NOT NULL,
  PRIMARY KEY(event_id, rank)
) WITHOUT ROWID;
CREATE INDEX candidate_by_noun ON candidate(noun);
CREATE TABLE sighting(
  event_id TEXT NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  pts_s REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL,
  score REAL NOT NULL,
  PRIMARY KEY(event_id, pts_s)
) WITHOUT ROWID;
CREATE TABLE second(            -- how unusual each second was, for the timeline
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  uri TEXT NOT NULL, second INTEGER NOT NULL, peak REAL NOT NULL,
  PRIMARY KEY(run_id, uri, second)
) WITHOUT ROWID;
CREATE TABLE gap(               -- when a live camera was blind
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  camera TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER,
  reason TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(run_id, camera, start_us)
) WITHOUT ROWID;
