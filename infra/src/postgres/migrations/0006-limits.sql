-- How much a tenant, or one of its keys, may send. No row, or null, means no limit. Ingest reads them every few seconds.
CREATE TABLE access.limits (
  tenant text NOT NULL REFERENCES access.tenants (id),
  -- Null: all keys of the tenant together.
  key_id text REFERENCES access.api_keys (id),
  events_per_second integer CHECK (events_per_second > 0),
  bytes_per_second integer CHECK (bytes_per_second > 0),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (tenant, key_id)
);

GRANT SELECT, INSERT, UPDATE ON access.limits TO tidemark_ingest;

-- Lists of keys go page by page in the order in which they were made.
CREATE INDEX api_keys_by_tenant ON access.api_keys (tenant, created_at, id);
