-- What a payment attempt was sent with, so that a repetition under its idempotency key is the same request although the
-- customer has a new card meanwhile, and the instant from which on it may be worked at: who takes it moves that instant
-- ahead, so that nobody else takes it and a crash gives it back. Null once the outcome is final.
ALTER TABLE billing.payment_attempts
  ADD COLUMN processor_customer_id text NOT NULL,
  ADD COLUMN payment_method_id text NOT NULL,
  ADD COLUMN tries integer NOT NULL DEFAULT 0,
  ADD COLUMN next_try_at timestamptz
    CHECK ((next_try_at IS NULL) = (state IN ('succeeded', 'failed', 'canceled')));
DROP INDEX billing.payment_attempts_unsettled;
CREATE INDEX payment_attempts_due ON billing.payment_attempts (next_try_at) WHERE next_try_at IS NOT NULL;

-- An event that cannot be processed now must not hold up the others; the note says why one changed nothing.
ALTER TABLE billing.webhook_events
  ADD COLUMN tries integer NOT NULL DEFAULT 0,
  ADD COLUMN next_try_at timestamptz CHECK ((next_try_at IS NULL) = (processed_at IS NOT NULL)),
  ADD COLUMN note text;
DROP INDEX billing.webhook_events_unprocessed;
CREATE INDEX webhook_events_due ON billing.webhook_events (next_try_at) WHERE next_try_at IS NOT NULL;
