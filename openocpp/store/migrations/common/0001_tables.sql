-- What every role stores: counters and versions, and its log.

CREATE TABLE InternalConfig (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE Logs (
    id INTEGER PRIMARY KEY,
    timestamp TEXT NOT NULL,
    level INTEGER NOT NULL,
    file TEXT NOT NULL,
    message TEXT NOT NULL
);
