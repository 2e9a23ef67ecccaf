-- What an operator decided about refused records, one row for each decision: the last one of a record counts. The record
-- itself stays on usage.rejected; it is named by where it came from, because a relay that repeats writes it again there.
CREATE TABLE access.rejected_marks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  origin_topic text NOT NULL,
  origin_partition integer NOT NULL,
  origin_offset bigint NOT NULL,
  -- Append time in milliseconds: tells a topic that was made anew from the one before it.
  origin_time bigint NOT NULL,
  action text NOT NULL CHECK (action IN ('replayed', 'discarded')),
  marked_at timestamptz NOT NULL DEFAULT now(),
  marked_by text NOT NULL CHECK (marked_by <> '')
);
CREATE INDEX rejected_marks_origin
  ON access.rejected_marks (origin_topic, origin_partition, origin_offset, origin_time, id);
GRANT SELECT, INSERT ON access.rejected_marks TO tidemark_ingest;
