-- Billing, written by the invoicer alone. Amounts are BIGINT micro-units; times come from the service's clock, so none
-- has a default. Everything hangs on (tenant, key): a row of one tenant can never name a row of another.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE SCHEMA billing;
GRANT USAGE ON SCHEMA billing TO tidemark_invoicer;

-- One row per tenant, raised by whatever changes its catalogue: a close that read another revision starts again.
CREATE TABLE billing.catalogue_revisions (
  tenant text PRIMARY KEY,
  revision bigint NOT NULL
);

CREATE TABLE billing.customers (
  tenant text NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  email text NOT NULL,
  currency char(3) NOT NULL,
  time_zone text NOT NULL,
  processor_customer_id text,
  payment_method_id text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, key)
);

-- A published version never changes: only its state may be updated (see the grants), a change is a new version.
CREATE TABLE billing.plans (
  tenant text NOT NULL,
  id text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE billing.plan_versions (
  tenant text NOT NULL,
  plan text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  state text NOT NULL CHECK (state IN ('draft', 'published', 'deprecated')),
  -- The plan as it was given, see schemas/src/catalogue.ts.
  definition jsonb NOT NULL,
  -- Of the definition's canonical JSON.
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL,
  published_at timestamptz,
  PRIMARY KEY (tenant, plan, version),
  FOREIGN KEY (tenant, plan) REFERENCES billing.plans (tenant, id)
);

CREATE TABLE billing.subscriptions (
  tenant text NOT NULL,
  key text NOT NULL,
  customer text NOT NULL,
  plan text NOT NULL,
  plan_version integer NOT NULL,
  anchor_day smallint NOT NULL CHECK (anchor_day BETWEEN 1 AND 31),
  started_at timestamptz NOT NULL,
  ended_at timestamptz CHECK (ended_at > started_at),
  state text NOT NULL CHECK (state IN ('active', 'ended')),
  -- Which side may claim the next period; what is claimed stands in billing_claims.
  billing_mode text NOT NULL CHECK (billing_mode IN ('tidemark', 'old')),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, key),
  FOREIGN KEY (tenant, customer) REFERENCES billing.customers (tenant, key),
  FOREIGN KEY (tenant, plan, plan_version) REFERENCES billing.plan_versions (tenant, plan, version)
);
CREATE INDEX subscriptions_by_customer ON billing.subscriptions (tenant, customer);

-- A metered key belongs to one customer at a time, over half-open times; no lower end means always.
CREATE TABLE billing.subjects (
  tenant text NOT NULL,
  subject text NOT NULL,
  customer text NOT NULL,
  -- Null: whichever subscription of the customer bills the meter.
  subscription text,
  during tstzrange NOT NULL CHECK (
    NOT isempty(during) AND (lower_inf(during) OR lower_inc(during)) AND NOT upper_inc(during)
  ),
  CONSTRAINT subjects_never_overlap EXCLUDE USING gist (tenant WITH =, subject WITH =, during WITH &&),
  FOREIGN KEY (tenant, customer) REFERENCES billing.customers (tenant, key),
  FOREIGN KEY (tenant, subscription) REFERENCES billing.subscriptions (tenant, key)
);
CREATE INDEX subjects_by_customer ON billing.subjects (tenant, customer);

-- The one place that says which side bills a period. Inserted before anything is billed: the key makes a second close
-- impossible. Not partitioned, because a unique key of a partitioned table must contain the partition's column.
CREATE TABLE billing.billing_claims (
  tenant text NOT NULL,
  subscription text NOT NULL,
  period_start timestamptz NOT NULL,
  kind text NOT NULL CHECK (kind IN ('recurring')),
  sequence integer NOT NULL CHECK (sequence > 0),
  period_end timestamptz NOT NULL CHECK (period_end > period_start),
  side text NOT NULL CHECK (side IN ('tidemark', 'old')),
  invoice_id uuid CHECK ((invoice_id IS NULL) = (side = 'old')),
  claimed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, subscription, period_start, kind, sequence),
  FOREIGN KEY (tenant, subscription) REFERENCES billing.subscriptions (tenant, key)
);
CREATE UNIQUE INDEX billing_claims_by_invoice ON billing.billing_claims (invoice_id);

-- Numbers come from a counter row that the closing transaction holds, never from a sequence: no gaps.
CREATE TABLE billing.invoice_series (
  tenant text NOT NULL,
  series text NOT NULL,
  prefix text NOT NULL,
  last_number bigint NOT NULL CHECK (last_number >= 0),
  PRIMARY KEY (tenant, series)
);

CREATE TABLE billing.invoice_numbers (
  tenant text NOT NULL,
  series text NOT NULL,
  number bigint NOT NULL CHECK (number > 0),
  invoice_id uuid NOT NULL UNIQUE,
  PRIMARY KEY (tenant, series, number),
  FOREIGN KEY (tenant, series) REFERENCES billing.invoice_series (tenant, series)
);

CREATE TABLE billing.invoices (
  id uuid NOT NULL,
  tenant text NOT NULL,
  number text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('recurring')),
  customer text NOT NULL,
  subscription text NOT NULL,
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL CHECK (period_end > period_start),
  currency char(3) NOT NULL,
  total_micros bigint NOT NULL CHECK (total_micros >= 0),
  -- The legal transitions stand in services/invoicer/src/invoices/states.ts and in the condition of every update.
  state text NOT NULL CHECK (state IN ('draft', 'open', 'paid', 'past_due', 'void', 'uncollectible')),
  issued_on date NOT NULL,
  opened_at timestamptz CHECK (opened_at IS NOT NULL OR state IN ('draft', 'void')),
  paid_at timestamptz CHECK ((paid_at IS NOT NULL) = (state = 'paid')),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (id, issued_on),
  FOREIGN KEY (tenant, customer) REFERENCES billing.customers (tenant, key),
  FOREIGN KEY (tenant, subscription) REFERENCES billing.subscriptions (tenant, key)
) PARTITION BY RANGE (issued_on);
CREATE INDEX invoices_by_date ON billing.invoices (tenant, issued_on, id);
CREATE INDEX invoices_by_customer ON billing.invoices (tenant, customer, issued_on, id);
CREATE INDEX invoices_to_collect ON billing.invoices (tenant, state) WHERE state IN ('open', 'past_due');

CREATE TABLE billing.invoice_lines (
  tenant text NOT NULL,
  invoice_id uuid NOT NULL,
  issued_on date NOT NULL,
  position smallint NOT NULL CHECK (position > 0),
  price text NOT NULL,
  model text NOT NULL,
  description text NOT NULL,
  meter text,
  meter_version integer,
  quantity numeric(76, 9) CHECK ((quantity IS NULL) = (meter IS NULL)),
  currency char(3) NOT NULL,
  amount_micros bigint NOT NULL,
  service_start timestamptz NOT NULL,
  service_end timestamptz NOT NULL CHECK (service_end > service_start),
  CHECK ((meter IS NULL) = (meter_version IS NULL)),
  PRIMARY KEY (invoice_id, issued_on, position),
  FOREIGN KEY (invoice_id, issued_on) REFERENCES billing.invoices (id, issued_on)
) PARTITION BY RANGE (issued_on);

DO $$
BEGIN
  FOR year IN 2024..2031 LOOP
    EXECUTE format('CREATE TABLE billing.invoices_%s PARTITION OF billing.invoices FOR VALUES FROM (%L) TO (%L)',
      year, year || '-01-01', (year + 1) || '-01-01');
    EXECUTE format('CREATE TABLE billing.invoice_lines_%s PARTITION OF billing.invoice_lines FOR VALUES FROM (%L) TO (%L)',
      year, year || '-01-01', (year + 1) || '-01-01');
  END LOOP;
END
$$;

-- What an invoice rests on: canonical JSON, kept as text because its bytes are what is compared.
CREATE TABLE billing.certificates (
  invoice_id uuid PRIMARY KEY,
  tenant text NOT NULL,
  document text NOT NULL,
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$')
);

-- Stored before the processor is called (rule 8).
CREATE TABLE billing.payment_attempts (
  id uuid PRIMARY KEY,
  tenant text NOT NULL,
  invoice_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN (
    'intent', 'created', 'confirming', 'processing', 'succeeded', 'requires_action', 'failed', 'canceled', 'unknown'
  )),
  amount_micros bigint NOT NULL CHECK (amount_micros > 0),
  currency char(3) NOT NULL,
  processor_intent_id text,
  decline_code text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
-- One invoice, at most one attempt that may still capture or has captured.
CREATE UNIQUE INDEX payment_attempts_one_alive ON billing.payment_attempts (invoice_id)
  WHERE state NOT IN ('failed', 'canceled');
CREATE UNIQUE INDEX payment_attempts_by_intent ON billing.payment_attempts (processor_intent_id);
CREATE INDEX payment_attempts_by_invoice ON billing.payment_attempts (invoice_id, created_at);
CREATE INDEX payment_attempts_unsettled ON billing.payment_attempts (updated_at)
  WHERE state NOT IN ('succeeded', 'failed', 'canceled');

CREATE TABLE billing.webhook_events (
  id text PRIMARY KEY,
  type text NOT NULL,
  payload jsonb NOT NULL,
  received_at timestamptz NOT NULL,
  processed_at timestamptz
);
CREATE INDEX webhook_events_unprocessed ON billing.webhook_events (received_at) WHERE processed_at IS NULL;

-- Written with the change that it tells of; relayed to billing.events in the order of ids per key.
CREATE TABLE billing.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  key text NOT NULL,
  event jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  published_at timestamptz
);
CREATE INDEX outbox_unpublished ON billing.outbox (id) WHERE published_at IS NULL;

-- Append-only: nobody has the right to change or remove a row.
CREATE TABLE billing.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  entity text NOT NULL,
  entity_key text NOT NULL,
  before jsonb,
  after jsonb
);
CREATE INDEX audit_log_by_entity ON billing.audit_log (tenant, entity, entity_key, id);

GRANT SELECT, INSERT ON billing.plans, billing.plan_versions, billing.billing_claims, billing.invoice_numbers,
  billing.invoices, billing.invoice_lines, billing.certificates, billing.audit_log TO tidemark_invoicer;
GRANT UPDATE (state, published_at) ON billing.plan_versions TO tidemark_invoicer;
GRANT UPDATE (state, paid_at, opened_at, updated_at) ON billing.invoices TO tidemark_invoicer;
GRANT SELECT, INSERT, UPDATE ON billing.catalogue_revisions, billing.customers, billing.subscriptions,
  billing.invoice_series, billing.payment_attempts, billing.webhook_events, billing.outbox TO tidemark_invoicer;
GRANT SELECT, INSERT, DELETE ON billing.subjects TO tidemark_invoicer;
