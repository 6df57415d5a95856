-- By which three letters the names of users, devices and places are found: a look at all of them takes longer the more
-- there are. Two letters stand behind each name, so that every letter and every pair of it begins one of its threes, its
-- last ones too. What is found so is looked at again: a name that has all threes of a text need not hold it. Triggers keep
-- it; a connection that brings no new name writes nothing here. Release 5.
CREATE TABLE user_name (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE device_name (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE VIRTUAL TABLE user_part USING fts5 (name, content = '', tokenize = 'trigram', detail = none, columnsize = 0);
CREATE VIRTUAL TABLE device_part USING fts5 (name, content = '', tokenize = 'trigram', detail = none, columnsize = 0);
CREATE VIRTUAL TABLE place_part USING fts5 (name, organisation, content = '', tokenize = 'trigram', detail = none, columnsize = 0);
-- Who is forgotten leaves no letters.
INSERT INTO user_part (user_part, rank) VALUES ('secure-delete', 1);
INSERT INTO device_part (device_part, rank) VALUES ('secure-delete', 1);
INSERT INTO place_part (place_part, rank) VALUES ('secure-delete', 1);

CREATE VIRTUAL TABLE user_three USING fts5vocab (user_part, instance);
CREATE VIRTUAL TABLE device_three USING fts5vocab (device_part, instance);
CREATE VIRTUAL TABLE place_three USING fts5vocab (place_part, instance);

CREATE TRIGGER user_name_new AFTER INSERT ON sighting WHEN new.sort = 1 BEGIN
    INSERT INTO user_name (name) VALUES (new.name);
    INSERT INTO user_part (rowid, name) SELECT number, name || char(1, 1) FROM user_name WHERE name = new.name;
END;

CREATE TRIGGER user_name_gone AFTER DELETE ON sighting WHEN old.sort = 1 BEGIN
    INSERT INTO user_part (user_part, rowid, name)
        SELECT 'delete', number, name || char(1, 1) FROM user_name WHERE name = old.name;
    DELETE FROM user_name WHERE name = old.name;
END;

CREATE TRIGGER device_name_new AFTER INSERT ON sighting WHEN new.sort = 2 BEGIN
    INSERT INTO device_name (name) VALUES (new.name);
    INSERT INTO device_part (rowid, name) SELECT number, name || char(1, 1) FROM device_name WHERE name = new.name;
END;

CREATE TRIGGER device_name_gone AFTER DELETE ON sighting WHEN old.sort = 2 BEGIN
    INSERT INTO device_part (device_part, rowid, name)
        SELECT 'delete', number, name || char(1, 1) FROM device_name WHERE name = old.name;
    DELETE FROM device_name WHERE name = old.name;
END;

CREATE TRIGGER place_new AFTER INSERT ON place BEGIN
    INSERT INTO place_part (rowid, name, organisation)
        VALUES (new.id, new.name || char(1, 1), new.organisation || char(1, 1));
END;

CREATE TRIGGER place_gone AFTER DELETE ON place BEGIN
    INSERT INTO place_part (place_part, rowid, name, organisation)
        VALUES ('delete', old.id, old.name || char(1, 1), old.organisation || char(1, 1));
END;

-- A network by its number.
CREATE INDEX place_by_network ON place (asn) WHERE asn IS NOT NULL;
