-- What an event is about: an object in front of the camera, or the camera itself, whose fault has a
-- name ("black picture") and no noun.
ALTER TABLE event ADD COLUMN kind TEXT NOT NULL DEFAULT 'object';
ALTER TABLE event ADD COLUMN name TEXT NOT NULL DEFAULT '';
