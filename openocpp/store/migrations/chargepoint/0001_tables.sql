-- A charge point. Instants are texts in UTC, YYYY-MM-DDTHH:MM:SS.ffffffZ; enumerations are the standard's texts.
-- No AUTOINCREMENT: it would make every commit write two more pages.

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

CREATE TABLE Connectors (
    id INTEGER PRIMARY KEY,
    status TEXT NOT NULL,
    error_code TEXT NOT NULL,
    info TEXT NOT NULL,
    vendor_id TEXT NOT NULL,
    vendor_error TEXT NOT NULL,
    status_time TEXT,
    notified_status TEXT,
    notified_error TEXT,
    real_status TEXT NOT NULL,
    availability TEXT NOT NULL,
    scheduled_availability TEXT,
    reservation_id INTEGER,
    reservation_id_tag TEXT,
    reservation_parent_id_tag TEXT,
    reservation_expiry TEXT
);

-- The newest row is never deleted: its key tells the next one, and no key is used twice.
CREATE TABLE Transactions (
    key INTEGER PRIMARY KEY,
    connector_id INTEGER NOT NULL,
    id_tag TEXT NOT NULL,
    parent_id_tag TEXT,
    meter_start INTEGER NOT NULL,
    start_time TEXT NOT NULL,
    reservation_id INTEGER,
    cs_id INTEGER,
    running INTEGER NOT NULL,
    start_answered INTEGER NOT NULL,
    start_dropped INTEGER NOT NULL,
    deauthorized INTEGER NOT NULL,
    meter_stop INTEGER,
    stop_time TEXT,
    stop_reason TEXT
);

CREATE TABLE TxMeterValues (
    id INTEGER PRIMARY KEY,
    transaction_key INTEGER NOT NULL REFERENCES Transactions (key) ON DELETE CASCADE,
    meter_value TEXT NOT NULL
);
CREATE INDEX TxMeterValuesOfTransaction ON TxMeterValues (transaction_key);

CREATE TABLE Outbox (
    id INTEGER PRIMARY KEY,
    action TEXT NOT NULL,
    connector_id INTEGER NOT NULL,
    transaction_key INTEGER,
    payload TEXT NOT NULL,
    created TEXT NOT NULL,
    attempts INTEGER NOT NULL
);
-- Those that may be dropped when there are too many; the other messages cost no index page.
CREATE INDEX OutboxDroppable ON Outbox (id) WHERE action = 'MeterValues' AND transaction_key IS NULL;

-- The id is the age: an entry that is written again gets a new one.
CREATE TABLE AuthentCache (
    id INTEGER PRIMARY KEY,
    folded TEXT NOT NULL UNIQUE,
    id_tag TEXT NOT NULL,
    status TEXT NOT NULL,
    parent_id_tag TEXT,
    expiry TEXT
);

CREATE TABLE AuthentLocalList (
    folded TEXT PRIMARY KEY,
    id_tag TEXT NOT NULL,
    status TEXT NOT NULL,
    parent_id_tag TEXT,
    expiry TEXT
) WITHOUT ROWID;

CREATE TABLE ChargingProfiles (
    id INTEGER PRIMARY KEY,
    connector_id INTEGER NOT NULL,
    transaction_key INTEGER,
    profile TEXT NOT NULL
);

CREATE TABLE SecurityLogs (
    id INTEGER PRIMARY KEY,
    timestamp TEXT NOT NULL,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    critical INTEGER NOT NULL
);

CREATE TABLE SecurityEventQueue (
    id INTEGER PRIMARY KEY,
    timestamp TEXT NOT NULL,
    type TEXT NOT NULL,
    tech_info TEXT NOT NULL
);
