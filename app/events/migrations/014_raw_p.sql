-- What the decoder itself gave each candidate of an event, best first, where a camera's calibration
-- scaled that: JSON, or NULL.
ALTER TABLE event ADD COLUMN raw_p TEXT;
