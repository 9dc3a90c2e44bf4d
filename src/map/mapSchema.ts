/** SQLite application id of a place map: the bytes "VPRM". */
export const MAP_APPLICATION_ID = 0x5650524d;
/** Version of the layout that this code writes (SQLite user_version); FORMAT.md describes it. */
export const MAP_FORMAT_VERSION = 1;
/** Codes of one sealed block. */
export const CODES_PER_BLOCK = 4096;
/** Longest label, camera name or session name, bytes of UTF-8. */
export const MAX_TEXT_BYTES = 4096;
/** Largest thumbnail, bytes. */
export const MAX_THUMBNAIL_BYTES = 1 << 20;
/** Widest descriptor. */
export const MAX_DIMENSION = 65536;

/** The tables, by name. STRICT, so that a column holds the type that it says. FORMAT.md explains each. */
export const MAP_TABLES: Readonly<Record<string, string>> = {
  meta: 'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  binarizer:
    'CREATE TABLE binarizer (name TEXT PRIMARY KEY, data BLOB NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  session:
    'CREATE TABLE session (session_id INTEGER PRIMARY KEY, name TEXT NOT NULL, source TEXT NOT NULL, crc INTEGER NOT NULL) STRICT',
  reference:
    'CREATE TABLE reference (reference_id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, session_id INTEGER NOT NULL, ' +
    'camera TEXT NOT NULL, label TEXT NOT NULL, stamp_ns INTEGER NOT NULL, x REAL, y REAL, z REAL, qx REAL, qy REAL, qz REAL, qw REAL, ' +
    'has_thumbnail INTEGER NOT NULL, code_crc INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT',
  descriptor:
    'CREATE TABLE descriptor (reference_id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT',
  thumbnail:
    'CREATE TABLE thumbnail (reference_id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT',
  code_block:
    'CREATE TABLE code_block (first_reference_id INTEGER PRIMARY KEY, ids_crc INTEGER NOT NULL, codes_crc INTEGER NOT NULL, ' +
    'reference_ids BLOB NOT NULL, place_ids BLOB NOT NULL, codes BLOB NOT NULL) STRICT',
  code_tail:
    'CREATE TABLE code_tail (reference_id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, crc INTEGER NOT NULL, code BLOB NOT NULL) STRICT',
  match_count:
    'CREATE TABLE match_count (reference_id INTEGER PRIMARY KEY, matches INTEGER NOT NULL, last_stamp_ns INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT',
};

export const MAP_INDEXES: Readonly<Record<string, string>> = {
  reference_by_place: 'CREATE INDEX reference_by_place ON reference (place_id, reference_id)',
};
