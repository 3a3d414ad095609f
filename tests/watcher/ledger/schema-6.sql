-- A ledger of schema 6, as the program of that schema wrote it (sqlite3 .dump).
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE extracts (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  claim         TEXT UNIQUE,              -- NULL while it is in the drop directory
  feed          TEXT NOT NULL,
  name          TEXT NOT NULL,
  origin        TEXT NOT NULL,
  path          TEXT NOT NULL DEFAULT '',
  state         TEXT NOT NULL,
  why           TEXT NOT NULL DEFAULT '',
  since         TEXT NOT NULL,
  seen_at       TEXT NOT NULL,
  claimed_at    TEXT,
  done_at       TEXT,
  size          INTEGER NOT NULL DEFAULT 0,
  mtime_ns      INTEGER NOT NULL DEFAULT 0,
  sha256        TEXT NOT NULL DEFAULT '',
  format        TEXT NOT NULL DEFAULT '',
  time_used     TEXT NOT NULL DEFAULT '',
  time_source   TEXT NOT NULL DEFAULT '',
  year_guessed  INTEGER NOT NULL DEFAULT 0,
  lines         INTEGER NOT NULL DEFAULT 0,
  rows          INTEGER NOT NULL DEFAULT 0,
  dropped       INTEGER NOT NULL DEFAULT 0,
  rejected      INTEGER NOT NULL DEFAULT 0,
  stored        INTEGER NOT NULL DEFAULT 0,
  already_there INTEGER NOT NULL DEFAULT 0,
  differs       INTEGER NOT NULL DEFAULT 0,
  replaced      INTEGER NOT NULL DEFAULT 0,
  failed        INTEGER NOT NULL DEFAULT 0,
  acknowledged  INTEGER NOT NULL DEFAULT 0,
  first_time    TEXT NOT NULL DEFAULT '',
  last_time     TEXT NOT NULL DEFAULT '',
  store         TEXT NOT NULL DEFAULT '',
  done_path     TEXT NOT NULL DEFAULT '',
  attempts      INTEGER NOT NULL DEFAULT 0,
  next_try      TEXT,
  host          TEXT NOT NULL DEFAULT '', settled TEXT NOT NULL DEFAULT '', settled_at TEXT, settled_why TEXT NOT NULL DEFAULT '',
  -- Promise 1, once more where no caller can forget it.
  CHECK (state <> 'done' OR lines = stored + already_there + dropped + rejected),
  CHECK (state <> 'failed' OR lines = failed)
);
INSERT INTO extracts VALUES(1,'20261201T115707Z-e98f94546d2e','hrt','a-2012-03-09.log','drop','/var/spool/done/2026/12/01/a-2012-03-09.log','done','','2026-12-01T11:57:08.148Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:08.148Z',41744,1796126227724336265,'eb619360e6cae175d14aa2fa4e83681e7d4ea85be0a873876dc45de29c7971fe','spysocket','2012-03-09T23:59:59.000Z','name',0,281,251,30,0,251,0,0,0,0,251,'20120309T094800','20120309T094900','local','/var/spool/done/2026/12/01/a-2012-03-09.log',0,NULL,'loader','',NULL,'');
INSERT INTO extracts VALUES(2,'20261201T115707Z-e98fa1169fa2','hrt','b-2012-03-10.log','drop','/var/spool/done/2026/12/01/b-2012-03-10.log','done','','2026-12-01T11:57:08.224Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:08.224Z',5621,1796126227724420239,'b3b18ba24940c90deefa32ef32096270a4d0914f3f0f9850102f6d9d0b6086cb','spysocket','2012-03-10T23:59:59.000Z','name',0,40,39,1,0,0,39,0,0,0,39,'20120309T094800','20120309T094809','local','/var/spool/done/2026/12/01/b-2012-03-10.log',0,NULL,'loader','',NULL,'');
INSERT INTO extracts VALUES(3,'20261201T115707Z-e98fbec952bc','hrt','bad-2012-03-09.log','drop','/var/spool/failed/bad-2012-03-09.log','failed','60 of its 90 lines match no record kind of the format ''spysocket'', more than max_rejects: is this another format?; the first: line 31: expected a time HH:MM:SS (Time) at byte 0 (location)','2026-12-01T11:57:08.284Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:08.284Z',4763,1796126227724550402,'dcb0aa24f1876b41be110ef15fccb686d34484eac0785a4121672a43dd0b9913','','','',0,90,0,0,0,0,0,0,0,90,0,'','','local','/var/spool/failed/bad-2012-03-09.log',0,NULL,'loader','acknowledged','2026-12-01T11:57:08.664Z','a test');
INSERT INTO extracts VALUES(4,'20261201T115707Z-e98fc9f91a87','hrt','rej-2012-03-09.log','drop','/var/spool/done/2026/12/01/rej-2012-03-09.log','done','','2026-12-01T11:57:08.408Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:07.956Z','2026-12-01T11:57:08.408Z',4297,1796126227724595269,'7c29e412fb2bb89497750c1cbfa437802c7e08bbbc03713048e93ade2abf5bcd','spysocket','2012-03-09T23:59:59.000Z','name',0,31,29,1,1,0,29,0,0,0,29,'20120309T094800','20120309T094807','local','/var/spool/done/2026/12/01/rej-2012-03-09.log',0,NULL,'loader','',NULL,'');
INSERT INTO extracts VALUES(5,'20261201T115708Z-d51db480e55c','hrt','bad2-2012-03-09.log','drop','/var/spool/failed/bad2-2012-03-09.log','failed','60 of its 90 lines match no record kind of the format ''spysocket'', more than max_rejects: is this another format?; the first: line 31: expected a time HH:MM:SS (Time) at byte 0 (location)','2026-12-01T11:57:08.980Z','2026-12-01T11:57:08.872Z','2026-12-01T11:57:08.872Z','2026-12-01T11:57:08.980Z',4763,1796126228501529965,'dcb0aa24f1876b41be110ef15fccb686d34484eac0785a4121672a43dd0b9913','','','',0,90,0,0,0,0,0,0,0,90,0,'','','local','/var/spool/failed/bad2-2012-03-09.log',0,NULL,'loader','',NULL,'');
INSERT INTO extracts VALUES(6,'20261201T115709Z-34044368b015','hrt','a-2012-03-09.log','process','/var/in/a-2012-03-09.log','done','','2026-12-01T11:57:09.329Z','2026-12-01T11:57:09.213Z','2026-12-01T11:57:09.213Z','2026-12-01T11:57:09.329Z',41744,1796126227412983581,'eb619360e6cae175d14aa2fa4e83681e7d4ea85be0a873876dc45de29c7971fe','spysocket','2012-03-09T23:59:59.000Z','name',0,281,251,30,0,0,251,0,0,0,251,'20120309T094800','20120309T094900','local','',0,NULL,'loader','',NULL,'');
CREATE TABLE known_times (
  sha256      TEXT PRIMARY KEY,
  time_used   TEXT NOT NULL,
  time_source TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO known_times VALUES('7c29e412fb2bb89497750c1cbfa437802c7e08bbbc03713048e93ade2abf5bcd','2012-03-09T23:59:59.000Z','name');
INSERT INTO known_times VALUES('b3b18ba24940c90deefa32ef32096270a4d0914f3f0f9850102f6d9d0b6086cb','2012-03-10T23:59:59.000Z','name');
INSERT INTO known_times VALUES('eb619360e6cae175d14aa2fa4e83681e7d4ea85be0a873876dc45de29c7971fe','2012-03-09T23:59:59.000Z','name');
CREATE TABLE stores (
  place        TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  first_row_at TEXT,
  state        TEXT NOT NULL,
  why          TEXT NOT NULL DEFAULT '',
  since        TEXT NOT NULL,
  next_try     TEXT
) WITHOUT ROWID;
INSERT INTO stores VALUES('/var/state/rows.db','local','2026-12-01T11:57:08.135Z','ok','','2026-12-01T11:57:08.135Z',NULL);
CREATE TABLE left_alone (
  feed  TEXT NOT NULL,
  name  TEXT NOT NULL,
  why   TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (feed, name)
) WITHOUT ROWID;
CREATE TABLE manifests (
  feed      TEXT NOT NULL,
  name      TEXT NOT NULL,              -- of the extract that it came for
  sha256    TEXT NOT NULL,              -- that the extract must have
  run       TEXT NOT NULL,
  sequence  INTEGER NOT NULL,
  text      TEXT NOT NULL,              -- the whole manifest
  came_at   TEXT NOT NULL,
  loaded_at TEXT,                       -- its extract was; NULL: it has not come, or is not done
  too_late  INTEGER NOT NULL DEFAULT 0, -- rows of the extract were made without it
  PRIMARY KEY (feed, name, sha256)
) WITHOUT ROWID;
CREATE TABLE sources (
  feed     TEXT NOT NULL,
  run      TEXT NOT NULL,
  source   TEXT NOT NULL,               -- in words: the log and its host
  next     INTEGER NOT NULL,            -- all sequence numbers below have come, or are in gaps
  first_at TEXT NOT NULL,
  last_at  TEXT NOT NULL,
  PRIMARY KEY (feed, run)
) WITHOUT ROWID;
CREATE TABLE gaps (
  feed  TEXT NOT NULL,
  run   TEXT NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  since TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (feed, run, first)
) WITHOUT ROWID;
CREATE TABLE news (
  feed   TEXT NOT NULL,
  what   TEXT NOT NULL,                 -- what lasts, and was said: a silence, a missing extract
  at_end TEXT NOT NULL,                 -- what to say when it ends; '' = nothing
  PRIMARY KEY (feed, what)
) WITHOUT ROWID;
CREATE TABLE directories (
  path  TEXT PRIMARY KEY,               -- of a drop directory that is not well
  state TEXT NOT NULL,
  why   TEXT NOT NULL,
  since TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE retries (
  extract  INTEGER PRIMARY KEY,         -- extracts.id: it is to go in again
  asked_at TEXT NOT NULL
);
CREATE TABLE closed_gaps (
  feed      TEXT NOT NULL,
  run       TEXT NOT NULL,
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  since     TEXT NOT NULL,
  closed_at TEXT NOT NULL,
  why       TEXT NOT NULL,              -- what a person said
  PRIMARY KEY (feed, run, first, closed_at)
) WITHOUT ROWID;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('extracts',6);
CREATE UNIQUE INDEX extracts_in_drop ON extracts (feed, name) WHERE claim IS NULL;
CREATE INDEX extracts_open ON extracts (state, seen_at) WHERE state NOT IN ('done', 'failed');
CREATE INDEX extracts_by_feed ON extracts (feed, state);
CREATE INDEX extracts_by_state ON extracts (state, id);
CREATE INDEX extracts_done_at ON extracts (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX extracts_sha256 ON extracts (sha256);
CREATE INDEX extracts_name ON extracts (name);
CREATE INDEX manifests_sha256 ON manifests (sha256);
CREATE INDEX manifests_open ON manifests (came_at) WHERE loaded_at IS NULL;
CREATE INDEX extracts_to_archive ON extracts (id)
  WHERE done_path = '' AND state IN ('done', 'failed') AND origin IN ('drop', 'capture');
CREATE INDEX extracts_failed_open ON extracts (id, feed) WHERE state = 'failed' AND settled = '';
COMMIT;
PRAGMA application_id=1131574860; PRAGMA user_version=6;
