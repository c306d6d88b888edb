PRAGMA user_version=2;
BEGIN TRANSACTION;
CREATE TABLE candidate(
  event_id TEXT NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  rank INTEGER NOT NULL, noun TEXT NOT NULL, p REAL NOT NULL,
  PRIMARY KEY(event_id, rank)
) WITHOUT ROWID;
INSERT INTO "candidate" VALUES('06449f3a2b0000-aaaaaa',0,'cat',0.5);
INSERT INTO "candidate" VALUES('06449f3a2b0000-aaaaaa',1,'dog',0.25);
INSERT INTO "candidate" VALUES('06449f3a2b8000-bbbbbb',0,'bicycle',0.4);
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
, surprise_bits REAL);
INSERT INTO "event" VALUES('06449f3a2b0000-aaaaaa',1,'hall','','closed',1.0,3.0,1764374401000000,1764374403000000,10.5,5.0,30.0,25.0,60,80,2.5,11,0,2.0,11.25);
INSERT INTO "event" VALUES('06449f3a2b8000-bbbbbb',1,'hall','','updated',9.0,11.0,1764374409000000,1764374411000000,10.5,5.0,30.0,25.0,60,80,2.5,11,0,10.0,NULL);
CREATE TABLE gap(               -- when a live camera was blind
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  camera TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER,
  reason TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(run_id, camera, start_us)
) WITHOUT ROWID;
INSERT INTO "gap" VALUES(1,'hall',1764374405000000,1764374407000000,'stalled','no new picture for 2 s');
INSERT INTO "gap" VALUES(1,'hall',1764374412000000,NULL,'ended','the stream ended');
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
INSERT INTO "run" VALUES(1,'watch','running',1795954689921574,NULL,'{"learn_s": 20.0, "source": "rtsp://camera/stream"}','{}','0.1.0');
CREATE TABLE second(            -- how unusual each second was, for the timeline
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  uri TEXT NOT NULL, second INTEGER NOT NULL, peak REAL NOT NULL,
  PRIMARY KEY(run_id, uri, second)
) WITHOUT ROWID;
INSERT INTO "second" VALUES(1,'rtsp://camera/stream',0,0.5);
INSERT INTO "second" VALUES(1,'rtsp://camera/stream',1,2.5);
INSERT INTO "second" VALUES(1,'rtsp://camera/stream',2,0.25);
CREATE TABLE sighting(
  event_id TEXT NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  pts_s REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL,
  score REAL NOT NULL,
  PRIMARY KEY(event_id, pts_s)
) WITHOUT ROWID;
INSERT INTO "sighting" VALUES('06449f3a2b0000-aaaaaa',1.0,10.5,5.0,30.0,25.0,2.5);
INSERT INTO "sighting" VALUES('06449f3a2b0000-aaaaaa',1.2,11.0,5.0,31.0,25.0,2.0);
INSERT INTO "sighting" VALUES('06449f3a2b8000-bbbbbb',9.0,10.5,5.0,30.0,25.0,2.5);
INSERT INTO "sighting" VALUES('06449f3a2b8000-bbbbbb',9.2,11.0,5.0,31.0,25.0,2.0);
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
INSERT INTO "source" VALUES(1,'hall','rtsp://camera/stream',80,60,0.0,0.0,0,12.5,60,1764374400000000,'arrival',0,'');
CREATE INDEX event_by_time ON event(camera, start_us);
CREATE INDEX candidate_by_noun ON candidate(noun);
COMMIT;
