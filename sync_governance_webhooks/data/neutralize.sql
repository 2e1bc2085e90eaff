-- A copy of the database sends nothing: no endpoint is active, no secret is left, and what
-- was still to be sent is given up.
UPDATE sync_subscription
   SET state = 'disabled', disabled_reason = 'Neutralized copy', custom_headers = NULL
 WHERE state <> 'disabled';

UPDATE sync_secret
   SET state = 'revoked', ciphertext = NULL
 WHERE res_model = 'sync.subscription';

UPDATE sync_delivery
   SET state = 'discarded', claim_ref = NULL
 WHERE state IN ('held', 'pending', 'retrying', 'delivering');

UPDATE queue_job
   SET state = 'cancelled'
 WHERE model_name = 'sync.dispatcher' AND state NOT IN ('done', 'failed', 'cancelled');

DELETE FROM ir_config_parameter WHERE key = 'sync_governance.allowed_networks';
