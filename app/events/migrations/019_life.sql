-- Since when the thing of an event stands still, UTC in microseconds; NULL while it moves.
ALTER TABLE event ADD COLUMN still_us INTEGER;
-- How often it was told again that it still stands there.
ALTER TABLE event ADD COLUMN reminders INTEGER NOT NULL DEFAULT 0;
-- Whether a person said that the event is to be kept, whatever the rule of the storage says.
ALTER TABLE event ADD COLUMN keep INTEGER NOT NULL DEFAULT 0;
-- The storage is put in order from the oldest event on.
CREATE INDEX event_by_end ON event(end_us);
