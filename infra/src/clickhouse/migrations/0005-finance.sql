-- What the finance views are made of, see docs/finance.md and docs/decisions/0011; the views themselves are in 0007, in a
-- database of their own.
CREATE DATABASE IF NOT EXISTS ${database}_finance;

-- Meters as the aggregator keeps them in PostgreSQL, for SQL that has to read raw events. A version never changes.
CREATE TABLE IF NOT EXISTS ${database}.usage_meters
(
    tenant LowCardinality(String),
    key LowCardinality(String),
    version UInt32,
    event_type LowCardinality(String),
    aggregation LowCardinality(String),
    value_path Array(String) COMMENT 'segments; empty: each event counts one',
    filters Array(Tuple(path Array(String), accepted Array(String))),
    rounding LowCardinality(String) COMMENT 'round, ceil or floor; empty: none',
    precision Int8 COMMENT 'decimals that stay'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, key, version);

-- Per tenant, the instant before which everything acknowledged is in, by HTTP or Kafka: a maximum of true statements, as
-- in usage_watermarks.
CREATE TABLE IF NOT EXISTS ${database}.usage_completeness
(
    tenant LowCardinality(String),
    complete_until SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY tenant;

-- Which customer a subject belongs to over half-open times, written by the invoicer alone. The row of the highest
-- catalogue revision counts; one that was removed stays as such.
CREATE TABLE IF NOT EXISTS ${database}.billing_subjects
(
    tenant LowCardinality(String),
    subject String,
    valid_from DateTime64(6, 'UTC') COMMENT '1970: always',
    valid_to DateTime64(6, 'UTC') COMMENT '2200: without end',
    customer String,
    revision UInt64,
    removed UInt8
)
ENGINE = ReplacingMergeTree(revision, removed)
ORDER BY (tenant, subject, valid_from);

-- Usage of every meter as of the watermarks, in pieces that add up: a sealed hour where its seal holds exactly what is
-- below the watermarks, raw events otherwise, as GET /v1/meters/{key}/usage reads. It is one statement, for only there
-- the values of WITH are read once and all parts go by the same cut and pass.
CREATE OR REPLACE VIEW ${database}.usage_pieces AS
WITH
    (
        SELECT mapFromArrays(groupArray(toUInt32(log) * 65536 + partition), groupArray(ends))
        FROM
        (
            SELECT log, partition, max(next_offset) AS ends
            FROM ${database}.usage_watermarks
            WHERE match(topic, '^usage[.]events([.][0-9]+)?$')
            GROUP BY log, partition
        )
    ) AS cut_ends,
    -- The newest pass that saw nothing beyond the cut.
    (
        SELECT max(seal_version)
        FROM ${database}.usage_seal_passes
        WHERE arrayAll(entry -> entry.3 <= cut_ends[toUInt32(entry.1) * 65536 + entry.2], cut)
    ) AS pass_version,
    (
        SELECT (
            any(mapFromArrays(arrayMap(entry -> toUInt32(entry.1) * 65536 + entry.2, cut), cut.3)),
            any(meters),
            any(dirty))
        FROM ${database}.usage_seal_passes FINAL
        WHERE seal_version = pass_version
    ) AS base,
    arrayFilter((key, ends) -> ends > base.1[key], mapKeys(cut_ends), mapValues(cut_ends)) AS moved,
    -- Cells that are read raw: left dirty by the pass, or changed between its cut and ours.
    (
        SELECT groupUniqArray(cell)
        FROM
        (
            SELECT arrayJoin(CAST(base.3, 'Array(Tuple(String, String, DateTime(\'UTC\')))')) AS cell
            UNION ALL
            SELECT arrayJoin([
                    (toString(tenant), toString(type), hour),
                    (toString(tenant), toString(superseded_type), superseded_hour)]) AS cell
            FROM ${database}.usage_ledger
            WHERE (toUInt32(log) * 65536 + partition) IN moved
              AND offset >= arrayMin(arrayMap(key -> base.1[key], moved)) AND offset < arrayMax(mapValues(cut_ends))
              AND offset >= base.1[toUInt32(log) * 65536 + partition] AND offset < cut_ends[toUInt32(log) * 65536 + partition]
              AND verdict IN ('accepted', 'correction')
        )
        WHERE cell.2 != ''
    ) AS raw_cells,
    -- Hours in which a subject changes hands: a sealed value cannot be divided.
    (
        SELECT groupUniqArray((toString(tenant), subject, toStartOfHour(bound)))
        FROM
        (
            SELECT tenant, subject, arrayJoin([valid_from, valid_to]) AS bound
            FROM ${database}.billing_subjects FINAL
            WHERE removed = 0
        )
        WHERE bound != toStartOfHour(bound)
    ) AS divided
SELECT
    piece.tenant AS tenant, if(piece.at < owner.valid_to, owner.customer, '') AS customer, piece.subject AS subject,
    meter_key, meter_version, aggregation, rounding, precision, at, events, unreadable, sum, min, max, unique_hashes,
    latest_at, latest_value
FROM
(
    SELECT
        sealed.tenant AS tenant, sealed.meter_key AS meter_key, sealed.meter_version AS meter_version,
        meter.aggregation AS aggregation, meter.rounding AS rounding, meter.precision AS precision,
        sealed.subject AS subject, toDateTime64(sealed.hour, 6, 'UTC') AS at,
        sealed.event_count AS events, sealed.unreadable AS unreadable, sealed.sum AS sum, sealed.min AS min,
        sealed.max AS max, sealed.unique_hashes AS unique_hashes,
        (sealed.latest_time, sealed.latest_source, sealed.latest_id) AS latest_at, sealed.latest_value AS latest_value
    FROM
    (
        SELECT *
        FROM ${database}.usage_hourly FINAL
        WHERE (toString(tenant), subject, hour) NOT IN divided
        SETTINGS do_not_merge_across_partitions_select_final = 1
    ) AS sealed
    INNER JOIN
    (
        SELECT tenant, meter_key, meter_version, hour, max(seal_version) AS published
        FROM ${database}.usage_seals
        WHERE seal_version <= pass_version
        GROUP BY tenant, meter_key, meter_version, hour
    ) AS seal
        ON sealed.tenant = seal.tenant AND sealed.meter_key = seal.meter_key
        AND sealed.meter_version = seal.meter_version AND sealed.hour = seal.hour
    INNER JOIN (SELECT * FROM ${database}.usage_meters FINAL) AS meter
        ON sealed.tenant = meter.tenant AND sealed.meter_key = meter.key AND sealed.meter_version = meter.version
    WHERE sealed.seal_version = seal.published
      AND (toString(sealed.tenant), toString(meter.event_type), sealed.hour) NOT IN raw_cells
      AND has(base.2, (toString(sealed.tenant), toString(sealed.meter_key), sealed.meter_version))
    UNION ALL
    SELECT
        tenant, meter_key, meter_version, aggregation, rounding, precision, subject, time AS at,
        toUInt64(1) AS events, toUInt64(value IS NULL) AS unreadable, toDecimal256(ifNull(value, 0), 9) AS sum,
        value AS min, value AS max,
        if(value IS NULL OR aggregation != 'unique-count', [], [reinterpretAsUInt128(sipHash128(text))]) AS unique_hashes,
        (time, source, id) AS latest_at, value AS latest_value
    FROM
    (
        SELECT
            event.tenant AS tenant, meter.key AS meter_key, meter.version AS meter_version,
            meter.aggregation AS aggregation, meter.rounding AS rounding, meter.precision AS precision,
            event.subject AS subject, event.time AS time, source, id,
            arrayFold((json, name) -> JSONExtractRaw(json, name), meter.value_path, data) AS raw,
            if(startsWith(raw, '"'), JSONExtractString(raw), raw) AS text,
            multiIf(
                empty(meter.value_path) OR (aggregation = 'unique-count' AND match(raw, '^["0-9tf-]')),
                CAST(1, 'Nullable(Decimal(38, 9))'),
                aggregation = 'unique-count', NULL,
                match(text, '^-?[0-9]{1,29}([.][0-9]{1,9})?$')
                    OR (match(raw, '^-?[0-9]([.][0-9]+)?e-[0-9]+$')
                        AND length(extract(raw, '[.]([0-9]+)e')) + toUInt32OrZero(extract(raw, 'e-([0-9]+)$')) <= 9),
                toDecimal128OrNull(text, 9),
                NULL) AS value
        FROM
        (
            SELECT tenant, type, subject, time, source, id, data
            FROM ${database}.usage_events FINAL
            WHERE (tenant, type, toDate(time)) IN arrayConcat(
                    arrayMap(cell -> (cell.1, cell.2, toDate(cell.3)), raw_cells),
                    (
                        SELECT groupUniqArray((hand.1, toString(event_type), toDate(hand.3)))
                        FROM ${database}.usage_meters
                        ARRAY JOIN arrayFilter(each -> each.1 = tenant, divided) AS hand
                    ))
              AND ((toString(tenant), toString(type), toStartOfHour(time)) IN raw_cells
                OR (toString(tenant), subject, toStartOfHour(time)) IN divided)
              AND offset < cut_ends[toUInt32(log) * 65536 + partition]
              AND (log, partition, offset) NOT IN (
                  SELECT superseded_log, superseded_partition, superseded_offset
                  FROM ${database}.usage_corrections
                  WHERE offset < cut_ends[toUInt32(log) * 65536 + partition])
            SETTINGS do_not_merge_across_partitions_select_final = 1
        ) AS event
        INNER JOIN (SELECT * FROM ${database}.usage_meters FINAL) AS meter
            ON event.tenant = meter.tenant AND event.type = meter.event_type
        WHERE has(base.2, (toString(event.tenant), toString(meter.key), meter.version))
          AND arrayAll(filter -> has(filter.2, (arrayFold((json, name) -> JSONExtractRaw(json, name), filter.1, data) AS part,
              if(startsWith(part, '"'), JSONExtractString(part), part)).2), meter.filters)
    )
) AS piece
ASOF LEFT JOIN (SELECT * FROM ${database}.billing_subjects FINAL) AS owner
    ON piece.tenant = owner.tenant AND piece.subject = owner.subject AND piece.at >= owner.valid_from;

-- What every meter makes of each raw event below the watermarks, those among them that a correction has superseded.
CREATE OR REPLACE VIEW ${database}.usage_readings AS
WITH
    (
        SELECT mapFromArrays(groupArray(toUInt32(log) * 65536 + partition), groupArray(ends))
        FROM
        (
            SELECT log, partition, max(next_offset) AS ends
            FROM ${database}.usage_watermarks
            WHERE match(topic, '^usage[.]events([.][0-9]+)?$')
            GROUP BY log, partition
        )
    ) AS cut_ends
SELECT
    event.tenant AS tenant, if(time < owner.valid_to, owner.customer, '') AS customer, event.subject AS subject,
    meter.key AS meter_key, meter.version AS meter_version, meter.aggregation AS aggregation,
    time, accepted_at, log, partition, offset, is_superseded,
    arrayFold((json, name) -> JSONExtractRaw(json, name), meter.value_path, data) AS raw,
    if(startsWith(raw, '"'), JSONExtractString(raw), raw) AS text,
    multiIf(
        empty(meter.value_path) OR (aggregation = 'unique-count' AND match(raw, '^["0-9tf-]')),
        CAST(1, 'Nullable(Decimal(38, 9))'),
        aggregation = 'unique-count', NULL,
        match(text, '^-?[0-9]{1,29}([.][0-9]{1,9})?$')
            OR (match(raw, '^-?[0-9]([.][0-9]+)?e-[0-9]+$')
                AND length(extract(raw, '[.]([0-9]+)e')) + toUInt32OrZero(extract(raw, 'e-([0-9]+)$')) <= 9),
        toDecimal128OrNull(text, 9),
        NULL) AS value
FROM
(
    SELECT
        tenant, type, subject, time, accepted_at, log, partition, offset, data,
        (log, partition, offset) IN (
            SELECT superseded_log, superseded_partition, superseded_offset
            FROM ${database}.usage_corrections
            WHERE offset < cut_ends[toUInt32(log) * 65536 + partition]) AS is_superseded
    FROM ${database}.usage_events FINAL
    WHERE offset < cut_ends[toUInt32(log) * 65536 + partition]
    SETTINGS do_not_merge_across_partitions_select_final = 1
) AS event
INNER JOIN (SELECT * FROM ${database}.usage_meters FINAL) AS meter
    ON event.tenant = meter.tenant AND event.type = meter.event_type
ASOF LEFT JOIN (SELECT * FROM ${database}.billing_subjects FINAL) AS owner
    ON event.tenant = owner.tenant AND event.subject = owner.subject AND event.time >= owner.valid_from
WHERE arrayAll(filter -> has(filter.2, (arrayFold((json, name) -> JSONExtractRaw(json, name), filter.1, data) AS part,
    if(startsWith(part, '"'), JSONExtractString(part), part)).2), meter.filters);
