-- What kind of thing it is, where the decoder tells that: JSON {noun, p, sure, maybe}, or NULL.
ALTER TABLE event ADD COLUMN thing TEXT;
-- How many people are seen in its box.
ALTER TABLE event ADD COLUMN people INTEGER NOT NULL DEFAULT 0;
