-- What happened: a thing arrived, is missing, moved or changed. And where it was before it moved.
ALTER TABLE event ADD COLUMN change TEXT NOT NULL DEFAULT 'arrived';
ALTER TABLE event ADD COLUMN moved_from TEXT; -- JSON: x1, y1, x2, y2; NULL if it has not moved
