-- Whether a tenant hears `duplicate` at the door: ingest then remembers its acknowledged ids in Redis, for a while.
ALTER TABLE access.tenants ADD COLUMN remembers_ids boolean NOT NULL DEFAULT false;
