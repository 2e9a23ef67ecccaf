-- Tenants and API keys, written by ingest. Other services read who may do what through one view.
CREATE SCHEMA access;
GRANT USAGE ON SCHEMA access TO tidemark_ingest, tidemark_aggregator, tidemark_invoicer, tidemark_reconciler;

CREATE TABLE access.tenants (
  id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  -- First part of every identity key: never reused, never changed.
  number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
  name text NOT NULL CHECK (name <> ''),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE access.api_keys (
  id text PRIMARY KEY CHECK (id ~ '^[a-z0-9]{16}$'),
  tenant text NOT NULL REFERENCES access.tenants (id),
  name text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  -- SHA-256 of the whole key; the key itself is shown once and kept nowhere.
  key_sha256 bytea NOT NULL UNIQUE CHECK (length(key_sha256) = 32),
  scopes text[] NOT NULL CHECK (scopes <@ ARRAY['ingest', 'read', 'admin'] AND cardinality(scopes) > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

CREATE VIEW access.valid_keys AS
SELECT k.id, k.key_sha256, k.tenant, t.number AS tenant_number, k.scopes, k.expires_at
FROM access.api_keys k JOIN access.tenants t ON t.id = k.tenant
WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());

GRANT SELECT, INSERT, UPDATE ON access.tenants, access.api_keys TO tidemark_ingest;
GRANT SELECT ON access.valid_keys TO tidemark_ingest, tidemark_aggregator, tidemark_invoicer, tidemark_reconciler;
