-- What an invoice's amounts consist of, where each line's price stands, and which coupons invoices have redeemed.

ALTER TABLE billing.billing_claims DROP CONSTRAINT billing_claims_kind_check,
  -- advance: what is asked for at the subscription's start, before a period has ended.
  ADD CONSTRAINT billing_claims_kind_check CHECK (kind IN ('recurring', 'advance'));

ALTER TABLE billing.invoices
  -- Taken off by coupons; below zero where credit lines give their part of one back.
  ADD COLUMN discount_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN net_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN tax_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN credits_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN amount_due_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN tax_inclusive boolean NOT NULL DEFAULT false,
  -- [{"id", "rate" in percent, "baseMicros", "amountMicros", "reason"?}], numbers as decimal text.
  ADD COLUMN taxes jsonb NOT NULL DEFAULT '[]';
UPDATE billing.invoices SET net_micros = total_micros, amount_due_micros = total_micros;
ALTER TABLE billing.invoices
  ADD CONSTRAINT invoices_total_is_net_and_tax CHECK (net_micros + tax_micros = total_micros),
  ADD CONSTRAINT invoices_due_is_total_less_credits CHECK (amount_due_micros = total_micros - credits_micros),
  ADD CONSTRAINT invoices_credits_within_total CHECK (credits_micros BETWEEN 0 AND total_micros);

ALTER TABLE billing.invoice_lines
  DROP CONSTRAINT invoice_lines_check,
  ADD CONSTRAINT invoice_lines_metered_quantity CHECK (meter IS NULL OR quantity IS NOT NULL),
  ADD COLUMN kind text NOT NULL DEFAULT 'fee'
    CHECK (kind IN ('usage', 'fee', 'credit', 'charge', 'true-up')),
  -- The version of a plan or an add-on whose price it is.
  ADD COLUMN source text CHECK (source IN ('plan', 'add-on')),
  ADD COLUMN source_id text,
  ADD COLUMN source_version integer,
  ADD COLUMN cap_micros bigint NOT NULL DEFAULT 0 CHECK (cap_micros <= 0),
  ADD COLUMN discount_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN net_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN tax_micros bigint NOT NULL DEFAULT 0;
UPDATE billing.invoice_lines l SET net_micros = l.amount_micros,
  kind = CASE WHEN l.meter IS NULL THEN 'fee' ELSE 'usage' END,
  source = 'plan', source_id = c.document::jsonb #>> '{plan,id}',
  source_version = (c.document::jsonb #>> '{plan,version}')::integer
FROM billing.certificates c WHERE c.invoice_id = l.invoice_id;
-- An amount contains its tax, or the tax comes on top of it: the invoice says which.
ALTER TABLE billing.invoice_lines ADD CONSTRAINT invoice_lines_net CHECK (
  net_micros = amount_micros + cap_micros - discount_micros
  OR net_micros + tax_micros = amount_micros + cap_micros - discount_micros
);

-- One row for each invoice that a coupon took something off; its number says which time it was.
CREATE TABLE billing.coupon_redemptions (
  tenant text NOT NULL,
  subscription text NOT NULL,
  coupon text NOT NULL,
  sequence integer NOT NULL CHECK (sequence > 0),
  invoice_id uuid NOT NULL,
  currency char(3) NOT NULL,
  amount_micros bigint NOT NULL CHECK (amount_micros <> 0),
  redeemed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, subscription, coupon, sequence),
  UNIQUE (invoice_id, coupon),
  FOREIGN KEY (tenant, subscription) REFERENCES billing.subscriptions (tenant, key),
  FOREIGN KEY (tenant, coupon) REFERENCES billing.coupons (tenant, id)
);
GRANT SELECT, INSERT ON billing.coupon_redemptions TO tidemark_invoicer;

-- What a price of a longer interval rests on begins before the period that it is billed with.
CREATE OR REPLACE VIEW billing.unbilled_periods AS
SELECT tenant, subscription, unbilled_from, unbilled_to
FROM (
  SELECT s.tenant, s.key AS subscription, s.ended_at AS unbilled_to,
    greatest(s.started_at, coalesce((
      SELECT max(b.period_end) FROM billing.billing_claims b
      WHERE b.tenant = s.tenant AND b.subscription = s.key AND b.kind = 'recurring'
    ), s.started_at) - coalesce((
      SELECT max(make_interval(
        years => CASE unit WHEN 'year' THEN count ELSE 0 END, months => CASE unit WHEN 'month' THEN count ELSE 0 END,
        weeks => CASE unit WHEN 'week' THEN count ELSE 0 END, days => CASE unit WHEN 'day' THEN count ELSE 0 END))
      FROM billing.subscription_phases h
      JOIN billing.plan_versions v ON v.tenant = h.tenant AND v.plan = h.plan AND v.version = h.plan_version
      CROSS JOIN LATERAL (
        SELECT jsonb_array_elements(v.definition -> 'prices') AS price
        UNION ALL
        SELECT jsonb_array_elements(a.definition -> 'prices') FROM jsonb_array_elements(h.add_ons) AS given
        JOIN billing.add_on_versions a
          ON a.tenant = h.tenant AND a.add_on = given ->> 'id' AND a.version = (given ->> 'version')::integer
      ) AS listed
      CROSS JOIN LATERAL (
        SELECT price #>> '{interval,unit}' AS unit, (price #>> '{interval,count}')::integer AS count
      ) AS interval
      WHERE h.tenant = s.tenant AND h.subscription = s.key AND price ? 'interval'
    ), '0')) AS unbilled_from
  FROM billing.subscriptions s
  WHERE s.billing_mode = 'tidemark'
) AS each_subscription
WHERE unbilled_to IS NULL OR unbilled_from < unbilled_to;

CREATE OR REPLACE VIEW billing.certified_periods AS
SELECT i.tenant, i.id AS invoice_id, least(i.period_start, (
    SELECT min(l.service_start) FROM billing.invoice_lines l
    WHERE l.invoice_id = i.id AND l.issued_on = i.issued_on AND l.kind = 'usage'
  )) AS period_start, i.period_end, i.issued_on
FROM billing.invoices i JOIN billing.certificates c ON c.invoice_id = i.id;
