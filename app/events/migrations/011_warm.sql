-- What was wrong with the camera's pictures at a checkpoint: JSON, of each kind of fault or null; and
-- from where on they are looked at again to know how they usually are.
ALTER TABLE checkpoint ADD COLUMN troubles TEXT NOT NULL DEFAULT '[]';
ALTER TABLE checkpoint ADD COLUMN warm_s REAL NOT NULL DEFAULT 0;
