-- What was bet against a camera's calibration, a row for each crop, in the order of the bets;
-- `calibration` tells which one. Whether it holds is what its bets make it.
CREATE TABLE bet(
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  uri TEXT NOT NULL,
  calibration TEXT NOT NULL,   -- SHA-256
  at_s REAL NOT NULL,          -- when its frame was taken, from the start of the source
  time_us INTEGER NOT NULL,
  place INTEGER NOT NULL,      -- where in the view
  distance REAL NOT NULL,      -- from what was normal when it was calibrated
  light REAL NOT NULL          -- mean grey of its frame, 0 to 255
);
CREATE INDEX bet_calibration ON bet(run_id, calibration);
-- Why a verdict rests on no calibration although there was one; empty where it does.
ALTER TABLE event ADD COLUMN uncalibrated TEXT NOT NULL DEFAULT '';
