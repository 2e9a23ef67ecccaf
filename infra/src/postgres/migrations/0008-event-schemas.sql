-- What ingest checks the data of events against: the schemas that the latest version of each meter carries.
CREATE VIEW metering.event_schemas AS
SELECT tenant, key, version, event_type, definition -> 'eventSchema' AS schema
FROM (SELECT DISTINCT ON (tenant, key) tenant, key, version, event_type, definition
      FROM metering.meters ORDER BY tenant, key, version DESC) latest
WHERE definition ? 'eventSchema';

GRANT SELECT ON metering.event_schemas TO tidemark_ingest, tidemark_aggregator;
