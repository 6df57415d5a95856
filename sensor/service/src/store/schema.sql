-- What the fold made, for reading. Times are ns since 1970 UTC. Release 1.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The fold's checkpoint, in pieces.
CREATE TABLE checkpoint (
    piece INTEGER PRIMARY KEY,
    octets BLOB NOT NULL
) STRICT;

CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    whereabouts TEXT NOT NULL,
    name TEXT NOT NULL,
    site TEXT,
    country TEXT,
    region TEXT,
    city TEXT,
    latitude REAL,
    longitude REAL,
    radius_km INTEGER,
    asn INTEGER,
    organisation TEXT,
    kinds TEXT NOT NULL,
    anycast INTEGER NOT NULL,
    database TEXT
) STRICT;

CREATE TABLE server (
    number INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    identifier TEXT,
    address TEXT
) STRICT;

CREATE TABLE session (
    number INTEGER PRIMARY KEY,
    server INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    start INTEGER NOT NULL,
    start_source TEXT NOT NULL,
    last_seen INTEGER NOT NULL,
    ended INTEGER,
    end_reason TEXT,
    terminate_cause INTEGER,
    user TEXT,
    user_original TEXT,
    remote TEXT,
    assigned TEXT NOT NULL,
    device TEXT,
    software TEXT,
    operating_system TEXT,
    user_group TEXT,
    input_octets INTEGER,
    output_octets INTEGER,
    place INTEGER
) STRICT;

CREATE INDEX session_by_user ON session (user, start);
CREATE INDEX session_by_start ON session (start);
CREATE INDEX session_by_device ON session (device, start) WHERE device IS NOT NULL;
CREATE INDEX session_by_place ON session (place) WHERE place IS NOT NULL;
CREATE INDEX session_by_remote ON session (remote, start) WHERE remote IS NOT NULL;
CREATE INDEX session_open ON session (last_seen) WHERE ended IS NULL;

-- Sorts: 1 user, 2 device, 3 VPN server, 4 sensor.
CREATE TABLE sighting (
    sort INTEGER NOT NULL,
    name TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    original TEXT,
    PRIMARY KEY (sort, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX sighting_by_last ON sighting (sort, last);
