import type { Pool, Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { isLocalDate } from '@tidemark/schemas/local-date.ts'
import { recordChanges } from '../history.ts'
import { replaceTaxRates } from './rate-store.ts'
import { lockRevision, type RevisedNoun } from './revisions.ts'
import { storeTaxSetting, type TaxSetting } from './settings-store.ts'
import { type TaxRate, taxRateFaults } from './tax-rate.ts'

export type Writer = {
  readonly tenant: string
  readonly actor: string
  /** The revision that the writer has read; any when it is undefined. */
  readonly expected: bigint | undefined
}

export type WriteDeps = { readonly pool: Pool; readonly clock: Clock }

/** Chooses a provider from a date on. @throws HttpProblem 422, or 409 when somebody else was first */
export function chooseProvider(deps: WriteDeps, writer: Writer, setting: TaxSetting): Promise<bigint> {
  refuse(
    isLocalDate(setting.from)
      ? []
      : [{ field: 'from', reason: `"${setting.from}" is a date that no calendar has` }],
  )
  return write(deps, writer, 'settings', { ...setting }, (queryable, at) =>
    storeTaxSetting(queryable, writer.tenant, setting, at),
  )
}

/** Puts a whole list of rates in place of the one before, or none of it. @throws as chooseProvider */
export function putTaxRates(deps: WriteDeps, writer: Writer, rates: readonly TaxRate[]): Promise<bigint> {
  refuse(taxRateFaults(rates))
  return write(deps, writer, 'rates', { rates: rates.map((rate) => ({ ...rate })) }, (queryable, at) =>
    replaceTaxRates(queryable, writer.tenant, rates, at),
  )
}

function write(
  { pool, clock }: WriteDeps,
  { tenant, actor, expected }: Writer,
  noun: RevisedNoun,
  after: Json,
  store: (queryable: Queryable, at: string) => Promise<bigint>,
): Promise<bigint> {
  return transaction(pool, async (queryable) => {
    const current = await lockRevision(queryable, tenant, noun)
    if (expected !== undefined && expected !== current) throw conflict(noun, current, expected)
    const now = clock.nowMicros()
    const revision = await store(queryable, formatInstant(now))
    const change = {
      tenant,
      actor,
      action: `tax_${noun}.changed`,
      entity: `tax_${noun}`,
      entityKey: tenant,
      after,
    }
    await recordChanges(queryable, [change], now)
    return revision
  })
}

function refuse(faults: readonly FieldError[]): void {
  if (faults.length === 0) return
  throw new HttpProblem({
    status: 422,
    code: 'invalid_request',
    detail: `Nothing is changed: ${faults.map(({ field, reason }) => `${field} ${reason}`).join('; ')}.`,
    extensions: { errors: faults },
  })
}

const conflict = (noun: RevisedNoun, current: bigint, expected: bigint): HttpProblem =>
  new HttpProblem({
    status: 409,
    code: 'revision_conflict',
    detail: `Nothing is changed: the tax ${noun} are at revision ${current} by now, not ${expected}. Read them again, and decide anew.`,
    extensions: { revision: String(current) },
  })
