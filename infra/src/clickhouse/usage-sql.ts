import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'

/** SQL with the values of its parameters; text from outside stands only in `params`. */
export type Sql = { readonly sql: string; readonly params: Readonly<Record<string, unknown>> }

/**
 * Sum modulo 2^128 over the hash of (log, partition, offset, payload hash): two sets of events with one count and one
 * hash are the same set. SipHash-2-4-128 as ClickHouse computes it; certificates name it `siphash128-sum`.
 */
export const eventHash = 'sum(reinterpretAsUInt128(sipHash128(log, partition, offset, payload_hash)))'

/** Rows below the cut. A partition that the cut does not name has none. */
export function atCut(cut: Cut): Sql {
  return {
    sql: 'offset < transform(toUInt32(log) * 65536 + partition, {cutKeys:Array(UInt32)}, {cutEnds:Array(UInt64)}, toUInt64(0))',
    params: {
      cutKeys: cut.map(({ log, partition }) => log * 65_536 + partition),
      cutEnds: cut.map(({ offset }) => offset.toString()),
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

export function meterSql(meter: Meter): MeterSql {
  const params: Record<string, unknown> = {}
  const pathArguments = (path: string, name: string): string =>
    path
      .split('.')
      .map((segment, index) => {
        params[`${name}_${index}`] = segment
        return `{${name}_${index}:String}`
      })
      .join(', ')
  const textAt = (path: string, name: string) => {
    const raw = `JSONExtractRaw(data, ${pathArguments(path, name)})`
    return `if(startsWith(${raw}, '"'), JSONExtractString(data, ${pathArguments(path, name)}), ${raw})`
  }
  const conditions = (meter.filters ?? []).map(({ path, in: values }, index) => {
    params[`filterValues${index}`] = values
    return `has({filterValues${index}:Array(String)}, ${textAt(path, `filter${index}`)})`
  })
  const dimensions = dimensionNames(meter).map((name, index) =>
    textAt(meter.dimensions?.[name] ?? '', `dimension${index}`),
  )
  return {
    quantity:
      meter.valuePath === undefined
        ? "CAST(1, 'Nullable(Decimal(38, 9))')"
        : exactQuantity(textAt(meter.valuePath, 'value')),
    matches: conditions.length === 0 ? 'true' : conditions.join(' AND '),
    dimensions: dimensions.length === 0 ? "CAST([], 'Array(String)')" : `[${dimensions.join(', ')}]`,
    params,
  }
}

/** The order in which dimension values are stored. */
export const dimensionNames = (meter: Meter): string[] => Object.keys(meter.dimensions ?? {}).sort()

// ClickHouse prints small JSON numbers back with an exponent (1e-7) and cuts what a Decimal cannot hold without a word.
// So plain text is taken within its bounds, an exponent only when all its digits fit into nine decimals.
function exactQuantity(text: string): string {
  const plain = `match(${text}, '^-?[0-9]{1,29}([.][0-9]{1,9})?$')`
  const small = `match(${text}, '^-?[0-9]([.][0-9]+)?e-[0-9]+$') AND length(extract(${text}, '[.]([0-9]+)e')) + toUInt32OrZero(extract(${text}, 'e-([0-9]+)$')) <= 9`
  return `if(${plain} OR (${small}), toDecimal128OrNull(${text}, 9), NULL)`
}
