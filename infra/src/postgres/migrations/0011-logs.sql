-- The Kafka logs that usage lies in, written by `npm run ledger -- cut-over`. An offset means something only together with
-- its log; services refuse to work on a log that is not open here.
CREATE TABLE metering.logs (
  log integer PRIMARY KEY CHECK (log BETWEEN 1 AND 65535),
  partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 65535),
  -- 'closing': the log before this one is closed for writing, and its ledger has not yet reached its end.
  state text NOT NULL CHECK (state IN ('closing', 'open')),
  -- Where the log before this one ended: an array of offsets, by partition.
  previous_ends jsonb NOT NULL,
  recorded_by text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO metering.logs (log, partitions, state, previous_ends, recorded_by) VALUES (1, 8, 'open', '[]', 'installation');

CREATE VIEW metering.usage_logs AS SELECT log, partitions, state FROM metering.logs;

GRANT SELECT, INSERT, UPDATE ON metering.logs TO tidemark_aggregator;
GRANT SELECT ON metering.usage_logs TO tidemark_ingest, tidemark_aggregator, tidemark_invoicer, tidemark_reconciler;
