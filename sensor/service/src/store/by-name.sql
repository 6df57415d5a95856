-- A place by what it is called: it has a row for each network and for each build of a database, thousands perhaps; and by its
-- country. Devices by their whole name, in any case of its Latin letters. Release 10.
CREATE INDEX place_by_name ON place (name COLLATE NOCASE, country, site, asn);
CREATE INDEX place_by_country ON place (country) WHERE country IS NOT NULL;
CREATE INDEX device_by_name ON device_name (name COLLATE NOCASE);
