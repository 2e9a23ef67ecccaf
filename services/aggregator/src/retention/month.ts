import { microsPerHour } from '@tidemark/schemas/instant.ts'

/** A month in UTC as ClickHouse names its partition: 202603. */
export type Month = number

export const microsPerDay = 24 * microsPerHour

export const monthStart = (month: Month): number =>
  Date.UTC(Math.floor(month / 100), (month % 100) - 1, 1) * 1000

export const monthEnd = (month: Month): number => Date.UTC(Math.floor(month / 100), month % 100, 1) * 1000

/** `2026-03`. */
export const monthText = (month: Month): string =>
  `${Math.floor(month / 100)}-${String(month % 100).padStart(2, '0')}`
