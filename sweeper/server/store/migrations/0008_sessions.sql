-- Browsers that were let in: each holds a random token in a cookie, of which only the SHA-256 is kept here.
CREATE TABLE sessions (
    sha256 BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at REAL NOT NULL
) STRICT;

-- Addresses that let a browser in, once.
CREATE TABLE login_links (
    sha256 BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at REAL NOT NULL
) STRICT;
