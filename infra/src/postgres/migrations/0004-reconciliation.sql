-- Old against new, written by the reconciler. A case is one entity and period; its sides arrive in any order.
CREATE SCHEMA reconciliation;
GRANT USAGE ON SCHEMA reconciliation TO tidemark_reconciler, tidemark_invoicer;

CREATE TABLE reconciliation.cases (
  tenant text NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL CHECK (period_end > period_start),
  old_amount numeric,
  old_currency text,
  new_amount numeric,
  new_currency text,
  -- When the first side came, and until when the other is waited for.
  seen_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  cause text,
  rule text,
  difference numeric,
  currency text,
  judged_at timestamptz,
  CHECK (old_amount IS NOT NULL OR new_amount IS NOT NULL),
  CHECK ((cause IS NULL) = (judged_at IS NULL)),
  PRIMARY KEY (tenant, kind, key, period_start)
);
CREATE INDEX cases_waiting ON reconciliation.cases (due_at) WHERE cause IS NULL;
CREATE INDEX cases_by_cause ON reconciliation.cases (tenant, cause, judged_at);

-- Findings in the order in which they were judged, until they are published to Kafka and ClickHouse.
CREATE TABLE reconciliation.findings_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  finding jsonb NOT NULL,
  published_at timestamptz
);
CREATE INDEX findings_unpublished ON reconciliation.findings_outbox (id) WHERE published_at IS NULL;

-- One alert per tenant, rule, currency and hour.
CREATE TABLE reconciliation.alerts (
  tenant text NOT NULL,
  rule text NOT NULL,
  currency text NOT NULL,
  hour timestamptz NOT NULL,
  severity text NOT NULL CHECK (severity IN ('information', 'warning', 'critical')),
  amount numeric NOT NULL,
  threshold numeric NOT NULL,
  raised_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, rule, currency, hour)
);

-- Records that could not be read: never dropped, a person mends the bridge and sends them again.
CREATE TABLE reconciliation.unreadable_records (
  topic text NOT NULL,
  partition integer NOT NULL,
  record_offset bigint NOT NULL,
  reason text NOT NULL,
  value bytea,
  PRIMARY KEY (topic, partition, record_offset)
);

GRANT SELECT, INSERT, UPDATE ON reconciliation.cases, reconciliation.findings_outbox TO tidemark_reconciler;
GRANT SELECT, INSERT ON reconciliation.alerts, reconciliation.unreadable_records TO tidemark_reconciler;
