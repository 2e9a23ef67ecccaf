import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'

/** SQL with the values of its parameters; text from outside stands only in `params`. */
export type Sql = { readonly sql: string; readonly params: Readonly<Record<string, unknown>> }

/** At the end of a statement that reads a few rows: waking another thread takes longer than they do. */
export const oneThread = 'SETTINGS max_threads = 1'

/**
 * Sum modulo 2^128 over the hash of (log, partition, offset, payload hash): two sets of events with one count and one
 * hash are the same set. SipHash-2-4-128 as ClickHouse computes it; certificates name it `siphash128-sum`.
 */
export const eventHash = 'sum(reinterpretAsUInt128(sipHash128(log, partition, offset, payload_hash)))'

/** The same over the rows that meet a condition. */
export const eventHashIf = (condition: string): string =>
  `sumIf(reinterpretAsUInt128(sipHash128(log, partition, offset, payload_hash)), ${condition})`

/**
 * The same of corrections by their places alone: the ledger's marks and usage_corrections have to agree in it. Few rows are
 * some, and sumIf would hash the others, too.
 */
export const placeHashIf = (condition: string): string =>
  `sum(if(${condition}, reinterpretAsUInt128(sipHash128(log, partition, offset)), toUInt128(0)))`

/**
 * Rows below the cut, as a condition on the columns log, partition and offset. A partition that the cut does not name has
 * none. It reads no index: name days or ranges of offsets beside it.
 */
export function atCut(cut: Cut): Sql {
  return {
    sql: 'offset < transform(toUInt32(log) * 65536 + partition, {cutKeys:Array(UInt32)}, {cutEnds:Array(UInt64)}, toUInt64(0))',
    params: {
      cutKeys: cut.map(({ log, partition }) => log * 65_536 + partition),
      // As bigint: the client would put quotes around text, which an array of numbers refuses.
      cutEnds: cut.map(({ offset }) => offset),
    },
  }
}

/**
 * Raw rows that are in force at the cut: a row that a correction below the cut supersedes is left out, so that an older
 * cut reads as it did (docs/decisions/0013). Where nothing was corrected it costs one look into an index.
 * @param corrected which corrections concern the rows that are read, as a condition on `tenant`, `type` and
 *   `superseded_hour` of usage_corrections, its key
 */
export function inForce(cut: Cut, corrected: string): Sql {
  const { sql, params } = atCut(cut)
  return {
    sql: `${sql} AND (log, partition, offset) NOT IN (${supersededPlaces(sql, corrected)})`,
    params,
  }
}

/** Places of what corrections supersede; `below` is a condition on the corrections' own log, partition and offset. */
export const supersededPlaces = (below: string, corrected: string): string =>
  `SELECT superseded_log, superseded_partition, superseded_offset FROM usage_corrections WHERE ${corrected} AND ${below}`

/** What a meter makes of an event: expressions over the columns of usage_events. */
export type MeterSql = {
  /**
   * Nullable(Decimal(38, 9)): null when the value cannot be read: it is no quantity of at most 29 integer digits and 9
   * decimals, or, for a unique count, neither text nor number nor truth value.
   */
  readonly quantity: string
  /** UInt128: what a unique count tells values apart by, a hash of the value's text. */
  readonly distinct: string
  /** String: the value as JSON text, empty when there is none. */
  readonly raw: string
  /** Whether the meter counts the event at all. */
  readonly matches: string
  /** Array(String): the dimensions' values in the order of their sorted names. */
  readonly dimensions: string
  readonly params: Readonly<Record<string, unknown>>
}

/** @param prefix precedes the names of the parameters, for a statement that reads several meters at once */
export function meterSql(meter: Meter, prefix = ''): MeterSql {
  const params: Record<string, unknown> = {}
  const pathArguments = (path: string, name: string): string =>
    path
      .split('.')
      .map((segment, index) => {
        params[`${prefix}${name}_${index}`] = segment
        return `{${prefix}${name}_${index}:String}`
      })
      .join(', ')
  const rawAt = (path: string, name: string) => `JSONExtractRaw(data, ${pathArguments(path, name)})`
  const textAt = (path: string, name: string) => {
    const raw = rawAt(path, name)
    return `if(startsWith(${raw}, '"'), JSONExtractString(data, ${pathArguments(path, name)}), ${raw})`
  }
  const conditions = (meter.filters ?? []).map(({ path, in: values }, index) => {
    params[`${prefix}filterValues${index}`] = values
    return `has({${prefix}filterValues${index}:Array(String)}, ${textAt(path, `filter${index}`)})`
  })
  const dimensions = dimensionNames(meter).map((name, index) =>
    textAt(meter.dimensions?.[name] ?? '', `dimension${index}`),
  )
  const value =
    meter.valuePath === undefined
      ? undefined
      : { text: textAt(meter.valuePath, 'value'), raw: rawAt(meter.valuePath, 'value') }
  return {
    quantity: quantityOf(meter, value),
    raw: value?.raw ?? "''",
    distinct: `reinterpretAsUInt128(sipHash128(${value?.text ?? "''"}))`,
    matches: conditions.length === 0 ? 'true' : conditions.join(' AND '),
    dimensions: dimensions.length === 0 ? "CAST([], 'Array(String)')" : `[${dimensions.join(', ')}]`,
    params,
  }
}

const one = "CAST(1, 'Nullable(Decimal(38, 9))')"

function quantityOf({ aggregation }: Meter, value: { text: string; raw: string } | undefined): string {
  if (value === undefined) return one
  // Objects and lists have no text of their own, null says that there is none, and what is missing is empty.
  if (aggregation === 'unique-count') return `if(match(${value.raw}, '^["0-9tf-]'), ${one}, NULL)`
  return exactQuantity(value.text, value.raw)
}

/** The order in which dimension values are stored. */
export const dimensionNames = (meter: Meter): string[] => Object.keys(meter.dimensions ?? {}).sort()

// ClickHouse prints small JSON numbers back with an exponent (1e-7) and cuts what a Decimal cannot hold without a word.
// So plain text is taken within its bounds, and an exponent only in a JSON number all of whose digits fit into nine
// decimals. An integer above 2^64 as a JSON number makes the whole document unreadable to ClickHouse; ingest refuses
// those above 2^53 already.
function exactQuantity(text: string, raw: string): string {
  const plain = `match(${text}, '^-?[0-9]{1,29}([.][0-9]{1,9})?$')`
  const small = `match(${raw}, '^-?[0-9]([.][0-9]+)?e-[0-9]+$') AND length(extract(${raw}, '[.]([0-9]+)e')) + toUInt32OrZero(extract(${raw}, 'e-([0-9]+)$')) <= 9`
  return `if(${plain} OR (${small}), toDecimal128OrNull(${text}, 9), NULL)`
}
