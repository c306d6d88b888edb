-- UTC in microseconds at the start of an event's clip, by the time that its first frame was told;
-- NULL where there is no clip.
ALTER TABLE event ADD COLUMN clip_from_us INTEGER;
