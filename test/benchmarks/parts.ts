import { heading } from '../demonstration/print.ts'
import type { BenchStack } from './bench-stack.ts'
import type { Measured } from './figure.ts'

export type Part = { title: string; measure(bench: BenchStack): Promise<Measured> }

/** One part of a benchmark after the other, each under its title, as one. */
export async function measureParts(bench: BenchStack, parts: readonly Part[]): Promise<Measured> {
  const measured: Measured[] = []
  for (const { title, measure } of parts) {
    heading(title)
    measured.push(await measure(bench))
  }
  return {
    figures: measured.flatMap(({ figures }) => figures),
    lost: measured.flatMap(({ lost }) => lost),
  }
}
