-- What people should know of a camera's fault, in a sentence.
ALTER TABLE event ADD COLUMN said TEXT NOT NULL DEFAULT '';
