-- A correction supersedes the event, or the correction before it, in a cell that may be another than its own. Columns
-- come at the end and are empty in rows from before: until now nothing was ever superseded.

ALTER TABLE ${database}.usage_ledger
    ADD COLUMN IF NOT EXISTS superseded_type LowCardinality(String) COMMENT 'with superseded_hour: the cell in which a correction supersedes; empty of other verdicts. The type of a void is empty: it counts nowhere',
    ADD COLUMN IF NOT EXISTS superseded_hour DateTime('UTC');

-- Of a correction: one row where it counts, and one with the verdict `mark` where it only supersedes; one row for both
-- where that is one cell.
ALTER TABLE ${database}.usage_ledger_by_cell
    MODIFY COLUMN verdict Enum8('accepted' = 1, 'duplicate' = 2, 'conflict' = 3, 'correction' = 4, 'rejected' = 5, 'mark' = 6),
    ADD COLUMN IF NOT EXISTS supersedes UInt8 COMMENT '1: this correction supersedes something in this cell';
