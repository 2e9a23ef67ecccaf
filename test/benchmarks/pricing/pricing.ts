import { ratePrice } from '@tidemark/invoicer/pricing/rate.ts'
import { netInvoice, totalInvoice } from '@tidemark/invoicer/pricing/totals.ts'
import { decimal, multiply } from '@tidemark/schemas/decimal.ts'
import { roundToMinorUnit } from '@tidemark/schemas/money.ts'
import { line } from '../../demonstration/print.ts'
import { type Figure, figureOf, type Measured } from '../figure.ts'
import { pricedLines } from './priced-lines.ts'

const rounds = 5
const roundMs = 400
const microsPerSecond = 1_000_000

/** Lines per second of one core: CPU time of this process, which computes and does nothing else. */
export async function measurePricing(): Promise<Measured> {
  const priced = pricedLines.map(({ name, price, usage }) => ({
    name,
    act: () => ratePrice(price, usage, 'USD').amountMicros,
  }))
  const acts = [
    ...priced,
    { name: 'trace of a graduated line', act: traced },
    { name: 'invoice of 10 lines', act: invoice },
  ]
  // The rounds of all take turns, so that a disturbance meets them all; the first compiles and is not counted.
  const samples = new Map(acts.map(({ name }) => [name, [] as number[]]))
  const limits: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const limit = rateOf(readMultiplyAndRound)
    if (round > 0) limits.push(limit)
    for (const { name, act } of acts) {
      const rate = rateOf(act)
      if (round > 0) samples.get(name)?.push(rate)
    }
  }
  const arithmetic = figureOf('arithmetic alone', 'lines/s', limits)
  const figures: Figure[] = [
    arithmetic,
    ...[...samples].map(([name, rates]) => figureOf(name, 'lines/s', rates, { limit: arithmetic.median })),
  ]
  line('  One core, CPU time; the limit is two numbers read from text, multiplied and rounded once.')
  return { figures, lost: [] }
}

let turn = 0
const quantities = Array.from({ length: 64 }, (_, index) => `${1_234_567 + index}.891`)

/** What a line costs at least: two numbers are read from text, multiplied and rounded. */
function readMultiplyAndRound(): bigint {
  turn = (turn + 1) % quantities.length
  return roundToMinorUnit(multiply(decimal(quantities[turn] ?? '0'), decimal('0.00175')), 'USD')
}

function traced(): number {
  const graduated = pricedLines.find(({ name }) => name === 'graduated')
  return graduated ? ratePrice(graduated.price, graduated.usage, 'USD').trace.length : 0
}

const charges = Array.from({ length: 10 }, (_, index) => ({
  id: `line-${index}`,
  amountMicros: BigInt(index + 1) * 12_340_000n,
}))
const taxes = [{ id: 'vat', rate: decimal('19') }]
const answer = { provider: 'bench', version: '1', lines: charges.map(({ id }) => ({ id, taxes })) }

/** Ten charges through minimum, two discounts, tax and credits. */
function invoice(): bigint {
  const discounts = [
    { id: 'a', type: 'percent' as const, value: decimal('10') },
    { id: 'b', type: 'fixed' as const, value: decimal('25') },
  ]
  const net = netInvoice(charges, [{ minimumMicros: 100_000_000n }], discounts, 'USD')
  return totalInvoice(net, answer, { availableCreditsMicros: 5_000_000n }, 'USD').amountDueMicros
}

/** @returns times per second of CPU */
function rateOf(act: () => unknown): number {
  const until = performance.now() + roundMs
  const before = process.cpuUsage()
  let done = 0
  let last: unknown
  while (performance.now() < until) {
    for (let index = 0; index < 16; index += 1) last = act()
    done += 16
  }
  const { user, system } = process.cpuUsage(before)
  if (last === undefined) throw new Error('nothing was computed')
  return (done * microsPerSecond) / (user + system)
}
