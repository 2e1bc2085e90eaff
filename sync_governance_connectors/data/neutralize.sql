-- A copy of a database answers no partner and knows no key that opens the original.
UPDATE sync_credential SET state = 'revoked' WHERE state NOT IN ('revoked', 'expired');
DELETE FROM sync_idempotency;
UPDATE sync_request SET request_body = NULL, response_body = NULL, outcome_body = NULL, replayable = FALSE;
UPDATE sync_feed SET state = 'paused' WHERE state = 'active';
UPDATE sync_remote SET status = 'isolated';
