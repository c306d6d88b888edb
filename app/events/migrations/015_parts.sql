-- Where each of several people in an event's picture is: JSON, [[x1, y1, x2, y2, p], ...], or NULL.
ALTER TABLE event ADD COLUMN parts TEXT;
