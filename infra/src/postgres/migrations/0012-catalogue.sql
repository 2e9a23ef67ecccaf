-- The whole catalogue. Every noun that two may change at once has a revision, raised by each change: a writer that has
-- read an older one is refused.

-- Who sells: the tenant's legal person. The invoice series' prefix stands in invoice_series.
CREATE TABLE billing.sellers (
  tenant text PRIMARY KEY,
  -- As it was given, see schemas/src/seller.ts.
  definition jsonb NOT NULL,
  revision bigint NOT NULL CHECK (revision > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

-- The tenant's own rates: one unit of the first currency costs this much of the second from that date on.
CREATE TABLE billing.exchange_rates (
  tenant text NOT NULL,
  from_currency char(3) NOT NULL,
  to_currency char(3) NOT NULL CHECK (to_currency <> from_currency),
  valid_from date NOT NULL,
  rate numeric(24, 12) NOT NULL CHECK (rate > 0),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, from_currency, to_currency, valid_from)
);

ALTER TABLE billing.customers
  ADD COLUMN address jsonb,
  ADD COLUMN tax_id jsonb,
  ADD COLUMN tax_exemption text NOT NULL DEFAULT 'none' CHECK (tax_exemption IN ('none', 'exempt', 'reverse')),
  -- Days from issue until due.
  ADD COLUMN due_days smallint CHECK (due_days >= 0),
  ADD COLUMN home_region text,
  -- With processors other than the one that processor_customer_id is for.
  ADD COLUMN processor_customer_ids jsonb,
  ADD COLUMN metadata jsonb,
  ADD COLUMN revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0);

ALTER TABLE billing.plans ADD COLUMN revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0);
ALTER TABLE billing.plan_versions ADD COLUMN deprecated_at timestamptz;

-- Lists of prices that subscriptions add to their plan's; versioned as plans are.
CREATE TABLE billing.add_ons (
  tenant text NOT NULL,
  id text NOT NULL,
  created_at timestamptz NOT NULL,
  revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
  PRIMARY KEY (tenant, id)
);

CREATE TABLE billing.add_on_versions (
  tenant text NOT NULL,
  add_on text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  state text NOT NULL CHECK (state IN ('draft', 'published', 'deprecated')),
  -- The add-on as it was given, see schemas/src/add-on.ts.
  definition jsonb NOT NULL,
  -- Of the definition's canonical JSON.
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL,
  published_at timestamptz,
  deprecated_at timestamptz,
  PRIMARY KEY (tenant, add_on, version),
  FOREIGN KEY (tenant, add_on) REFERENCES billing.add_ons (tenant, id)
);

-- Only a draft may change; states go forward only; nothing that was published is ever removed.
CREATE FUNCTION billing.keep_published_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.state = 'draft' THEN
      RETURN OLD;
    END IF;
  ELSIF OLD.state = 'draft' OR (
    (OLD.state = NEW.state OR (OLD.state, NEW.state) = ('published', 'deprecated'))
    AND to_jsonb(OLD) - ARRAY['state', 'deprecated_at'] = to_jsonb(NEW) - ARRAY['state', 'deprecated_at']
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a version that was published never changes: publish a new one'
    USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER published_plans_never_change BEFORE UPDATE OR DELETE ON billing.plan_versions
  FOR EACH ROW EXECUTE FUNCTION billing.keep_published_version();
CREATE TRIGGER published_add_ons_never_change BEFORE UPDATE OR DELETE ON billing.add_on_versions
  FOR EACH ROW EXECUTE FUNCTION billing.keep_published_version();

-- What a coupon is worth never changes (see the grants), since invoices rest on it.
CREATE TABLE billing.coupons (
  tenant text NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  -- type, value, currency, duration, periods, appliesTo: see schemas/src/coupon.ts.
  terms jsonb NOT NULL,
  redeem_by timestamptz,
  max_redemptions integer CHECK (max_redemptions > 0),
  revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- A customer's currency is fixed by the first invoice: balances of different currencies never mix.
CREATE FUNCTION billing.keep_invoiced_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM billing.invoices WHERE tenant = OLD.tenant AND customer = OLD.key) THEN
    RAISE EXCEPTION 'the currency of a customer is fixed by the first invoice'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER invoiced_currency_never_changes BEFORE UPDATE OF currency ON billing.customers
  FOR EACH ROW WHEN (OLD.currency <> NEW.currency) EXECUTE FUNCTION billing.keep_invoiced_currency();

GRANT SELECT, INSERT, UPDATE ON billing.sellers, billing.exchange_rates TO tidemark_invoicer;
GRANT SELECT, INSERT ON billing.add_ons, billing.add_on_versions, billing.coupons TO tidemark_invoicer;
GRANT UPDATE (revision) ON billing.plans, billing.add_ons TO tidemark_invoicer;
GRANT UPDATE (state, definition, sha256, published_at, deprecated_at)
  ON billing.plan_versions, billing.add_on_versions TO tidemark_invoicer;
GRANT UPDATE (name, redeem_by, max_redemptions, revision, updated_at) ON billing.coupons TO tidemark_invoicer;
