import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { type Mark, type MarkAction, markKey, type Rejection } from './rejection.ts'

export type Marks = {
  /** The last decision about each record that has one, by `originKey`. */
  fetch(rejections: readonly Rejection[]): Promise<ReadonlyMap<string, Mark>>
  add(rejections: readonly Rejection[], action: MarkAction): Promise<void>
}

type MarkRow = Mark & {
  originTopic: string
  originPartition: number
  originOffset: number
  originTime: number
}

const fetchSql = `
  SELECT DISTINCT ON (origin_topic, origin_partition, origin_offset, origin_time)
    origin_topic AS "originTopic", origin_partition AS "originPartition",
    origin_offset::float8 AS "originOffset", origin_time::float8 AS "originTime",
    action, to_char(marked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, marked_by AS by
  FROM access.rejected_marks
  JOIN unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[])
    AS asked (origin_topic, origin_partition, origin_offset, origin_time)
    USING (origin_topic, origin_partition, origin_offset, origin_time)
  ORDER BY origin_topic, origin_partition, origin_offset, origin_time, id DESC`

const addSql = `
  INSERT INTO access.rejected_marks
    (origin_topic, origin_partition, origin_offset, origin_time, action, marked_by)
  SELECT *, $5, $6 FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[])`

/** What was decided about refused records: nothing is ever removed, so that the table is also the history. */
export function createMarks(pool: Queryable, by: string): Marks {
  const columns = (rejections: readonly Rejection[]) => [
    rejections.map(({ event }) => event.originTopic),
    rejections.map(({ event }) => event.originPartition),
    rejections.map(({ event }) => event.originOffset),
    rejections.map(({ event }) => event.originTime),
  ]
  return {
    async fetch(rejections) {
      if (rejections.length === 0) return new Map()
      const { rows } = await pool.query<MarkRow>(fetchSql, columns(rejections))
      return new Map(rows.map((row) => [markKey(row), { action: row.action, at: row.at, by: row.by }]))
    },
    async add(rejections, action) {
      if (rejections.length > 0) await pool.query(addSql, [...columns(rejections), action, by])
    },
  }
}
