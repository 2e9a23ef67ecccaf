-- Meters, written by the aggregator. A version never changes: no UPDATE, no DELETE.
CREATE SCHEMA metering;
GRANT USAGE ON SCHEMA metering TO tidemark_aggregator, tidemark_ingest, tidemark_invoicer, tidemark_reconciler;

CREATE TABLE metering.meters (
  tenant text NOT NULL,
  key text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  event_type text NOT NULL,
  -- The whole meter as it was given, see schemas/src/meter.ts.
  definition jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, key, version)
);
CREATE INDEX meters_by_event_type ON metering.meters (tenant, event_type);

CREATE VIEW metering.meter_versions AS SELECT tenant, key, version, event_type, definition FROM metering.meters;

GRANT SELECT, INSERT ON metering.meters TO tidemark_aggregator;
GRANT SELECT ON metering.meter_versions TO tidemark_ingest, tidemark_aggregator, tidemark_invoicer, tidemark_reconciler;
