import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'

/** SQL with the values of its parameters; text from outside stands only in `params`. */
export type Sql = { readonly sql: string; readonly params: Readonly<Record<string, unknown>> }

/**
 * Sum modulo 2^128 over the hash of (log, partition, offset, payload hash): two sets of events with one count and one
 * hash are the same set. SipHash-2-4-128 as ClickHouse computes it; certificates name it `siphash128-sum`.
 */
export const eventHash = 'sum(reinterpretAsUInt128(sipHash128(log, partition, offset, payload_hash)))'

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

/** What a meter makes of an event: expressions over the columns of usage_events. */
export type MeterSql = {
  /** Nullable(Decimal(38, 9)): null when the value is no quantity of at most 29 integer digits and 9 decimals. */
  readonly quantity: string
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
  return {
    quantity:
      meter.valuePath === undefined
        ? "CAST(1, 'Nullable(Decimal(38, 9))')"
        : exactQuantity(textAt(meter.valuePath, 'value'), rawAt(meter.valuePath, 'value')),
    matches: conditions.length === 0 ? 'true' : conditions.join(' AND '),
    dimensions: dimensions.length === 0 ? "CAST([], 'Array(String)')" : `[${dimensions.join(', ')}]`,
    params,
  }
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
