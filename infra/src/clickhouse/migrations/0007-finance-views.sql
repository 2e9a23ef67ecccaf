-- What people and BI tools read, see docs/finance.md. The views read as whoever made them, so that a user who may read them
-- needs no right on any table.

CREATE OR REPLACE VIEW ${database}_finance.meters
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, key AS meter, version, event_type, aggregation, arrayStringConcat(value_path, '.') AS value_path,
    rounding, precision
FROM ${database}.usage_meters FINAL;

-- A value is what GET /v1/meters/{key}/usage answers for the day or month in UTC, grouped by subject. Meters whose value of
-- a window rests on what came before it (time-weighted, prorated) have none here: ask that query.
CREATE OR REPLACE VIEW ${database}_finance.usage_by_day
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    tenant, customer, subject, meter, version, aggregation, day,
    if(number IS NULL, NULL, reinterpret(assumeNotNull(multiIf(
        rounding = 'round', sign(number) * intDiv(2 * abs(number) + step, 2 * step) * step,
        rounding = 'floor', number - positiveModulo(number, step),
        rounding = 'ceil', number + positiveModulo(-number, step),
        number)), 'Decimal(76, 12)')) AS value,
    events, unreadable
FROM
(
    SELECT
        tenant, customer, subject, meter_key AS meter, meter_version AS version, aggregation, toDate(at) AS day,
        rounding, toInt256(concat('1', repeat('0', 12 - precision))) AS step,
        sum(piece.events) AS events, sum(piece.unreadable) AS unreadable,
        reinterpret(sum(piece.sum), 'Int256') * 1000 AS total, toInt256(events - unreadable) AS readable,
        -- In units of 10^-12; an average is rounded half away from zero, for intDiv cuts towards it.
        multiIf(
            aggregation IN ('count', 'sum'), total,
            aggregation = 'unique-count', toInt256(uniqExactArray(piece.unique_hashes)) * 1000000000000,
            readable = 0, NULL,
            aggregation = 'average', intDiv(2 * total + sign(total) * readable, 2 * greatest(readable, 1)),
            aggregation = 'min', reinterpret(toDecimal256(ifNull(min(piece.min), 0), 9), 'Int256') * 1000,
            aggregation = 'max', reinterpret(toDecimal256(ifNull(max(piece.max), 0), 9), 'Int256') * 1000,
            aggregation = 'latest', reinterpret(toDecimal256(argMaxIf(assumeNotNull(latest_value), latest_at,
                latest_value IS NOT NULL), 9), 'Int256') * 1000,
            NULL) AS number
    FROM ${database}.usage_pieces AS piece
    GROUP BY tenant, customer, subject, meter, version, aggregation, rounding, precision, day
);

CREATE OR REPLACE VIEW ${database}_finance.usage_by_month
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    tenant, customer, subject, meter, version, aggregation, month,
    if(number IS NULL, NULL, reinterpret(assumeNotNull(multiIf(
        rounding = 'round', sign(number) * intDiv(2 * abs(number) + step, 2 * step) * step,
        rounding = 'floor', number - positiveModulo(number, step),
        rounding = 'ceil', number + positiveModulo(-number, step),
        number)), 'Decimal(76, 12)')) AS value,
    events, unreadable
FROM
(
    SELECT
        tenant, customer, subject, meter_key AS meter, meter_version AS version, aggregation, toStartOfMonth(at) AS month,
        rounding, toInt256(concat('1', repeat('0', 12 - precision))) AS step,
        sum(piece.events) AS events, sum(piece.unreadable) AS unreadable,
        reinterpret(sum(piece.sum), 'Int256') * 1000 AS total, toInt256(events - unreadable) AS readable,
        -- In units of 10^-12; an average is rounded half away from zero, for intDiv cuts towards it.
        multiIf(
            aggregation IN ('count', 'sum'), total,
            aggregation = 'unique-count', toInt256(uniqExactArray(piece.unique_hashes)) * 1000000000000,
            readable = 0, NULL,
            aggregation = 'average', intDiv(2 * total + sign(total) * readable, 2 * greatest(readable, 1)),
            aggregation = 'min', reinterpret(toDecimal256(ifNull(min(piece.min), 0), 9), 'Int256') * 1000,
            aggregation = 'max', reinterpret(toDecimal256(ifNull(max(piece.max), 0), 9), 'Int256') * 1000,
            aggregation = 'latest', reinterpret(toDecimal256(argMaxIf(assumeNotNull(latest_value), latest_at,
                latest_value IS NOT NULL), 9), 'Int256') * 1000,
            NULL) AS number
    FROM ${database}.usage_pieces AS piece
    GROUP BY tenant, customer, subject, meter, version, aggregation, rounding, precision, month
);

-- Accepted after the day that it belongs to had ended (UTC).
CREATE OR REPLACE VIEW ${database}_finance.late_usage
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, customer, subject, meter_key AS meter, meter_version AS version, toDate(time) AS day,
    sum(toDecimal256(ifNull(value, 0), 9)) AS total, count() AS events, countIf(value IS NULL) AS unreadable,
    countIf(accepted_at >= addMonths(toStartOfMonth(time), 1)) AS events_after_month,
    max(dateDiff('second', time, accepted_at)) AS longest_lag_seconds, max(accepted_at) AS last_accepted_at
FROM ${database}.usage_readings
WHERE accepted_at >= addDays(toStartOfDay(time), 1) AND NOT is_superseded
GROUP BY tenant, customer, subject, meter, version, day;

-- What corrections took away and put in its place, each in the day where it counts.
CREATE OR REPLACE VIEW ${database}_finance.adjusted_usage
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, customer, subject, meter_key AS meter, meter_version AS version, toDate(time) AS day,
    sumIf(toDecimal256(ifNull(value, 0), 9), is_superseded) AS removed_total, countIf(is_superseded) AS removed_events,
    sumIf(toDecimal256(ifNull(value, 0), 9), is_correction) AS added_total, countIf(is_correction) AS added_events
FROM
(
    SELECT *, (log, partition, offset) IN (
        SELECT log, partition, offset FROM ${database}.usage_corrections) AS is_correction
    FROM ${database}.usage_readings
)
WHERE is_superseded OR is_correction
GROUP BY tenant, customer, subject, meter, version, day;

CREATE OR REPLACE VIEW ${database}_finance.unreadable_usage
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, customer, subject, meter_key AS meter, meter_version AS version, toDate(at) AS day,
    sum(pieces.unreadable) AS unreadable, sum(pieces.events) AS events
FROM ${database}.usage_pieces AS pieces
GROUP BY tenant, customer, subject, meter, version, day
HAVING unreadable > 0;

-- Per day with usage: whether all that was acknowledged before its end is in.
CREATE OR REPLACE VIEW ${database}_finance.completeness_by_day
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT cells.tenant AS tenant, cells.day AS day, reached.complete_until >= addDays(toDateTime64(cells.day, 6, 'UTC'), 1) AS is_complete,
    reached.complete_until AS complete_until, cells.events AS events
FROM
(
    SELECT tenant, toDate(hour) AS day, count() AS events
    FROM ${database}.usage_ledger_by_cell FINAL
    WHERE verdict IN ('accepted', 'correction')
    GROUP BY tenant, day
) AS cells
LEFT JOIN
(
    SELECT tenant, max(usage_completeness.complete_until) AS complete_until
    FROM ${database}.usage_completeness
    GROUP BY tenant
) AS reached ON cells.tenant = reached.tenant;

-- By the day of arrival. What had no readable tenant stands under the empty one.
CREATE OR REPLACE VIEW ${database}_finance.ledger_by_day
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, toDate(append_time) AS day, toString(verdict) AS verdict, count() AS records
FROM ${database}.usage_ledger FINAL
GROUP BY tenant, day, verdict;
