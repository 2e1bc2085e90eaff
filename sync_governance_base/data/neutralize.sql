-- a copy of the database must not be able to speak in the name of the original
UPDATE sync_secret
   SET ciphertext = NULL,
       state = 'revoked';
