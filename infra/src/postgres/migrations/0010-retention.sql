-- What still rests on usage, for the aggregator: it refuses to remove a month that a bill or its proof needs.

-- From where on a subscription is not billed; without an end while it goes on. What the old side bills needs no usage here.
CREATE VIEW billing.unbilled_periods AS
SELECT tenant, subscription, unbilled_from, unbilled_to
FROM (
  SELECT s.tenant, s.key AS subscription, s.ended_at AS unbilled_to,
    coalesce((
      SELECT max(b.period_end) FROM billing.billing_claims b
      WHERE b.tenant = s.tenant AND b.subscription = s.key
    ), s.started_at) AS unbilled_from
  FROM billing.subscriptions s
  WHERE s.billing_mode = 'tidemark'
) AS each_subscription
WHERE unbilled_to IS NULL OR unbilled_from < unbilled_to;

CREATE VIEW billing.certified_periods AS
SELECT i.tenant, i.id AS invoice_id, i.period_start, i.period_end, i.issued_on
FROM billing.invoices i JOIN billing.certificates c ON c.invoice_id = i.id;

GRANT USAGE ON SCHEMA billing TO tidemark_aggregator;
GRANT SELECT ON billing.unbilled_periods, billing.certified_periods TO tidemark_aggregator;
