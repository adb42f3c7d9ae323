-- A case store of schema 2 as it was written then, with events in it. Never edited.
CREATE TABLE event (
	id BYTEA PRIMARY KEY CHECK (length(id) = 16),
	type TEXT NOT NULL,
	source TEXT NOT NULL,
	occurred_ns BIGINT,
	recorded_ns BIGINT,
	accepted_ns BIGINT NOT NULL,
	received_ns BIGINT NOT NULL,
	person_key BYTEA,
	mailbox TEXT NOT NULL,
	position BIGINT NOT NULL,
	correlation_id BYTEA,
	causation_id BYTEA,
	supersedes BYTEA,
	urgency BIGINT NOT NULL,
	redacted BIGINT NOT NULL,
	encoded BYTEA NOT NULL
);
CREATE INDEX event_by_person ON event (person_key, occurred_ns);
CREATE INDEX event_by_type ON event (type, occurred_ns);
CREATE INDEX event_by_received ON event (received_ns);
CREATE INDEX event_by_correlation ON event (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX event_by_superseded ON event (supersedes) WHERE supersedes IS NOT NULL;
CREATE TABLE delivery (
	event_id BYTEA NOT NULL REFERENCES event (id),
	mailbox TEXT NOT NULL,
	position BIGINT NOT NULL,
	received_ns BIGINT NOT NULL,
	PRIMARY KEY (event_id, mailbox)
);
CREATE TABLE position (
	mailbox TEXT PRIMARY KEY,
	stored_to BIGINT NOT NULL
);
CREATE TABLE published (
	id BYTEA PRIMARY KEY CHECK (length(id) = 16),
	type TEXT NOT NULL,
	published_ns BIGINT NOT NULL,
	code BIGINT,
	duplicate BIGINT,
	sequence BIGINT,
	text TEXT,
	answered_ns BIGINT,
	encoded BYTEA NOT NULL
);
CREATE INDEX event_by_accepted ON event (accepted_ns, id);
CREATE INDEX published_by_time ON published (published_ns, id);
INSERT INTO event VALUES
	('\x01020304050670000000000000000001', 'prison.reception', 'prison', 1001, NULL, 2003, 3000, NULL, 'one-service/duty', 2, NULL, NULL,
	'\x09000000000000000000000000000000', 0, 0,
	'\x0a10010203040506700000000000000000011206707269736f6e1a10707269736f6e2e726563657074696f6e220909e9030000000000004a1009000000000000000000000000000000a206050a03504249'),
	('\x01020304050670000000000000000002', 'prison.reception', 'prison', 1002, NULL, 2001, 3000, NULL, 'one-service/duty', 3, NULL, NULL,
	'\x09000000000000000000000000000000', 0, 1,
	'\x0a10010203040506700000000000000000021206707269736f6e1a10707269736f6e2e726563657074696f6e220909ea030000000000004a1009000000000000000000000000000000a20600'),
	('\x01020304050670000000000000000003', 'prison.reception', 'prison', 1003, NULL, 2002, 3000, '\xabababababababababababababababab', 'one-service/duty', 4, NULL, NULL,
	'\x09000000000000000000000000000000', 0, 0,
	'\x0a10010203040506700000000000000000031206707269736f6e1a10707269736f6e2e726563657074696f6e220909eb030000000000004a1009000000000000000000000000000000a206050a03504249');
INSERT INTO delivery VALUES
	('\x01020304050670000000000000000001', 'one-service/duty', 2, 3000),
	('\x01020304050670000000000000000002', 'one-service/duty', 3, 3000),
	('\x01020304050670000000000000000003', 'one-service/duty', 4, 3000);
INSERT INTO position VALUES ('one-service/duty', 4);
INSERT INTO published VALUES
	('\x01020304050670000000000000000011', 'service.enrolled', 1999, 0, 0, 71, '', 3000, '\x78'),
	('\x01020304050670000000000000000012', 'service.enrolled', 2005, 105, 0, 0, 'no', 3000, '\x78'),
	('\x01020304050670000000000000000013', 'service.enrolled', 2004, NULL, NULL, NULL, NULL, NULL, '\x78');
CREATE TABLE store_version (version BIGINT NOT NULL);
INSERT INTO store_version VALUES (2);
