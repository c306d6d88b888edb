-- A run may end in more ways than three: whoever writes one checks it, not the table.
CREATE TABLE run_of_any_state(
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK(kind IN ('audit', 'watch')),
  state TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  ended_us INTEGER,
  settings TEXT NOT NULL,      -- JSON: what decides the result; an audit resumes only under the same
  facts TEXT NOT NULL DEFAULT '{}', -- JSON: detector, namer, speed, for the report
  app_version TEXT NOT NULL
);
INSERT INTO run_of_any_state(
  id, kind, state, started_us, ended_us, settings, facts, app_version
) SELECT id, kind, state, started_us, ended_us, settings, facts, app_version FROM run;
DROP TABLE run;
ALTER TABLE run_of_any_state RENAME TO run;
CREATE TABLE note(              -- what people should know about a run
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  time_us INTEGER NOT NULL,
  text TEXT NOT NULL
);
