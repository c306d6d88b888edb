-- Where an audit goes on from, while its recording is not finished: what was followed just then.
CREATE TABLE checkpoint(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  uri TEXT NOT NULL,
  at_s REAL NOT NULL,          -- of the last frame that was followed
  tracks TEXT NOT NULL,        -- JSON: detectors.tracks.Tracker.state
  kept TEXT NOT NULL,          -- JSON, of each track in order: id, told, named_from
  PRIMARY KEY(run_id, uri)
);
CREATE TABLE checkpoint_picture( -- what the names of these tracks will rest on
  run_id INTEGER NOT NULL, uri TEXT NOT NULL,
  event_id TEXT NOT NULL,
  pts_s REAL NOT NULL,
  packed BLOB NOT NULL,        -- app.events.checkpoint
  PRIMARY KEY(run_id, uri, event_id, pts_s),
  FOREIGN KEY(run_id, uri) REFERENCES checkpoint(run_id, uri) ON DELETE CASCADE
);
