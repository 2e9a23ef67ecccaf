-- What is in force over a subscription's life. The columns of billing.subscriptions that say the same (plan, plan_version,
-- ended_at, state) are kept as they were at its last change, for readers; its state at an instant follows from here.

ALTER TABLE billing.subscriptions
  -- A local date on which a period begins; null: that of the start, as before there was another.
  ADD COLUMN anchor_date date,
  ADD COLUMN alignment text NOT NULL DEFAULT 'anchor' CHECK (alignment IN ('anchor', 'calendar')),
  -- The system that keeps the subscription: Tidemark itself, or the one that it was taken over from.
  ADD COLUMN source text NOT NULL DEFAULT 'tidemark' CHECK (source <> ''),
  -- Raised by each change: a writer that has read an older one is refused.
  ADD COLUMN revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
  DROP CONSTRAINT subscriptions_check,
  -- The same instant: canceled before it began.
  ADD CONSTRAINT subscriptions_end_not_before_start CHECK (ended_at >= started_at);

-- Half-open and end to end from the start on without an end; what lies beyond ended_at follows if that is withdrawn.
CREATE TABLE billing.subscription_phases (
  tenant text NOT NULL,
  subscription text NOT NULL,
  from_at timestamptz NOT NULL,
  -- Null: nothing is known to follow.
  to_at timestamptz CHECK (to_at > from_at),
  status text NOT NULL CHECK (status IN ('trial', 'active', 'paused')),
  plan text NOT NULL,
  plan_version integer NOT NULL,
  quantity numeric(38, 9) NOT NULL CHECK (quantity >= 0),
  -- [{"id", "version", "quantity" as decimal text}], in the order of ids.
  add_ons jsonb NOT NULL,
  -- Since a plan of another interval began: {"date", "day", "alignment"}, where periods are counted from.
  anchor jsonb,
  PRIMARY KEY (tenant, subscription, from_at),
  FOREIGN KEY (tenant, subscription) REFERENCES billing.subscriptions (tenant, key),
  FOREIGN KEY (tenant, plan, plan_version) REFERENCES billing.plan_versions (tenant, plan, version)
);

INSERT INTO billing.subscription_phases
  (tenant, subscription, from_at, to_at, status, plan, plan_version, quantity, add_ons)
SELECT tenant, key, started_at, NULL, 'active', plan, plan_version, 1, '[]' FROM billing.subscriptions;

-- Discounts that a subscription is given, once each; how often each was redeemed follows from what was invoiced.
CREATE TABLE billing.subscription_coupons (
  tenant text NOT NULL,
  subscription text NOT NULL,
  coupon text NOT NULL,
  from_at timestamptz NOT NULL,
  -- Null until it is taken away.
  to_at timestamptz CHECK (to_at >= from_at),
  attached_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, subscription, coupon),
  FOREIGN KEY (tenant, subscription) REFERENCES billing.subscriptions (tenant, key),
  FOREIGN KEY (tenant, coupon) REFERENCES billing.coupons (tenant, id)
);
CREATE INDEX subscription_coupons_by_coupon ON billing.subscription_coupons (tenant, coupon);

-- A request that is sent again under its key gets the answer of the first time; written with what it changed.
CREATE TABLE billing.idempotency_keys (
  tenant text NOT NULL,
  key text NOT NULL,
  -- Of method, path and body: another request under the same key is refused.
  request_sha256 text NOT NULL CHECK (request_sha256 ~ '^[0-9a-f]{64}$'),
  status smallint,
  answer jsonb,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, key)
);

GRANT SELECT, INSERT, DELETE ON billing.subscription_phases TO tidemark_invoicer;
GRANT SELECT, INSERT, UPDATE ON billing.subscription_coupons TO tidemark_invoicer;
GRANT SELECT, INSERT, UPDATE (status, answer) ON billing.idempotency_keys TO tidemark_invoicer;
