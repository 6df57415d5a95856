-- Which connections had an address inside the tunnel: what a firewall's log names. A row for each address of a connection;
-- triggers keep it, so that an update of a running connection that changes no address writes nothing here. Release 4.
CREATE TABLE assigned_address (
    address TEXT NOT NULL,
    began INTEGER NOT NULL,
    session INTEGER NOT NULL,
    PRIMARY KEY (address, began, session)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO assigned_address (address, began, session)
    SELECT assigned, start, number FROM session WHERE assigned <> '' AND instr(assigned, ' ') = 0
    UNION ALL
    SELECT listed.value, start, number
    FROM session, json_each('["' || replace(assigned, ' ', '","') || '"]') AS listed WHERE instr(assigned, ' ') > 0
    ORDER BY 1, 2, 3;

-- Most have one address: the text is it, and is not taken apart.
CREATE TRIGGER assigned_with_session AFTER INSERT ON session
    WHEN new.assigned <> '' AND instr(new.assigned, ' ') = 0 BEGIN
    INSERT INTO assigned_address (address, began, session) VALUES (new.assigned, new.start, new.number);
END;

CREATE TRIGGER assigned_with_session_many AFTER INSERT ON session WHEN instr(new.assigned, ' ') > 0 BEGIN
    INSERT OR IGNORE INTO assigned_address (address, began, session)
        SELECT value, new.start, new.number FROM json_each('["' || replace(new.assigned, ' ', '","') || '"]');
END;

CREATE TRIGGER assigned_changed AFTER UPDATE OF assigned, start ON session
    WHEN new.assigned <> old.assigned OR new.start <> old.start BEGIN
    DELETE FROM assigned_address WHERE began = old.start AND session = old.number AND address IN
        (SELECT value FROM json_each('["' || replace(old.assigned, ' ', '","') || '"]'));
    INSERT OR IGNORE INTO assigned_address (address, began, session)
        SELECT value, new.start, new.number FROM json_each('["' || replace(new.assigned, ' ', '","') || '"]')
        WHERE value <> '';
END;

CREATE TRIGGER assigned_gone AFTER DELETE ON session
    WHEN old.assigned <> '' AND instr(old.assigned, ' ') = 0 BEGIN
    DELETE FROM assigned_address WHERE address = old.assigned AND began = old.start AND session = old.number;
END;

CREATE TRIGGER assigned_gone_many AFTER DELETE ON session WHEN instr(old.assigned, ' ') > 0 BEGIN
    DELETE FROM assigned_address WHERE began = old.start AND session = old.number AND address IN
        (SELECT value FROM json_each('["' || replace(old.assigned, ' ', '","') || '"]'));
END;

-- A session id in capitals is the same one.
DROP INDEX session_by_id;
CREATE INDEX session_by_id ON session (session_id COLLATE NOCASE);
