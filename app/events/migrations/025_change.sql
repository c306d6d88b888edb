-- Which events changed, the one that changed last behind: who read up to a number reads on from it,
-- and misses nothing whatever clocks say.
CREATE TABLE change(
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- rises with each change, never used twice
  event_id TEXT NOT NULL UNIQUE,
  gone INTEGER NOT NULL DEFAULT 0 -- whether the event was dropped
);
INSERT INTO change(event_id) SELECT id FROM event ORDER BY start_us, id;
-- Numbers of another store mean nothing here.
CREATE TABLE store_identity(identity TEXT NOT NULL);
INSERT INTO store_identity VALUES (lower(hex(randomblob(8))));
CREATE TRIGGER event_came AFTER INSERT ON event BEGIN
  DELETE FROM change WHERE event_id = NEW.id;
  INSERT INTO change(event_id) VALUES (NEW.id);
END;
CREATE TRIGGER event_changed AFTER UPDATE ON event BEGIN
  DELETE FROM change WHERE event_id = NEW.id;
  INSERT INTO change(event_id) VALUES (NEW.id);
END;
CREATE TRIGGER event_went AFTER DELETE ON event BEGIN
  DELETE FROM change WHERE event_id = OLD.id;
  INSERT INTO change(event_id, gone) VALUES (OLD.id, 1);
END;
CREATE TRIGGER answer_came AFTER INSERT ON answer BEGIN
  DELETE FROM change WHERE event_id = NEW.event_id;
  INSERT INTO change(event_id) VALUES (NEW.event_id);
END;
CREATE TRIGGER answer_went AFTER DELETE ON answer
WHEN EXISTS (SELECT 1 FROM event WHERE id = OLD.event_id) BEGIN
  DELETE FROM change WHERE event_id = OLD.event_id;
  INSERT INTO change(event_id) VALUES (OLD.event_id);
END;
