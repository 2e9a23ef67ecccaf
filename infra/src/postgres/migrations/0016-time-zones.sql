-- The zones that a customer of whom something was billed had before: a change counts for periods that begin after it, and
-- what was billed is computed anew by the zone that it was billed with.
CREATE TABLE billing.past_time_zones (
  tenant text NOT NULL,
  customer text NOT NULL,
  -- The first instant at which it was the customer's no more.
  until_at timestamptz NOT NULL,
  time_zone text NOT NULL,
  PRIMARY KEY (tenant, customer, until_at),
  FOREIGN KEY (tenant, customer) REFERENCES billing.customers (tenant, key)
);
GRANT SELECT, INSERT ON billing.past_time_zones TO tidemark_invoicer;
