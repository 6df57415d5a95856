-- Makes the index of all names that there are: of an older store behind `parts.sql`, and of one that is made all at once.
DELETE FROM user_name;
DELETE FROM device_name;
INSERT INTO user_part (user_part) VALUES ('delete-all');
INSERT INTO device_part (device_part) VALUES ('delete-all');
INSERT INTO place_part (place_part) VALUES ('delete-all');

INSERT INTO user_name (name) SELECT name FROM sighting WHERE sort = 1 ORDER BY name;
INSERT INTO device_name (name) SELECT name FROM sighting WHERE sort = 2 ORDER BY name;
INSERT INTO user_part (rowid, name) SELECT number, name || char(1, 1) FROM user_name;
INSERT INTO device_part (rowid, name) SELECT number, name || char(1, 1) FROM device_name;
INSERT INTO place_part (rowid, name, organisation)
    SELECT id, name || char(1, 1), organisation || char(1, 1) FROM place;
