CREATE TABLE answer(            -- what people said of an event, each time anew; the newest holds
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  time_us INTEGER NOT NULL,
  who TEXT NOT NULL DEFAULT '',
  verdict TEXT NOT NULL,       -- confirmed, false_alarm, expected_here, renamed
  noun TEXT NOT NULL DEFAULT '', -- what it truly was, where they said it
  note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX answer_by_event ON answer(event_id);
