-- What an audit with several workers has done of its recordings, a row for each piece of work.
CREATE TABLE audit_segment(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,     -- in the order of the recordings and of their time
  recording INTEGER NOT NULL,  -- the first of its recordings, counted from 0
  recordings INTEGER NOT NULL, -- how many whole ones it holds
  uri TEXT NOT NULL,           -- of the first
  sha256 TEXT NOT NULL,        -- of the files' names, sizes and times of change
  from_s REAL NOT NULL,
  until_s REAL,                -- NULL: to the end
  footage_s REAL NOT NULL,
  state TEXT NOT NULL,         -- waiting, running, open, met, swallowed, failed: app.archive.ledger
  worker TEXT NOT NULL DEFAULT '',
  tries INTEGER NOT NULL DEFAULT 0, -- that ended without a result
  fault TEXT NOT NULL DEFAULT '',
  reached_s REAL NOT NULL DEFAULT 0, -- followed up to here
  after_s REAL,                -- where the one before has met it: what began until then is not its own
  frames INTEGER NOT NULL DEFAULT 0,
  spent_s REAL NOT NULL DEFAULT 0, -- of a worker's time
  joined INTEGER NOT NULL DEFAULT 0, -- whether its results are in this store
  PRIMARY KEY(run_id, number)
) WITHOUT ROWID;
