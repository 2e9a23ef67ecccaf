-- Tax: who answers, the tenant's own rates, and every question with its answer.

-- Two writers at once: one wins, the other is told.
CREATE TABLE billing.tax_revisions (
  tenant text NOT NULL,
  noun text NOT NULL CHECK (noun IN ('settings', 'rates')),
  revision bigint NOT NULL CHECK (revision >= 0),
  PRIMARY KEY (tenant, noun)
);

-- The provider that answers for dates from that one on; without a row the tenant's own rates do.
CREATE TABLE billing.tax_settings (
  tenant text NOT NULL,
  valid_from date NOT NULL,
  provider text NOT NULL CHECK (provider IN ('fixed', 'stripe', 'none')),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, valid_from)
);

CREATE TABLE billing.tax_rates (
  tenant text NOT NULL,
  id text NOT NULL,
  valid_from date NOT NULL,
  valid_to date CHECK (valid_to > valid_from),
  -- Of one tax only the most specific rate applies to a line.
  tax text NOT NULL,
  percent numeric(15, 12) NOT NULL CHECK (percent >= 0),
  -- Null: everywhere.
  country char(2),
  region text CHECK (region IS NULL OR country IS NOT NULL),
  tax_code text,
  description text,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id, valid_from)
);

-- Never changed: an invoice rests on the answer that was given, whatever the provider would say today.
CREATE TABLE billing.tax_calculations (
  tenant text NOT NULL,
  -- What it is for; a key whose content has changed meanwhile is another calculation.
  key text NOT NULL,
  -- Of the request's canonical JSON.
  request_sha256 text NOT NULL CHECK (request_sha256 ~ '^[0-9a-f]{64}$'),
  provider text NOT NULL,
  version text NOT NULL,
  request jsonb NOT NULL,
  answer jsonb NOT NULL,
  calculated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, key, request_sha256)
);

GRANT SELECT, INSERT, UPDATE ON billing.tax_revisions, billing.tax_settings TO tidemark_invoicer;
GRANT SELECT, INSERT, DELETE ON billing.tax_rates TO tidemark_invoicer;
GRANT SELECT, INSERT ON billing.tax_calculations TO tidemark_invoicer;
