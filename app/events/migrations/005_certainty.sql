-- From which p on the best noun is told as a fact; 0.7 where nobody measured it.
ALTER TABLE event ADD COLUMN sure_from REAL NOT NULL DEFAULT 0.7;
